"""``HTTPChatModel``: the base class of chat models that a provider's server runs."""

from __future__ import annotations

from collections.abc import AsyncGenerator, AsyncIterator, Generator, Iterator
from contextlib import closing
from functools import partial
from typing import TYPE_CHECKING, Any, ClassVar
from uuid import UUID

from .._uuid7 import uuid7
from ..language_models.chat_calls import disables_streaming
from ..language_models.chat_models import BaseChatModel
from ..language_models.model_type import ModelCall
from ..messages.base import run_message_id
from ..outputs import LLMResult
from ..outputs.chat_generation import ChatGenerationChunk, ChatResult
from ..streaming.drive import adrive, drive
from ..streaming.inputs import NestedIterator
from ..streaming.protocols import ChunkProcessor, Source
from .http.endpoint import HTTPEndpoint
from .http.request import PendingRequest
from .message_reader import MessageReader
from .payload_stream import PayloadGenerations, PayloadMessages
from .whole_body import WholeBody
from .whole_payloads import WholePayloads

if TYPE_CHECKING:
    from ..messages.base import BaseMessage

__all__ = ("HTTPChatModel",)


class HTTPChatModel(HTTPEndpoint, BaseChatModel):
    """The base class of chat models that a provider's server runs.

    A provider defines ``_stream_format``, the format of its streams for :class:`~millstream.StreamDecoder`;
    :meth:`_build_pending`, which returns the request of a call; and :meth:`_create_reader`, which returns what
    reads the response. Streams, whole answers, retries, ids, results, events and records are those of this class.

    ``stream_chunk_timeout`` is how many seconds a stream may go on without content.
    """

    _stream_format: ClassVar[str]

    streaming: bool = False
    stream_chunk_timeout: float | None = 120.0

    # What a provider defines.

    def _build_pending(self, call: ModelCall, *, stream: bool) -> PendingRequest:
        """Return the request of ``call``: its path, and the parameters in its body."""
        raise NotImplementedError

    def _create_reader(self, pending: PendingRequest, *, stream: bool) -> MessageReader:
        """Return what reads the payloads of the response to ``pending``."""
        raise NotImplementedError

    # How a response is read.

    def _read_generations(self, pending: PendingRequest) -> ChunkProcessor[LLMResult]:
        """Return the processor of a stream of generation chunks."""
        reader = partial(self._create_reader, pending, stream=True)
        return PayloadGenerations(self._stream_format, self.stream_chunk_timeout or None, reader, n=pending.n)

    def _read_messages(self, pending: PendingRequest, id: str, *, collect_result: bool) -> ChunkProcessor[LLMResult]:
        """Return the processor of a stream of messages, whose id is ``id``."""
        reader = partial(self._create_reader, pending, stream=True)
        limit = self.stream_chunk_timeout or None
        return PayloadMessages(self._stream_format, limit, reader, n=pending.n, id=id, collect_result=collect_result)

    def _read_whole(self, pending: PendingRequest) -> WholeBody:
        """Return the processor of a response that does not stream."""
        return WholePayloads(self._stream_format, n=pending.n, size=self.max_response_size)

    def _create_result(self, pending: PendingRequest, body: Any) -> ChatResult:
        """Return the result of what :meth:`_read_whole` returned, once it has been read."""
        result: ChatResult = body.create_result(self._create_reader(pending, stream=False))
        return result

    # Whole answers.

    def _generate(
        self, messages: list[BaseMessage], stop: list[str] | None = None, run_manager: Any = None, **kwargs: Any
    ) -> ChatResult:
        pending = self._build_pending(ModelCall(messages, stop, kwargs), stream=False)
        body = self._read_whole(pending)
        pending.read(body)
        return self._create_result(pending, body)

    async def _agenerate(
        self, messages: list[BaseMessage], stop: list[str] | None = None, run_manager: Any = None, **kwargs: Any
    ) -> ChatResult:
        pending = self._build_pending(ModelCall(messages, stop, kwargs), stream=False)
        body = self._read_whole(pending)
        await pending.aread(body)
        return self._create_result(pending, body)

    # Streams.

    def _stream(
        self, messages: list[BaseMessage], stop: list[str] | None = None, run_manager: Any = None, **kwargs: Any
    ) -> Iterator[ChatGenerationChunk]:
        return self._read_chunks(self._build_pending(ModelCall(messages, stop, kwargs), stream=True), run_manager)

    def _astream(
        self, messages: list[BaseMessage], stop: list[str] | None = None, run_manager: Any = None, **kwargs: Any
    ) -> AsyncIterator[ChatGenerationChunk]:
        return self._aread_chunks(self._build_pending(ModelCall(messages, stop, kwargs), stream=True), run_manager)

    def _read_chunks(self, pending: PendingRequest, run_manager: Any) -> Generator[ChatGenerationChunk, None, None]:
        with closing(drive(pending, self._read_generations(pending))) as chunks:
            for chunk in chunks:
                if run_manager is not None:
                    run_manager.on_llm_new_token(chunk.text, **_token_info(chunk))
                yield chunk

    async def _aread_chunks(
        self, pending: PendingRequest, run_manager: Any
    ) -> AsyncGenerator[ChatGenerationChunk, None]:
        async with NestedIterator(adrive(pending, self._read_generations(pending))) as chunks:
            async for chunk in chunks:
                if run_manager is not None:
                    await run_manager.on_llm_new_token(chunk.text, **_token_info(chunk))
                yield chunk

    def _opens_own_stream(self, call: ModelCall, *, for_async: bool) -> bool:
        cls, base = type(self), HTTPChatModel
        if (cls._astream is not base._astream) if for_async else (cls._stream is not base._stream):
            return False
        return self.rate_limiter is None and not disables_streaming(self, {**call.kwargs, "stream": True})

    def _streams_natively(self, call: ModelCall, *, for_async: bool) -> bool:
        return self.output_version != "v1" and self._opens_own_stream(call, for_async=for_async)

    def _native_stream(
        self, call: ModelCall, *, collect_result: bool, run_id: UUID | None = None
    ) -> tuple[Source, ChunkProcessor[LLMResult]]:
        pending = self._build_pending(call, stream=True)
        id = run_message_id(run_id or uuid7())
        return pending, self._read_messages(pending, id, collect_result=collect_result)


def _token_info(chunk: ChatGenerationChunk) -> dict[str, Any]:
    return {"chunk": chunk, "logprobs": (chunk.generation_info or {}).get("logprobs")}

"""``ChatModelStreams``: how the chat models of LangChain's packages for providers stream here."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator
from typing import TYPE_CHECKING, Any

from langchain_core.language_models._utils import _normalize_messages
from langchain_core.messages import AIMessageChunk, BaseMessage
from langchain_core.outputs import ChatGenerationChunk
from langchain_core.utils.uuid import uuid7

from ...streaming.drive import adrive, drive
from ...streaming.protocols import ChunkProcessor
from .model_streams import ModelStreams

if TYPE_CHECKING:
    from langchain_core.language_models import BaseChatModel
    from langchain_core.runnables import RunnableConfig

    from .unobserved import Opened

    _Base = BaseChatModel
else:
    _Base = object

__all__ = ("ChatModelStreams",)


class ChatModelStreams(ModelStreams[AIMessageChunk], _Base):
    """Replaces how a chat model streams; a subclass says how a request is built, and what reads the response."""

    _run_type = "chat_model"

    def _build_stream_request(
        self, messages: list[BaseMessage], stop: list[str] | None, kwargs: dict[str, Any], *, is_async: bool
    ) -> Any:
        """Return the request of a stream, without changing ``kwargs``; ``None`` if LangChain has to send it."""
        raise NotImplementedError

    def _read_generations(self, request: Any) -> ChunkProcessor[Any]:
        """Return the processor of a stream of generation chunks."""
        raise NotImplementedError

    def _read_messages(self, request: Any, id: str, *, collect_result: bool) -> ChunkProcessor[Any]:
        """Return the processor of a stream of messages with the id ``id``."""
        raise NotImplementedError

    def _stream(
        self, messages: list[BaseMessage], stop: list[str] | None = None, run_manager: Any = None, **kwargs: Any
    ) -> Iterator[ChatGenerationChunk]:
        request = self._build_stream_request(messages, stop, kwargs, is_async=False)
        if request is None:
            return super()._stream(messages, stop=stop, run_manager=run_manager, **kwargs)
        chunks = drive(request, self._read_generations(request))
        return chunks if run_manager is None else self._notify(chunks, run_manager)

    def _astream(
        self, messages: list[BaseMessage], stop: list[str] | None = None, run_manager: Any = None, **kwargs: Any
    ) -> AsyncIterator[ChatGenerationChunk]:
        request = self._build_stream_request(messages, stop, kwargs, is_async=True)
        if request is None:
            return super()._astream(messages, stop=stop, run_manager=run_manager, **kwargs)
        chunks = adrive(request, self._read_generations(request))
        return chunks if run_manager is None else self._anotify(chunks, run_manager)

    def _open_stream(
        self,
        input: Any,
        config: RunnableConfig,
        stop: list[str] | None,
        kwargs: dict[str, Any],
        *,
        is_async: bool,
        collect_result: bool = False,
    ) -> Opened | None:
        """Return the source and the processor of a stream; ``None`` if it needs LangChain.

        The steps are those of LangChain's ``stream``, without those that are for handlers.
        """
        if self.output_version == "v1" or not self._should_stream(async_api=is_async, **{**kwargs, "stream": True}):
            return None
        messages = _normalize_messages(self._convert_input(input).to_messages())
        kwargs = {**kwargs}
        # These are for tracing alone.
        _ = kwargs.pop("ls_structured_output_format", None) or kwargs.pop("structured_output_format", None)
        request = self._build_stream_request(messages, stop, kwargs, is_async=is_async)
        if request is None:
            return None
        request.limiter = self.rate_limiter
        id = f"lc_run--{config.get('run_id') or uuid7()}"
        return request, self._read_messages(request, id, collect_result=collect_result)

    def _token_info(self, chunk: Any) -> dict[str, Any]:
        return {"chunk": chunk}

"""``ChatOpenAI`` and ``AzureChatOpenAI``: langchain-openai's chat models, whose streams this package reads.

Arguments, messages, tools, structured output, callbacks, caches and serialisation are LangChain's, by
inheritance. Replaced is the path from the parameters of a request to its chunks or its result: the OpenAI SDK's
client builds the request, our transport sends it, and our decoder reads the response. Where nobody listens,
``stream`` and ``astream`` do without LangChain's machinery as well.

langchain-openai keeps the calls that are not replaced: ``response_format`` in chat completions, clients that are
not the SDK's own (see :func:`~millstream.integrations._sdk_calls.find_obstacle`), and models of a user's
subclass that overrides how chunks are made.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator
from typing import TYPE_CHECKING, Any

import langchain_openai
from langchain_core.language_models._utils import _normalize_messages
from langchain_core.messages import AIMessageChunk, BaseMessage
from langchain_core.outputs import ChatGenerationChunk, ChatResult
from langchain_core.utils.uuid import uuid7
from langchain_openai.chat_models import base
from langchain_openai.chat_models.base import BaseChatOpenAI, _add_gateway_metadata

from ...streaming.drive import adrive, drive
from .chat_requests import ChatRequest, ResponsesRequest, build_stream_request, build_whole_request
from .chat_stream import DecodedGenerations, DecodedMessages
from .model_streams import ModelStreams
from .responses_stream import ResponseGenerations, ResponseMessages

if TYPE_CHECKING:
    from langchain_core.runnables import RunnableConfig

    _Base = BaseChatOpenAI
else:
    _Base = object

__all__ = ("AzureChatOpenAI", "ChatOpenAI")


class _ChatStreams(ModelStreams[AIMessageChunk], _Base):
    """Replaces how a chat model of langchain-openai sends requests and reads responses."""

    _run_type = "chat_model"

    # Streams for LangChain's machinery.

    def _stream(
        self, messages: list[BaseMessage], stop: list[str] | None = None, run_manager: Any = None, **kwargs: Any
    ) -> Iterator[ChatGenerationChunk]:
        request = build_stream_request(self, messages, stop, kwargs, is_async=False)
        if request is None:
            return super()._stream(messages, stop=stop, run_manager=run_manager, **kwargs)
        chunks = drive(request, _decode(self, request))
        return chunks if run_manager is None else self._notify(chunks, run_manager)

    def _astream(
        self, messages: list[BaseMessage], stop: list[str] | None = None, run_manager: Any = None, **kwargs: Any
    ) -> AsyncIterator[ChatGenerationChunk]:
        request = build_stream_request(self, messages, stop, kwargs, is_async=True)
        if request is None:
            return super()._astream(messages, stop=stop, run_manager=run_manager, **kwargs)
        chunks = adrive(request, _decode(self, request))
        return chunks if run_manager is None else self._anotify(chunks, run_manager)

    def _open_stream(
        self,
        input: Any,
        config: RunnableConfig,
        stop: Any,
        kwargs: dict[str, Any],
        *,
        is_async: bool,
        collect_result: bool = False,
    ) -> tuple[ChatRequest, DecodedMessages | ResponseMessages] | None:
        """Return the source and the processor of a stream; ``None`` if it needs LangChain.

        The steps are those of LangChain's ``stream``, without those that are for handlers.
        """
        if self.output_version == "v1" or not self._should_stream(async_api=is_async, **{**kwargs, "stream": True}):
            return None
        messages = _normalize_messages(self._convert_input(input).to_messages())
        kwargs = {**kwargs}
        # These are for tracing alone.
        _ = kwargs.pop("ls_structured_output_format", None) or kwargs.pop("structured_output_format", None)
        request = build_stream_request(self, messages, stop, kwargs, is_async=is_async)
        if request is None:
            return None
        request.limiter = self.rate_limiter
        id = f"lc_run--{config.get('run_id') or uuid7()}"
        if isinstance(request, ResponsesRequest):
            return request, ResponseMessages(self, request, id, collect_result=collect_result)
        return request, DecodedMessages(self, request, id, collect_result=collect_result)

    def _token_info(self, chunk: ChatGenerationChunk) -> dict[str, Any]:
        if isinstance(chunk.message.content, list):
            # Of the Responses API.
            return {"chunk": chunk}
        return {"chunk": chunk, "logprobs": (chunk.generation_info or {}).get("logprobs")}

    # Whole responses.

    def _generate(
        self, messages: list[BaseMessage], stop: list[str] | None = None, run_manager: Any = None, **kwargs: Any
    ) -> ChatResult:
        request = build_whole_request(self, messages, stop, kwargs, is_async=False)
        if request is None:
            return super()._generate(messages, stop=stop, run_manager=run_manager, **kwargs)
        return self._create_result(request, request.read_response())

    async def _agenerate(
        self, messages: list[BaseMessage], stop: list[str] | None = None, run_manager: Any = None, **kwargs: Any
    ) -> ChatResult:
        request = build_whole_request(self, messages, stop, kwargs, is_async=True)
        if request is None:
            return await super()._agenerate(messages, stop=stop, run_manager=run_manager, **kwargs)
        return self._create_result(request, await request.aread_response())

    def _create_result(self, request: ChatRequest, raw: Any) -> ChatResult:
        """Return the result of ``raw``, a raw response of the SDK, as langchain-openai does."""
        try:
            response = raw.parse()
            info = {"headers": dict(raw.headers)} if self.include_response_headers else {}
            if isinstance(request, ResponsesRequest):
                return self._create_responses_result(request, raw, response, info)
        except Exception as error:
            error.response = raw.http_response  # type: ignore[attr-defined]
            raise
        _add_gateway_metadata(info, raw)
        return self._create_chat_result(response, info)

    def _create_responses_result(
        self, request: ResponsesRequest, raw: Any, response: Any, info: dict[str, Any]
    ) -> ChatResult:
        result = base._construct_lc_result_from_responses_api(
            response, schema=request.schema, metadata=info, output_version=self.output_version
        )
        gateway: dict[str, Any] = {}
        _add_gateway_metadata(gateway, raw)
        for generation in result.generations if gateway else ():
            generation.generation_info = {**(generation.generation_info or {}), **gateway}
        return result


def _decode(model: BaseChatOpenAI, request: ChatRequest) -> DecodedGenerations | ResponseGenerations:
    """Return the processor of a stream of generation chunks."""
    if isinstance(request, ResponsesRequest):
        return ResponseGenerations(model, request)
    return DecodedGenerations(model, request)


class ChatOpenAI(_ChatStreams, langchain_openai.ChatOpenAI):
    """langchain-openai's ``ChatOpenAI`` with this package's streams: the same arguments, messages and exceptions.

    Streams can be closed, and are context managers. ::

        model = ChatOpenAI(model="gpt-4o-mini", temperature=0)
        with model.stream("Write me a 1 verse song about sparkling water.") as chunks:
            for chunk in chunks:
                print(chunk.content, end="|", flush=True)

    Raises the OpenAI SDK's exceptions, or langchain-openai's subclasses of them, with ours as a cause:
    :class:`openai.APIConnectionError` for a stream that ends early, :class:`openai.APIError` for an error in
    the stream, and ``StreamChunkTimeoutError`` for a stream that stalls.
    """


class AzureChatOpenAI(_ChatStreams, langchain_openai.AzureChatOpenAI):
    """langchain-openai's ``AzureChatOpenAI`` with this package's streams; see :class:`ChatOpenAI`."""

"""``ChatOpenAI`` and ``AzureChatOpenAI``: langchain-openai's chat models, whose streams this package reads.

Arguments, messages, tools, structured output, callbacks, caches and serialisation are LangChain's, by
inheritance. Replaced is the path from the parameters of a request to its chunks or its result: the OpenAI SDK's
client builds the request, our transport sends it, and our decoder reads the response. Where no handler is configured,
``stream`` and ``astream`` do without LangChain's machinery as well.

langchain-openai keeps the calls that are not replaced: ``response_format`` in chat completions, clients that are
not the SDK's own (see :func:`~millstream.integrations._sdk_calls.find_obstacle`), and models of a user's
subclass that overrides how chunks are made.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import langchain_openai
from langchain_core.messages import BaseMessage
from langchain_core.outputs import ChatGenerationChunk, ChatResult
from langchain_openai.chat_models import base
from langchain_openai.chat_models.base import BaseChatOpenAI, _add_gateway_metadata

from .chat_model_streams import ChatModelStreams
from .chat_requests import ChatRequest, ResponsesRequest, build_stream_request, build_whole_request
from .chat_stream import DecodedGenerations, DecodedMessages
from .responses_stream import ResponseGenerations, ResponseMessages

if TYPE_CHECKING:
    _Base = BaseChatOpenAI
else:
    _Base = object

__all__ = ("AzureChatOpenAI", "ChatOpenAI")


class _ChatStreams(ChatModelStreams, _Base):
    """Replaces how a chat model of langchain-openai sends requests and reads responses."""

    # Streams.

    def _build_stream_request(
        self, messages: list[BaseMessage], stop: list[str] | None, kwargs: dict[str, Any], *, is_async: bool
    ) -> ChatRequest | None:
        return build_stream_request(self, messages, stop, kwargs, is_async=is_async)

    def _read_generations(self, request: ChatRequest) -> DecodedGenerations | ResponseGenerations:
        if isinstance(request, ResponsesRequest):
            return ResponseGenerations(self, request)
        return DecodedGenerations(self, request)

    def _read_messages(
        self, request: ChatRequest, id: str, *, collect_result: bool
    ) -> DecodedMessages | ResponseMessages:
        if isinstance(request, ResponsesRequest):
            return ResponseMessages(self, request, id, collect_result=collect_result)
        return DecodedMessages(self, request, id, collect_result=collect_result)

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

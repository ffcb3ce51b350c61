"""``ChatAnthropic``: langchain-anthropic's chat model, whose streams this package reads.

Arguments, messages, tools, structured output, callbacks, caches and serialisation are LangChain's, by inheritance.
Replaced is the path from the parameters of a request to its chunks or its result: the Anthropic SDK's client builds
the request, our transport sends it, and our decoder reads the response. See ``chat_models`` for OpenAI's.

langchain-anthropic keeps the calls for which :func:`~millstream.integrations._sdk_calls.find_obstacle` finds one, and
those of a user's subclass that overrides how requests or chunks are made.
"""

from __future__ import annotations

from typing import Any

import langchain_anthropic
from langchain_anthropic._sdk_compat import _aparse
from langchain_anthropic.chat_models import _add_gateway_metadata
from langchain_core.messages import BaseMessage
from langchain_core.outputs import ChatResult

from .anthropic_requests import AnthropicRequest, build_request
from .anthropic_stream import AnthropicGenerations, AnthropicMessages
from .chat_model_streams import ChatModelStreams

__all__ = ("ChatAnthropic",)


class ChatAnthropic(ChatModelStreams, langchain_anthropic.ChatAnthropic):
    """langchain-anthropic's ``ChatAnthropic`` with this package's streams: the same arguments, messages, exceptions.

    Streams can be closed, and are context managers. ::

        model = ChatAnthropic(model="claude-haiku-4-5")
        with model.stream("Write me a 1 verse song about sparkling water.") as chunks:
            for chunk in chunks:
                print(chunk.text, end="|", flush=True)

    Raises langchain-anthropic's exceptions, or the Anthropic SDK's, with ours as a cause:
    ``AnthropicConnectionError`` for a stream that ends early.
    """

    # Streams.

    def _build_stream_request(
        self, messages: list[BaseMessage], stop: list[str] | None, kwargs: dict[str, Any], *, is_async: bool
    ) -> AnthropicRequest | None:
        sent = {**kwargs, "stream": True}
        usage = sent.pop("stream_usage", None)
        request = build_request(self, messages, stop, sent, is_async=is_async)
        if request is not None:
            request.stream_usage = self.stream_usage if usage is None else usage
        return request

    def _read_generations(self, request: AnthropicRequest) -> AnthropicGenerations:
        return AnthropicGenerations(self, request)

    def _read_messages(self, request: AnthropicRequest, id: str, *, collect_result: bool) -> AnthropicMessages:
        return AnthropicMessages(self, request, id, collect_result=collect_result)

    # Whole responses.

    def _generate(
        self, messages: list[BaseMessage], stop: list[str] | None = None, run_manager: Any = None, **kwargs: Any
    ) -> ChatResult:
        request = build_request(self, messages, stop, kwargs, is_async=False)
        if request is None:
            return super()._generate(messages, stop=stop, run_manager=run_manager, **kwargs)
        raw = request.read_response()
        return self._format_output(raw.parse(), generation_info=self._read_info(raw), **kwargs)

    async def _agenerate(
        self, messages: list[BaseMessage], stop: list[str] | None = None, run_manager: Any = None, **kwargs: Any
    ) -> ChatResult:
        request = build_request(self, messages, stop, kwargs, is_async=True)
        if request is None:
            return await super()._agenerate(messages, stop=stop, run_manager=run_manager, **kwargs)
        raw = await request.aread_response()
        return self._format_output(await _aparse(raw), generation_info=self._read_info(raw), **kwargs)

    def _read_info(self, raw: Any) -> dict[str, Any]:
        """Return the metadata of LangSmith's gateway in the headers of ``raw``."""
        info: dict[str, Any] = {}
        if self._uses_gateway:
            _add_gateway_metadata(info, raw)
        return info

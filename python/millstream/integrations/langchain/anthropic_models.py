"""``ChatAnthropic``: langchain-anthropic's chat model, whose streams this package reads.

Arguments, messages, tools, structured output, callbacks, caches and serialisation are LangChain's, by inheritance.
Replaced is the path from the parameters of a request to its chunks or its result: the Anthropic SDK's client builds
the request, our transport sends it, and our decoder reads the response. See ``chat_models`` for OpenAI's.

langchain-anthropic keeps the calls for which :func:`~millstream.integrations._sdk_calls.find_obstacle` finds one, and
those of a user's subclass that overrides how requests or chunks are made.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator
from typing import TYPE_CHECKING, Any

import langchain_anthropic
from langchain_anthropic._sdk_compat import _aparse
from langchain_anthropic.chat_models import _add_gateway_metadata
from langchain_core.language_models._utils import _normalize_messages
from langchain_core.messages import AIMessageChunk, BaseMessage
from langchain_core.outputs import ChatGenerationChunk, ChatResult
from langchain_core.utils.uuid import uuid7

from ...streaming.drive import adrive, drive
from .anthropic_requests import AnthropicRequest, build_request
from .anthropic_stream import AnthropicGenerations, AnthropicMessages
from .model_streams import ModelStreams

if TYPE_CHECKING:
    from langchain_core.runnables import RunnableConfig

__all__ = ("ChatAnthropic",)


class ChatAnthropic(ModelStreams[AIMessageChunk], langchain_anthropic.ChatAnthropic):
    """langchain-anthropic's ``ChatAnthropic`` with this package's streams: the same arguments, messages, exceptions.

    Streams can be closed, and are context managers. ::

        model = ChatAnthropic(model="claude-haiku-4-5")
        with model.stream("Write me a 1 verse song about sparkling water.") as chunks:
            for chunk in chunks:
                print(chunk.text, end="|", flush=True)

    Raises langchain-anthropic's exceptions, or the Anthropic SDK's, with ours as a cause:
    ``AnthropicConnectionError`` for a stream that ends early.
    """

    _run_type = "chat_model"

    # Streams for LangChain's machinery.

    def _stream(
        self,
        messages: list[BaseMessage],
        stop: list[str] | None = None,
        run_manager: Any = None,
        *,
        stream_usage: bool | None = None,
        **kwargs: Any,
    ) -> Iterator[ChatGenerationChunk]:
        opened = self._open(messages, stop, kwargs, stream_usage, is_async=False)
        if opened is None:
            return super()._stream(messages, stop, run_manager, stream_usage=stream_usage, **kwargs)
        chunks = drive(*opened)
        return chunks if run_manager is None else self._notify(chunks, run_manager)

    def _astream(
        self,
        messages: list[BaseMessage],
        stop: list[str] | None = None,
        run_manager: Any = None,
        *,
        stream_usage: bool | None = None,
        **kwargs: Any,
    ) -> AsyncIterator[ChatGenerationChunk]:
        opened = self._open(messages, stop, kwargs, stream_usage, is_async=True)
        if opened is None:
            return super()._astream(messages, stop, run_manager, stream_usage=stream_usage, **kwargs)
        chunks = adrive(*opened)
        return chunks if run_manager is None else self._anotify(chunks, run_manager)

    def _open(
        self, messages: Any, stop: Any, kwargs: dict[str, Any], stream_usage: bool | None, *, is_async: bool
    ) -> tuple[AnthropicRequest, AnthropicGenerations] | None:
        request = build_request(self, messages, stop, {**kwargs, "stream": True}, is_async=is_async)
        if request is None:
            return None
        usage = self.stream_usage if stream_usage is None else stream_usage
        return request, AnthropicGenerations(self, request, stream_usage=usage)

    def _open_stream(
        self,
        input: Any,
        config: RunnableConfig,
        stop: Any,
        kwargs: dict[str, Any],
        *,
        is_async: bool,
        collect_result: bool = False,
    ) -> tuple[AnthropicRequest, AnthropicMessages] | None:
        """Return the source and the processor of a stream; ``None`` if it needs LangChain.

        The steps are those of LangChain's ``stream``, without those that are for handlers.
        """
        if self.output_version == "v1" or not self._should_stream(async_api=is_async, **{**kwargs, "stream": True}):
            return None
        messages = _normalize_messages(self._convert_input(input).to_messages())
        kwargs = {**kwargs, "stream": True}
        # These are for tracing alone.
        _ = kwargs.pop("ls_structured_output_format", None) or kwargs.pop("structured_output_format", None)
        usage = kwargs.pop("stream_usage", None)
        request = build_request(self, messages, stop, kwargs, is_async=is_async)
        if request is None:
            return None
        request.limiter = self.rate_limiter
        id = f"lc_run--{config.get('run_id') or uuid7()}"
        usage = self.stream_usage if usage is None else usage
        return request, AnthropicMessages(self, request, id, stream_usage=usage, collect_result=collect_result)

    def _token_info(self, chunk: ChatGenerationChunk) -> dict[str, Any]:
        return {"chunk": chunk}

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

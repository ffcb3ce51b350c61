"""``ChatOpenAI`` and ``AzureChatOpenAI``: langchain-openai's chat models, whose streams this package reads.

Arguments, messages, tools, structured output, callbacks, caches and serialisation are LangChain's, by
inheritance. Replaced is the path from the parameters of a request to its chunks or its result: the OpenAI SDK's
client builds the request, our transport sends it, and our decoder reads the response. Where nobody listens,
``stream`` and ``astream`` do without LangChain's machinery as well.

langchain-openai keeps the calls that are not replaced: the Responses API, ``response_format``, clients that are
not the SDK's own (see :func:`~millstream.integrations._openai_client.find_obstacle`), and models of a user's
subclass that overrides how chunks are made.
"""

from __future__ import annotations

from collections.abc import AsyncGenerator, AsyncIterator, Generator, Iterator
from contextlib import closing
from typing import TYPE_CHECKING, Any

import langchain_openai
from langchain_core.language_models._utils import _normalize_messages
from langchain_core.messages import BaseMessage
from langchain_core.outputs import ChatGenerationChunk, ChatResult
from langchain_core.runnables.config import RunnableConfig, ensure_config
from langchain_core.utils.uuid import uuid7
from langchain_openai.chat_models.base import BaseChatOpenAI, _add_gateway_metadata

from ...streaming.drive import adrive, drive
from ...streaming.inputs import NestedIterator
from .chat_requests import ModelRequest, build_stream_request, build_whole_request
from .chat_stream import DecodedGenerations, DecodedMessages
from .model_events import VERSION, begin_events
from .unobserved import AsyncDeferredStream, DeferredStream, is_observed

if TYPE_CHECKING:
    _Base = BaseChatOpenAI
else:
    _Base = object

__all__ = ("AzureChatOpenAI", "ChatOpenAI")


class _ChatStreams(_Base):
    """Replaces how a chat model of langchain-openai sends requests and reads responses."""

    # Streams for LangChain's machinery.

    def _stream(
        self, messages: list[BaseMessage], stop: list[str] | None = None, run_manager: Any = None, **kwargs: Any
    ) -> Iterator[ChatGenerationChunk]:
        request = build_stream_request(self, self.client, messages, stop, kwargs)
        if request is None:
            return super()._stream(messages, stop=stop, run_manager=run_manager, **kwargs)
        chunks = drive(request, DecodedGenerations(self, request))
        return chunks if run_manager is None else _notify(chunks, run_manager)

    def _astream(
        self, messages: list[BaseMessage], stop: list[str] | None = None, run_manager: Any = None, **kwargs: Any
    ) -> AsyncIterator[ChatGenerationChunk]:
        request = build_stream_request(self, self.async_client, messages, stop, kwargs)
        if request is None:
            return super()._astream(messages, stop=stop, run_manager=run_manager, **kwargs)
        chunks = adrive(request, DecodedGenerations(self, request))
        return chunks if run_manager is None else _anotify(chunks, run_manager)

    # Streams for users.

    def stream(
        self, input: Any, config: RunnableConfig | None = None, *, stop: list[str] | None = None, **kwargs: Any
    ) -> DeferredStream:
        """Stream the answer, as LangChain's ``stream`` does; the stream can be closed, and is a context manager."""
        return DeferredStream(lambda: self._begin_stream(input, config, stop, kwargs))

    def astream(
        self, input: Any, config: RunnableConfig | None = None, *, stop: list[str] | None = None, **kwargs: Any
    ) -> AsyncDeferredStream:
        """:meth:`stream` for async code."""
        return AsyncDeferredStream(lambda: self._begin_astream(input, config, stop, kwargs))

    def _begin_stream(self, input: Any, config: Any, stop: Any, kwargs: dict[str, Any]) -> Generator[Any, None, None]:
        if type(self)._stream is _ChatStreams._stream:
            begun = self._begin_unobserved(self.client, input, config, stop, kwargs, is_async=False)
            if begun is not None:
                return drive(*begun)
        return super().stream(input, config, stop=stop, **kwargs)  # type: ignore[return-value]

    def _begin_astream(self, input: Any, config: Any, stop: Any, kwargs: dict[str, Any]) -> AsyncGenerator[Any, None]:
        if type(self)._astream is _ChatStreams._astream:
            begun = self._begin_unobserved(self.async_client, input, config, stop, kwargs, is_async=True)
            if begun is not None:
                return adrive(*begun)
        return super().astream(input, config, stop=stop, **kwargs)  # type: ignore[return-value]

    def _begin_unobserved(
        self, resource: Any, input: Any, config: Any, stop: Any, kwargs: dict[str, Any], *, is_async: bool
    ) -> tuple[ModelRequest, DecodedMessages] | None:
        """Return the source and the processor of a stream to which nobody listens; ``None`` if it needs LangChain."""
        config = ensure_config(config)
        if is_observed(config, self.callbacks, self.verbose):
            return None
        return self._open_stream(resource, input, config.get("run_id"), stop, kwargs, is_async=is_async)

    def _open_stream(
        self,
        resource: Any,
        input: Any,
        run_id: Any,
        stop: Any,
        kwargs: dict[str, Any],
        *,
        is_async: bool,
        collect_result: bool = False,
    ) -> tuple[ModelRequest, DecodedMessages] | None:
        """Return the source and the processor of a stream; ``None`` if it needs LangChain.

        The steps are those of LangChain's ``stream``, without those that are for handlers.
        """
        if self.output_version == "v1" or not self._should_stream(async_api=is_async, **{**kwargs, "stream": True}):
            return None
        messages = _normalize_messages(self._convert_input(input).to_messages())
        kwargs = {**kwargs}
        # These are for tracing alone.
        _ = kwargs.pop("ls_structured_output_format", None) or kwargs.pop("structured_output_format", None)
        request = build_stream_request(self, resource, messages, stop, kwargs)
        if request is None:
            return None
        request.limiter = self.rate_limiter
        id = f"lc_run--{run_id or uuid7()}"
        return request, DecodedMessages(self, request, id, collect_result=collect_result)

    # Event streams for users.

    if not TYPE_CHECKING:  # its types are LangChain's

        def astream_events(
            self, input: Any, config: RunnableConfig | None = None, *, version: str = VERSION, **kwargs: Any
        ) -> Any:
            """Stream the events of a run, as LangChain's ``astream_events`` does; the stream can be closed."""
            if version != VERSION:
                return super().astream_events(input, config, version=version, **kwargs)
            return AsyncDeferredStream(lambda: self._begin_events(input, config, kwargs))

    def _begin_events(self, input: Any, config: Any, kwargs: dict[str, Any]) -> Any:
        def open_stream(run_id: Any, stop: Any, options: dict[str, Any]) -> Any:
            client = self.async_client
            return self._open_stream(client, input, run_id, stop, options, is_async=True, collect_result=True)

        if type(self)._astream is _ChatStreams._astream and type(self).astream is _ChatStreams.astream:
            events = begin_events(self, "chat_model", input, config, kwargs, open_stream)
            if events is not None:
                return events
        return super().astream_events(input, config, version="v2", **kwargs)

    # Whole responses.

    def _generate(
        self, messages: list[BaseMessage], stop: list[str] | None = None, run_manager: Any = None, **kwargs: Any
    ) -> ChatResult:
        request = build_whole_request(self, self.client, messages, stop, kwargs)
        if request is None:
            return super()._generate(messages, stop=stop, run_manager=run_manager, **kwargs)
        return self._create_result(request.read_raw())

    async def _agenerate(
        self, messages: list[BaseMessage], stop: list[str] | None = None, run_manager: Any = None, **kwargs: Any
    ) -> ChatResult:
        request = build_whole_request(self, self.async_client, messages, stop, kwargs)
        if request is None:
            return await super()._agenerate(messages, stop=stop, run_manager=run_manager, **kwargs)
        return self._create_result(await request.aread_raw())

    def _create_result(self, raw: Any) -> ChatResult:
        """Return the result of ``raw``, a raw response of the SDK, as langchain-openai does."""
        try:
            response = raw.parse()
        except Exception as error:
            error.response = raw.http_response  # type: ignore[attr-defined]
            raise
        info = {"headers": dict(raw.headers)} if self.include_response_headers else {}
        _add_gateway_metadata(info, raw)
        return self._create_chat_result(response, info)


class ChatOpenAI(_ChatStreams, langchain_openai.ChatOpenAI):
    """langchain-openai's ``ChatOpenAI`` with this package's streams: the same arguments, messages and exceptions."""


class AzureChatOpenAI(_ChatStreams, langchain_openai.AzureChatOpenAI):
    """langchain-openai's ``AzureChatOpenAI`` with this package's streams."""


def _notify(
    chunks: Generator[ChatGenerationChunk, None, None], run_manager: Any
) -> Generator[ChatGenerationChunk, None, None]:
    """Yield ``chunks``, and notify the run manager of each one."""
    with closing(chunks):
        for chunk in chunks:
            run_manager.on_llm_new_token(chunk.text, **_token_info(chunk))
            yield chunk


async def _anotify(
    chunks: AsyncGenerator[ChatGenerationChunk, None], run_manager: Any
) -> AsyncGenerator[ChatGenerationChunk, None]:
    """:func:`_notify` for async code."""
    async with NestedIterator(chunks) as nested:
        async for chunk in nested:
            await run_manager.on_llm_new_token(chunk.text, **_token_info(chunk))
            yield chunk


def _token_info(chunk: ChatGenerationChunk) -> dict[str, Any]:
    return {"chunk": chunk, "logprobs": (chunk.generation_info or {}).get("logprobs")}

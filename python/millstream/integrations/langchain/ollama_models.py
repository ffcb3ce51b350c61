"""``ChatOllama``: langchain-ollama's chat model, whose streams this package reads.

Arguments, messages, tools, structured output, callbacks, caches and serialisation are LangChain's, by inheritance.
Replaced is the path from the parameters of a request to its chunks: the Ollama SDK's client builds the request, our
transport sends it, and our decoder reads the response. See ``chat_models`` for OpenAI's.

langchain-ollama keeps the calls of clients that are not the SDK's own, and those of a user's subclass that overrides
how requests or chunks are made.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator
from typing import TYPE_CHECKING, Any

import langchain_ollama
from langchain_core.language_models._utils import _normalize_messages
from langchain_core.messages import AIMessageChunk, BaseMessage
from langchain_core.outputs import ChatGenerationChunk
from langchain_core.utils.uuid import uuid7

from ...streaming.drive import adrive, drive
from .model_streams import ModelStreams
from .ollama_requests import OllamaRequest, build_request
from .ollama_stream import OllamaGenerations, OllamaMessages

if TYPE_CHECKING:
    from langchain_core.language_models.base import LangSmithParams
    from langchain_core.runnables import RunnableConfig

__all__ = ("ChatOllama",)


class ChatOllama(ModelStreams[AIMessageChunk], langchain_ollama.ChatOllama):
    """langchain-ollama's ``ChatOllama`` with this package's streams: the same arguments, messages and exceptions.

    Streams can be closed, and are context managers. ::

        model = ChatOllama(model="llama3.2")
        with model.stream("Write me a 1 verse song about sparkling water.") as chunks:
            for chunk in chunks:
                print(chunk.content, end="|", flush=True)

    Raises :class:`ollama.ResponseError` and httpx's exceptions, with ours as a cause:
    :class:`httpx.RemoteProtocolError` for a stream that ends early.
    """

    _run_type = "chat_model"

    def _get_ls_params(self, stop: list[str] | None = None, **kwargs: Any) -> LangSmithParams:
        """Return the parameters for tracing. They name the model of the call, as LangChain's standard tests require."""
        params = super()._get_ls_params(stop=stop, **kwargs)
        if (model := kwargs.get("model")) is not None:
            params["ls_model_name"] = model
        return params

    # Streams for LangChain's machinery. langchain-ollama's `_generate` merges the chunks of the second pair.

    def _stream(
        self, messages: list[BaseMessage], stop: list[str] | None = None, run_manager: Any = None, **kwargs: Any
    ) -> Iterator[ChatGenerationChunk]:
        request = build_request(self, messages, stop, kwargs, is_async=False)
        if request is None:
            return super()._stream(messages, stop, run_manager, **kwargs)
        chunks = drive(request, OllamaGenerations(request))
        return chunks if run_manager is None else self._notify(chunks, run_manager)

    def _astream(
        self, messages: list[BaseMessage], stop: list[str] | None = None, run_manager: Any = None, **kwargs: Any
    ) -> AsyncIterator[ChatGenerationChunk]:
        request = build_request(self, messages, stop, kwargs, is_async=True)
        if request is None:
            return super()._astream(messages, stop, run_manager, **kwargs)
        chunks = adrive(request, OllamaGenerations(request))
        return chunks if run_manager is None else self._anotify(chunks, run_manager)

    def _iterate_over_stream(
        self, messages: list[BaseMessage], stop: list[str] | None = None, **kwargs: Any
    ) -> Iterator[ChatGenerationChunk]:
        request = build_request(self, messages, stop, kwargs, is_async=False)
        if request is None:
            return super()._iterate_over_stream(messages, stop, **kwargs)
        return drive(request, OllamaGenerations(request))

    def _aiterate_over_stream(
        self, messages: list[BaseMessage], stop: list[str] | None = None, **kwargs: Any
    ) -> AsyncIterator[ChatGenerationChunk]:
        request = build_request(self, messages, stop, kwargs, is_async=True)
        if request is None:
            return super()._aiterate_over_stream(messages, stop, **kwargs)
        return adrive(request, OllamaGenerations(request))

    def _open_stream(
        self,
        input: Any,
        config: RunnableConfig,
        stop: Any,
        kwargs: dict[str, Any],
        *,
        is_async: bool,
        collect_result: bool = False,
    ) -> tuple[OllamaRequest, OllamaMessages] | None:
        """Return the source and the processor of a stream; ``None`` if it needs LangChain.

        The steps are those of LangChain's ``stream``, without those that are for handlers.
        """
        if self.output_version == "v1" or not self._should_stream(async_api=is_async, **{**kwargs, "stream": True}):
            return None
        messages = _normalize_messages(self._convert_input(input).to_messages())
        kwargs = {**kwargs}
        # These are for tracing alone.
        _ = kwargs.pop("ls_structured_output_format", None) or kwargs.pop("structured_output_format", None)
        request = build_request(self, messages, stop, kwargs, is_async=is_async)
        if request is None:
            return None
        request.limiter = self.rate_limiter
        return request, OllamaMessages(
            request, f"lc_run--{config.get('run_id') or uuid7()}", collect_result=collect_result
        )

    def _token_info(self, chunk: ChatGenerationChunk) -> dict[str, Any]:
        return {"verbose": self.verbose}

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
from langchain_core.messages import BaseMessage
from langchain_core.outputs import ChatGenerationChunk

from ...streaming.drive import adrive, drive
from .chat_model_streams import ChatModelStreams
from .ollama_requests import OllamaRequest, build_request
from .ollama_stream import OllamaGenerations, OllamaMessages

if TYPE_CHECKING:
    from langchain_core.language_models.base import LangSmithParams

__all__ = ("ChatOllama",)


class ChatOllama(ChatModelStreams, langchain_ollama.ChatOllama):
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

    # Requests and responses.

    def _build_stream_request(
        self, messages: list[BaseMessage], stop: list[str] | None, kwargs: dict[str, Any], *, is_async: bool
    ) -> OllamaRequest | None:
        return build_request(self, messages, stop, kwargs, is_async=is_async)

    def _read_generations(self, request: OllamaRequest) -> OllamaGenerations:
        return OllamaGenerations(request)

    def _read_messages(self, request: OllamaRequest, id: str, *, collect_result: bool) -> OllamaMessages:
        return OllamaMessages(request, id, collect_result=collect_result)

    def _token_info(self, chunk: ChatGenerationChunk) -> dict[str, Any]:
        return {"verbose": self.verbose}

    # The chunks that langchain-ollama's `_generate` merges.

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

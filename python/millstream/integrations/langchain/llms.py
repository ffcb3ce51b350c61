"""``OpenAI`` and ``AzureOpenAI``: langchain-openai's completion models, whose streams this package reads.

Arguments, callbacks, caches and serialisation are LangChain's, by inheritance. Replaced is the path from the
parameters of a request to its chunks or its result: the OpenAI SDK's client builds the request, our transport sends
it, and our decoder reads the response. Where no handler is configured, ``stream`` and ``astream`` do without
LangChain's machinery as well.

langchain-openai keeps the calls of clients that are not the SDK's own, see
:func:`~millstream.integrations._sdk_calls.find_obstacle`.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator
from typing import TYPE_CHECKING, Any, Self

import langchain_openai
from langchain_core.outputs import GenerationChunk, LLMResult
from langchain_openai.llms.base import BaseOpenAI
from pydantic import model_validator

from ...streaming.drive import adrive, drive
from .._sdk_calls import has_obstacle
from .completion_requests import AsyncCompletions, CompletionRequest, Completions
from .completion_stream import CompletionChunks, CompletionTexts
from .default_clients import share_tls
from .model_streams import ModelStreams

if TYPE_CHECKING:
    from langchain_core.runnables import RunnableConfig

    _Base = BaseOpenAI
else:
    _Base = object

__all__ = ("AzureOpenAI", "OpenAI")


class _CompletionStreams(ModelStreams[str], _Base):
    """Replaces how a completion model of langchain-openai sends requests and reads responses."""

    _run_type = "llm"

    # Streams.

    def _stream(
        self, prompt: str, stop: list[str] | None = None, run_manager: Any = None, **kwargs: Any
    ) -> Iterator[GenerationChunk]:
        request = self._make_request(self.client, prompt, stop, kwargs)
        if request is None:
            return super()._stream(prompt, stop, run_manager, **kwargs)
        chunks = drive(request, CompletionChunks(request))
        return chunks if run_manager is None else self._notify(chunks, run_manager)

    def _astream(
        self, prompt: str, stop: list[str] | None = None, run_manager: Any = None, **kwargs: Any
    ) -> AsyncIterator[GenerationChunk]:
        request = self._make_request(self.async_client, prompt, stop, kwargs)
        if request is None:
            return super()._astream(prompt, stop, run_manager, **kwargs)
        chunks = adrive(request, CompletionChunks(request))
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
    ) -> tuple[CompletionRequest, CompletionTexts] | None:
        """Return the source and the processor of a stream of texts; ``None`` if it needs LangChain."""
        resource = self.async_client if is_async else self.client
        request = self._make_request(resource, self._convert_input(input).to_string(), stop, kwargs)
        return None if request is None else (request, CompletionTexts(request, collect_result=collect_result))

    def _token_info(self, chunk: GenerationChunk) -> dict[str, Any]:
        info = chunk.generation_info
        return {"chunk": chunk, "verbose": self.verbose, "logprobs": info["logprobs"] if info else None}

    # Whole responses.

    def _generate(
        self, prompts: list[str], stop: list[str] | None = None, run_manager: Any = None, **kwargs: Any
    ) -> LLMResult:
        if self.streaming:
            return super()._generate(prompts, stop, run_manager, **kwargs)
        twin = self.model_copy(update={"client": Completions(self.client)})
        return super(_CompletionStreams, twin)._generate(prompts, stop, run_manager, **kwargs)

    async def _agenerate(
        self, prompts: list[str], stop: list[str] | None = None, run_manager: Any = None, **kwargs: Any
    ) -> LLMResult:
        if self.streaming:
            return await super()._agenerate(prompts, stop, run_manager, **kwargs)
        twin = self.model_copy(update={"async_client": AsyncCompletions(self.async_client)})
        return await super(_CompletionStreams, twin)._agenerate(prompts, stop, run_manager, **kwargs)

    def _make_request(
        self, resource: Any, prompt: str, stop: list[str] | None, kwargs: dict[str, Any]
    ) -> CompletionRequest | None:
        """Return the request of a stream, with langchain-openai's parameters; ``None`` if the SDK has to send it."""
        if has_obstacle(resource):
            return None
        params = {**self._invocation_params, **kwargs, "stream": True}
        self.get_sub_prompts(params, [prompt], stop)
        return CompletionRequest(resource, dict(prompt=prompt, **params))


class OpenAI(_CompletionStreams, langchain_openai.OpenAI):
    """langchain-openai's ``OpenAI`` with this package's streams: the same arguments, texts and exceptions."""

    @model_validator(mode="after")
    def validate_environment(self) -> Self:
        """Make the clients of the SDK."""
        with share_tls(self):
            validated: Self = super().validate_environment()  # type: ignore[operator]
        return validated


class AzureOpenAI(_CompletionStreams, langchain_openai.AzureOpenAI):
    """langchain-openai's ``AzureOpenAI`` with this package's streams."""

    @model_validator(mode="after")
    def validate_environment(self) -> Self:
        """Make the clients of the SDK."""
        with share_tls(self):
            validated: Self = super().validate_environment()  # type: ignore[operator]
        return validated

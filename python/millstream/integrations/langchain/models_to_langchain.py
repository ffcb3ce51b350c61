"""``MillstreamChatModel`` and ``MillstreamLLM``: models of Millstream's as LangChain's.

LangChain's machinery runs them, so that callbacks, caches, rate limiters and agents see a model of LangChain's. A
stream to which no handler is listening is read without that machinery.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator, Mapping, Sequence
from typing import Any, ClassVar

from langchain_core.language_models import BaseChatModel, BaseLLM
from langchain_core.messages import AIMessageChunk, BaseMessage
from langchain_core.outputs import ChatGenerationChunk, ChatResult, GenerationChunk, LLMResult
from langchain_core.runnables import Runnable, RunnableBinding, RunnableConfig
from langchain_core.runnables.config import ensure_config
from pydantic import model_validator

from ...callbacks.values_from_langchain import from_langchain
from ...callbacks.values_to_langchain import to_langchain
from ...language_models.chat_calls import disables_streaming
from ...language_models.model_type import ModelCall
from ...language_models.streams import chunk_stream
from ...runnables.binding import RunnableBinding as OurBinding
from ...runnables.foreign import aconvert_items, convert_items
from .converted_chunks import ConvertedChunks
from .model_calls import ModelCalls, run_from_langchain
from .model_fields import ConvertedRateLimiter, read_fields
from .model_streams import ModelStreams
from .runnable_to_langchain import MillstreamRunnable, Named
from .unobserved import AsyncDeferredStream, DeferredStream, Opened, is_observed

__all__ = ("MillstreamBinding", "MillstreamChatModel", "MillstreamLLM")


class _MillstreamModel(Named):
    """What LangChain's models around Millstream's have in common."""

    runnable: Any

    @property
    def _llm_type(self) -> str:
        kind: str = self.runnable._llm_type
        return kind

    @property
    def _identifying_params(self) -> Mapping[str, Any]:
        params: Mapping[str, Any] = self.runnable._identifying_params
        return params

    @property
    def _serialized(self) -> dict[str, Any]:
        serialized: dict[str, Any] = self.runnable._serialized
        return serialized

    def _get_ls_params(self, stop: list[str] | None = None, **kwargs: Any) -> Any:
        return self.runnable._get_ls_params(stop=stop, **kwargs)

    def get_num_tokens(self, text: str) -> int:
        """Return the number of tokens of a text."""
        count: int = self.runnable.get_num_tokens(text)
        return count

    def get_num_tokens_from_messages(self, messages: list[BaseMessage], tools: Sequence[Any] | None = None) -> int:
        """Return the number of tokens of messages."""
        count: int = self.runnable.get_num_tokens_from_messages(from_langchain(messages), tools)
        return count


class MillstreamChatModel(ModelStreams[AIMessageChunk], _MillstreamModel, BaseChatModel):
    """A chat model of Millstream's as LangChain's; :func:`~millstream.integrations.langchain.to_langchain` makes it."""

    runnable: Any
    streaming: bool = False

    _run_type: ClassVar[str] = "chat_model"

    @model_validator(mode="before")
    @classmethod
    def _take_fields(cls, values: Any) -> Any:
        """Read the fields that are not passed from Millstream's model."""
        model = values["runnable"]
        limiter, profile = model.rate_limiter, model.profile
        fields = {
            **read_fields(model),
            "rate_limiter": limiter and ConvertedRateLimiter(limiter),
            "disable_streaming": model.disable_streaming,
            "output_version": model.output_version,
            "profile": profile and dict(profile),
        }
        if "streaming" in model._fields_set and model.streaming is not None:
            fields["streaming"] = model.streaming
        return {**{name: value for name, value in fields.items() if value is not None}, **values}

    def _get_invocation_params(self, stop: list[str] | None = None, **kwargs: Any) -> dict[str, Any]:
        params: dict[str, Any] = self.runnable._get_invocation_params(stop=stop, **kwargs)
        return params

    def _combine_llm_outputs(self, llm_outputs: list[dict[str, Any] | None], /) -> dict[str, Any]:
        combined: dict[str, Any] = self.runnable._combine_llm_outputs(llm_outputs)
        return combined

    # The methods that LangChain's machinery calls.

    def _generate(
        self, messages: list[BaseMessage], stop: list[str] | None = None, run_manager: Any = None, **kwargs: Any
    ) -> ChatResult:
        call = ModelCalls(self.runnable, run_from_langchain(run_manager))
        return to_langchain(call.generate(from_langchain(messages), stop, kwargs))  # type: ignore[no-any-return]

    async def _agenerate(
        self, messages: list[BaseMessage], stop: list[str] | None = None, run_manager: Any = None, **kwargs: Any
    ) -> ChatResult:
        call = ModelCalls(self.runnable, run_from_langchain(run_manager))
        return to_langchain(await call.agenerate(from_langchain(messages), stop, kwargs))  # type: ignore[no-any-return]

    def _stream(
        self, messages: list[BaseMessage], stop: list[str] | None = None, run_manager: Any = None, **kwargs: Any
    ) -> Iterator[ChatGenerationChunk]:
        chunks = self.runnable._stream(from_langchain(messages), stop=stop, **kwargs)
        return convert_items(iter(chunks), to_langchain)

    def _astream(
        self, messages: list[BaseMessage], stop: list[str] | None = None, run_manager: Any = None, **kwargs: Any
    ) -> AsyncIterator[ChatGenerationChunk]:
        chunks = self.runnable._astream(from_langchain(messages), stop=stop, **kwargs)
        return aconvert_items(aiter(chunks), to_langchain)

    def _should_stream(self, *, async_api: bool, run_manager: Any = None, **kwargs: Any) -> bool:
        model = self.runnable
        if not model._model_type.can_stream(model, for_async=async_api) or disables_streaming(model, kwargs):
            return False
        return super()._should_stream(async_api=async_api, run_manager=run_manager, **kwargs)

    # A stream without handlers.

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
        """Return the source and the processor of a stream of a model as it was converted.

        Events are made of the chunks of a connection of Millstream's alone.
        """
        if not self._streams_as_converted(kwargs, for_async=is_async):
            return None
        model, messages = self.runnable, from_langchain(input)
        if collect_result:
            call = ModelCall(model._model_type.prompt(messages), stop, kwargs)
            if not model._streams_natively(call, for_async=is_async):
                return None
            source, chunks = model._native_stream(call, collect_result=True, run_id=config.get("run_id"))
        else:
            alone = without_callbacks(config)
            source, chunks = chunk_stream(model, messages, alone, stop, kwargs, for_async=is_async)
        return source, ConvertedChunks(chunks)

    def _streams_as_converted(self, kwargs: dict[str, Any], *, for_async: bool) -> bool:
        """Return whether a call streams, with nothing in between that LangChain or a user's subclass would do."""
        cls, own = type(self), MillstreamChatModel
        if cls._stream is not own._stream or cls._astream is not own._astream:
            return False
        if self.rate_limiter is not None or self.output_version == "v1":
            return False
        return self._should_stream(async_api=for_async, **{**kwargs, "stream": True})

    # Tools and schemas: Millstream's model makes the arguments.

    def bind_tools(self, tools: Sequence[Any], *, tool_choice: Any = None, **kwargs: Any) -> Runnable[Any, Any]:
        """Return this model with tools, of LangChain's or of Millstream's, that it may call."""
        made = self.runnable.bind_tools(tools, tool_choice=tool_choice, **kwargs)
        if type(made) is OurBinding and made.bound is self.runnable and not made.config_factories:
            bound = self.bind(**made.kwargs)
            return bound.with_config(made.config) if made.config else bound
        return MillstreamRunnable(made)

    def with_structured_output(self, schema: Any = None, **kwargs: Any) -> Runnable[Any, Any]:
        """Return a Runnable whose output fits ``schema``, by the means of Millstream's model."""
        return MillstreamRunnable(self.runnable.with_structured_output(schema, **kwargs))


class MillstreamLLM(_MillstreamModel, BaseLLM):
    """A completion model of Millstream's as LangChain's; ``to_langchain`` makes it."""

    runnable: Any

    @model_validator(mode="before")
    @classmethod
    def _take_fields(cls, values: Any) -> Any:
        """Read the fields that are not passed from Millstream's model."""
        fields = read_fields(values["runnable"])
        return {**{name: value for name, value in fields.items() if value is not None}, **values}

    def _generate(
        self, prompts: list[str], stop: list[str] | None = None, run_manager: Any = None, **kwargs: Any
    ) -> LLMResult:
        call = ModelCalls(self.runnable, run_from_langchain(run_manager))
        return to_langchain(call.generate(prompts, stop, kwargs))  # type: ignore[no-any-return]

    async def _agenerate(
        self, prompts: list[str], stop: list[str] | None = None, run_manager: Any = None, **kwargs: Any
    ) -> LLMResult:
        call = ModelCalls(self.runnable, run_from_langchain(run_manager))
        return to_langchain(await call.agenerate(prompts, stop, kwargs))  # type: ignore[no-any-return]

    def _stream(
        self, prompt: str, stop: list[str] | None = None, run_manager: Any = None, **kwargs: Any
    ) -> Iterator[GenerationChunk]:
        chunks = self.runnable._stream(prompt, stop=stop, run_manager=run_from_langchain(run_manager), **kwargs)
        return convert_items(iter(chunks), to_langchain)

    def _astream(
        self, prompt: str, stop: list[str] | None = None, run_manager: Any = None, **kwargs: Any
    ) -> AsyncIterator[GenerationChunk]:
        chunks = self.runnable._astream(prompt, stop=stop, run_manager=run_from_langchain(run_manager), **kwargs)
        return aconvert_items(aiter(chunks), to_langchain)

    def stream(
        self, input: Any, config: RunnableConfig | None = None, *, stop: list[str] | None = None, **kwargs: Any
    ) -> Iterator[str]:
        """Stream the text of the answer to one input."""
        return DeferredStream(lambda: self._begin(input, config, stop, kwargs))

    def _begin(self, input: Any, config: Any, stop: list[str] | None, kwargs: dict[str, Any]) -> Any:
        if not self._streams(for_async=False):
            return iter_whole(self, input, config, stop, kwargs)
        if self._is_unobserved(config):
            return iter(self.runnable.stream(from_langchain(input), without_callbacks(config), stop=stop, **kwargs))
        return super().stream(input, config, stop=stop, **kwargs)

    def astream(
        self, input: Any, config: RunnableConfig | None = None, *, stop: list[str] | None = None, **kwargs: Any
    ) -> AsyncIterator[str]:
        """Stream the text of the answer to one input."""
        return AsyncDeferredStream(lambda: self._abegin(input, config, stop, kwargs))

    def _abegin(self, input: Any, config: Any, stop: list[str] | None, kwargs: dict[str, Any]) -> Any:
        if not self._streams(for_async=True):
            return aiter_whole(self, input, config, stop, kwargs)
        if self._is_unobserved(config):
            return aiter(self.runnable.astream(from_langchain(input), without_callbacks(config), stop=stop, **kwargs))
        return super().astream(input, config, stop=stop, **kwargs)

    def _streams(self, *, for_async: bool) -> bool:
        streams: bool = self.runnable._model_type.streams(self.runnable, {}, for_async=for_async)
        return streams

    def _is_unobserved(self, config: Any) -> bool:
        is_plain = type(self)._stream is MillstreamLLM._stream and type(self)._astream is MillstreamLLM._astream
        return is_plain and not is_observed(ensure_config(config), self.callbacks, self.verbose)


class MillstreamBinding(RunnableBinding[Any, Any]):
    """A model of Millstream's with arguments, tools for example, as LangChain's binding of the converted model.

    Agents look for the model inside it. ``runnable`` is Millstream's binding, ``None`` once LangChain has added to it.
    """

    runnable: Any = None


def without_callbacks(config: Any) -> Any:
    """Return the configuration of a run of which no handler is notified."""
    return {**(config or {}), "callbacks": None}


def iter_whole(model: Any, input: Any, config: Any, stop: list[str] | None, kwargs: dict[str, Any]) -> Iterator[str]:
    """Yield the whole answer of a model that does not stream, as LangChain does."""
    yield model.invoke(input, config=config, stop=stop, **kwargs)


async def aiter_whole(
    model: Any, input: Any, config: Any, stop: list[str] | None, kwargs: dict[str, Any]
) -> AsyncIterator[str]:
    """Yield the whole answer of a model that does not stream, as LangChain does."""
    yield await model.ainvoke(input, config=config, stop=stop, **kwargs)

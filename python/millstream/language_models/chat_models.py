"""``BaseChatModel``: the base class of models that accept messages and return a message."""

from __future__ import annotations

import os
from abc import abstractmethod
from collections.abc import AsyncIterator, Iterator, Sequence
from contextlib import suppress
from typing import TYPE_CHECKING, Any, ClassVar, Literal, overload
from uuid import UUID

from .._context import run_in_executor
from .._fields import field
from .._late import lazy_names
from ..messages.ai import AIMessage
from ..outputs import LLMResult
from ..outputs.chat_generation import ChatGeneration, ChatGenerationChunk, ChatResult
from ..runnables.runnable import Runnable
from ..streaming.workers import iterate_in_thread
from .base import BaseLanguageModel
from .chat_type import ChatModelType
from .generate import GenerateCall, RunArgs
from .model_type import get_sync_manager
from .prompt_text import LanguageModelInput

if TYPE_CHECKING:
    from ..events import EventFilter, StreamEvent
    from ..events.protocol.message_streams import AsyncChatModelStream, ChatModelStream, PendingStream
    from ..events.schema import EventVersion
    from ..messages.ai import AIMessageChunk
    from ..messages.base import BaseMessage
    from ..runnables.config import RunnableConfig
    from ..streaming.protocols import Source
    from ..streaming.stream import AsyncStream, Stream
    from .from_stream import agenerate_from_stream, generate_from_stream
    from .interfaces import LangSmithParams
    from .model_profile import ModelProfile
    from .model_type import ModelCall
    from .schemas import Schema, SchemaClass, StructuredAnswer, Tool

__all__ = (
    "BaseChatModel",
    "LangSmithParams",
    "LanguageModelInput",
    "ModelProfile",
    "SimpleChatModel",
    "agenerate_from_stream",
    "generate_from_stream",
)

# LangChain's path for them, which models of users import.
__getattr__ = lazy_names(
    globals(),
    {
        "LangSmithParams": "millstream.language_models.interfaces",
        "_generate_response_from_error": "millstream.language_models.error_response",
        "ModelProfile": "millstream.language_models.model_profile",
        "agenerate_from_stream": "millstream.language_models.from_stream",
        "generate_from_stream": "millstream.language_models.from_stream",
    },
)


class BaseChatModel(BaseLanguageModel[AIMessage]):
    """The base class of models that accept messages and return a message.

    A subclass implements ``_generate`` and ``_llm_type``. It streams if it also implements ``_stream`` or
    ``_astream``, which yield :class:`~millstream.outputs.ChatGenerationChunk`. Its annotated fields are
    keyword arguments of its constructor. The base class notifies handlers of the chunks, so the subclass's
    methods need not. ::

        class Parrot(BaseChatModel):
            def _generate(self, messages, stop=None, run_manager=None, **kwargs):
                return ChatResult([ChatGeneration(AIMessage(messages[-1].content))])

            @property
            def _llm_type(self):
                return "parrot"

    With ``disable_streaming``, a stream yields one whole message (``"tool_calling"``: only in calls with
    tools). With ``output_version="v1"``, which ``LC_OUTPUT_VERSION`` in the environment also asks for, the
    content of answers is standard blocks. ``rate_limiter.acquire`` is called before each request. A message
    without an id gets one made of the run's id.
    """

    _output_versions: ClassVar[tuple[str, ...]] = ("v0", "v1")

    rate_limiter: Any = None
    disable_streaming: Any = False
    output_version: str | None = None
    profile: Any = field(default=None, repr=False)

    def __post_init__(self) -> None:
        """Raise :class:`ValueError` for an unknown ``disable_streaming`` or ``output_version``."""
        super().__post_init__()
        if not isinstance(self.disable_streaming, bool) and self.disable_streaming != "tool_calling":
            raise ValueError(f"disable_streaming must be True, False or 'tool_calling', not {self.disable_streaming!r}")
        if self.output_version is None:
            self.output_version = os.environ.get("LC_OUTPUT_VERSION")
        if self.output_version is not None and self.output_version not in self._output_versions:
            known = ", ".join(map(repr, self._output_versions))
            raise ValueError(f"output_version must be {known} or None, not {self.output_version!r}")
        if self.profile is None:
            # A profile is optional: a missing file is no reason to fail.
            with suppress(Exception):
                self.profile = self._resolve_model_profile()
        if self.profile:
            from .model_profile import _warn_unknown_profile_keys

            _warn_unknown_profile_keys(self.profile)

    def _resolve_model_profile(self) -> ModelProfile | None:
        """Return the profile of a model whose constructor received none; models of providers override it."""
        return None

    @property
    def OutputType(self) -> Any:
        """A message."""
        from ..messages.conversion import AnyMessage

        return AnyMessage

    # The methods of a subclass.

    @abstractmethod
    def _generate(
        self,
        messages: list[BaseMessage],
        stop: list[str] | None = None,
        run_manager: Any = None,
        **kwargs: Any,
    ) -> ChatResult:
        """Return the answer to ``messages``."""

    async def _agenerate(
        self,
        messages: list[BaseMessage],
        stop: list[str] | None = None,
        run_manager: Any = None,
        **kwargs: Any,
    ) -> ChatResult:
        """Return the answer to ``messages``; by default ``_generate``, in the loop's executor."""
        return await run_in_executor(None, self._generate, messages, stop, get_sync_manager(run_manager), **kwargs)

    def _stream(
        self,
        messages: list[BaseMessage],
        stop: list[str] | None = None,
        run_manager: Any = None,
        **kwargs: Any,
    ) -> Iterator[ChatGenerationChunk]:
        """Yield the chunks of the answer to ``messages``."""
        raise NotImplementedError

    def _astream(
        self,
        messages: list[BaseMessage],
        stop: list[str] | None = None,
        run_manager: Any = None,
        **kwargs: Any,
    ) -> AsyncIterator[ChatGenerationChunk]:
        """Yield the chunks of the answer; by default those of ``_stream``, from a thread."""
        manager = get_sync_manager(run_manager)
        return iterate_in_thread(lambda: self._stream(messages, stop, manager, **kwargs))

    def _combine_llm_outputs(self, llm_outputs: list[dict[str, Any] | None], /) -> dict[str, Any]:
        """Return the ``llm_output`` of a call with several lists of messages, merged from those of the answers."""
        return {}

    # Calling.

    def generate(
        self,
        messages: list[Any],
        stop: list[str] | None = None,
        callbacks: Any = None,
        *,
        tags: list[str] | list[list[str]] | None = None,
        metadata: dict[str, Any] | list[dict[str, Any]] | None = None,
        run_name: str | list[str] | None = None,
        run_id: UUID | list[UUID | None] | None = None,
        **kwargs: Any,
    ) -> LLMResult:
        """Return the whole result for each of the lists of messages: all choices, usage, details."""
        args = RunArgs(callbacks, tags, metadata, run_name, run_id)
        return GenerateCall(self, self._to_prompts(messages), stop, kwargs, args).run()

    async def agenerate(
        self,
        messages: list[Any],
        stop: list[str] | None = None,
        callbacks: Any = None,
        *,
        tags: list[str] | list[list[str]] | None = None,
        metadata: dict[str, Any] | list[dict[str, Any]] | None = None,
        run_name: str | list[str] | None = None,
        run_id: UUID | list[UUID | None] | None = None,
        **kwargs: Any,
    ) -> LLMResult:
        """Return the whole result for each of the lists of messages, requested concurrently."""
        args = RunArgs(callbacks, tags, metadata, run_name, run_id)
        return await GenerateCall(self, self._to_prompts(messages), stop, kwargs, args).arun()

    def _get_llm_string(self, stop: list[str] | None = None, **kwargs: Any) -> str:
        """Return the part of a cache's key for the model and the parameters of a call."""
        from .caching import params_key

        return params_key({**self._get_invocation_params(stop=stop, **kwargs), **kwargs})

    def _to_prompts(self, messages: Any) -> Any:
        return list(map(self._model_type.prompt, messages)) if isinstance(messages, list) else messages

    if TYPE_CHECKING:

        def stream(
            self,
            input: LanguageModelInput,
            config: RunnableConfig | None = None,
            *,
            stop: list[str] | None = None,
            **kwargs: Any,
        ) -> Stream[AIMessageChunk]:
            """Stream the chunks of the answer to one input."""

        def astream(
            self,
            input: LanguageModelInput,
            config: RunnableConfig | None = None,
            *,
            stop: list[str] | None = None,
            **kwargs: Any,
        ) -> AsyncStream[AIMessageChunk]:
            """Stream the chunks of the answer to one input."""

        @overload
        def stream_events(
            self,
            input: LanguageModelInput,
            config: RunnableConfig | None = None,
            *,
            version: EventVersion = "v2",
            **kwargs: Any,
        ) -> Stream[StreamEvent]: ...
        @overload
        def stream_events(
            self,
            input: LanguageModelInput,
            config: RunnableConfig | None = None,
            *,
            version: Literal["v3"],
            stop: list[str] | None = None,
            **kwargs: Any,
        ) -> ChatModelStream: ...
        def stream_events(self, *args: Any, **kwargs: Any) -> Any:
            """Stream the events of one answer."""

        @overload
        def astream_events(
            self,
            input: LanguageModelInput,
            config: RunnableConfig | None = None,
            *,
            version: EventVersion = "v2",
            **kwargs: Any,
        ) -> AsyncStream[StreamEvent]: ...
        @overload
        def astream_events(
            self,
            input: LanguageModelInput,
            config: RunnableConfig | None = None,
            *,
            version: Literal["v3"],
            stop: list[str] | None = None,
            **kwargs: Any,
        ) -> PendingStream[AsyncChatModelStream]: ...
        def astream_events(self, *args: Any, **kwargs: Any) -> Any:
            """Stream the events of one answer."""

    def _opens_own_stream(self, call: ModelCall, *, for_async: bool) -> bool:
        """Return whether :meth:`_native_stream` may be used where the format of the content makes no difference."""
        return self._streams_natively(call, for_async=for_async)

    def _protocol_events(
        self, input: Any, config: Any, wanted: EventFilter, kwargs: dict[str, Any], *, for_async: bool
    ) -> tuple[Source, Any]:
        from .protocol_run import protocol_events

        if wanted.arguments():
            raise ValueError("include_* and exclude_* choose among the models of a chain: these are one model's events")
        return protocol_events(self, input, config, kwargs, for_async=for_async)

    def _protocol_stream(
        self, input: Any, config: Any, wanted: EventFilter, kwargs: dict[str, Any], *, for_async: bool
    ) -> ChatModelStream | AsyncChatModelStream:
        from ..events.protocol.message_streams import open_message_stream

        source, events = self._protocol_events(input, config, wanted, kwargs, for_async=for_async)
        return open_message_stream(source, events, events.message_id, for_async=for_async)

    # Tools.

    def bind_tools(
        self, tools: Sequence[Tool], *, tool_choice: Any = None, **kwargs: Any
    ) -> Runnable[LanguageModelInput, AIMessage]:
        """Return this model with ``tools`` that it may call; models that support tools override it."""
        raise NotImplementedError

    @overload
    def with_structured_output(
        self, schema: type[SchemaClass], *, include_raw: Literal[False] = False, **kwargs: Any
    ) -> Runnable[LanguageModelInput, SchemaClass]: ...
    @overload
    def with_structured_output(
        self, schema: type[SchemaClass], *, include_raw: Literal[True], **kwargs: Any
    ) -> Runnable[LanguageModelInput, StructuredAnswer[SchemaClass]]: ...
    @overload
    def with_structured_output(
        self, schema: Schema, *, include_raw: Literal[False] = False, **kwargs: Any
    ) -> Runnable[LanguageModelInput, dict[str, Any]]: ...
    @overload
    def with_structured_output(
        self, schema: Schema, *, include_raw: Literal[True], **kwargs: Any
    ) -> Runnable[LanguageModelInput, StructuredAnswer[dict[str, Any]]]: ...
    @overload
    def with_structured_output(
        self, schema: Any, *, include_raw: bool, **kwargs: Any
    ) -> Runnable[LanguageModelInput, Any]: ...
    def with_structured_output(
        self, schema: Any, *, include_raw: bool = False, **kwargs: Any
    ) -> Runnable[LanguageModelInput, Any]:
        """Return a Runnable whose output fits ``schema``, by a tool that the model has to call."""
        from .structured_output import bind_schema_as_tool

        if type(self).bind_tools is BaseChatModel.bind_tools:
            raise NotImplementedError("with_structured_output is not implemented for this model.")
        return bind_schema_as_tool(self.bind_tools, schema, include_raw=include_raw, **kwargs)


BaseChatModel._model_type = ChatModelType(BaseChatModel)


class SimpleChatModel(BaseChatModel):
    """A simple base class for a custom chat model: implement ``_call``, which returns the text, and ``_llm_type``."""

    @abstractmethod
    def _call(
        self,
        messages: list[BaseMessage],
        stop: list[str] | None = None,
        run_manager: Any = None,
        **kwargs: Any,
    ) -> str:
        """Return the text of the answer to ``messages``."""

    def _generate(
        self,
        messages: list[BaseMessage],
        stop: list[str] | None = None,
        run_manager: Any = None,
        **kwargs: Any,
    ) -> ChatResult:
        text = self._call(messages, stop=stop, run_manager=run_manager, **kwargs)
        return ChatResult([ChatGeneration(AIMessage(text))])

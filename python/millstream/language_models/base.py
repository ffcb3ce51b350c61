"""``BaseLanguageModel``: the fields, streams and metadata of all models."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any, ClassVar, Literal, TypeVar

from .._context import settings
from .._late import lazy_names
from .._secrets import mask_secrets
from ..events import EventFilter, ModelEvents
from ..runnables.config import RunnableConfig
from ..runnables.runnable import Runnable
from ..runnables.serializable import RunnableSerializable
from ..streaming.drive import adrive, drive
from ..streaming.protocols import Processor, Source
from ..streaming.stream import AsyncStream, Stream
from .generate import run_args
from .langsmith import ls_fields, warn_of_tracing
from .prompt_text import LanguageModelInput
from .streams import ModelOrigin, chunk_stream, event_stream

if TYPE_CHECKING:
    from uuid import UUID

    from ..events import StreamEvent
    from ..events.record_writer import RecordWriter
    from ..events.schema import EventVersion
    from ..outputs import LLMResult
    from ..runnables.recording import RecordedRun
    from ..streaming.protocols import ChunkProcessor, RecordProcessor
    from .interfaces import LangSmithParams, LanguageModelLike, LanguageModelOutput
    from .model_type import ModelCall, ModelType
    from .tokens import get_tokenizer

__all__ = (
    "BaseLanguageModel",
    "LangSmithParams",
    "LanguageModelInput",
    "LanguageModelLike",
    "LanguageModelOutput",
    "get_tokenizer",
)

__getattr__ = lazy_names(
    globals(),
    {
        **dict.fromkeys(
            ("LangSmithParams", "LanguageModelLike", "LanguageModelOutput"), "millstream.language_models.interfaces"
        ),
        "get_tokenizer": "millstream.language_models.tokens",
    },
)

Out = TypeVar("Out")


class BaseLanguageModel(RunnableSerializable[LanguageModelInput, Out]):
    """The base class of :class:`~millstream.language_models.llms.BaseLLM` and :class:`~millstream.BaseChatModel`.

    Its annotated fields, and those of subclasses, are keyword arguments of the constructor. With ``stream_timing``,
    the last chunk of a stream, and the message that the chunks add up to, have ``first_chunk_seconds`` and
    ``chunks_per_second`` in their ``response_metadata``; the result of an LLM has them in its ``generation_info``.
    """

    name: str | None = None
    cache: Any = None
    verbose: bool = False
    callbacks: Any = None
    tags: list[str] | None = None
    metadata: dict[str, Any] | None = None
    custom_get_token_ids: Any = None
    stream_timing: bool = False

    _model_type: ClassVar[ModelType[Any]]

    def _set_fields(self, values: dict[str, Any]) -> None:
        super()._set_fields(values)
        # The fields that the constructor was called with: an explicit `streaming=False` differs from the default.
        self._fields_set = frozenset(values)
        if "verbose" not in values and (process := settings()) is not None and process.get_verbose():
            self.verbose = True
        warn_of_tracing()

    @property
    def InputType(self) -> Any:
        """A text, a prompt value, or messages."""
        from ..messages.conversion import AnyMessage
        from ..prompt_values import ChatPromptValueConcrete, StringPromptValue

        return str | StringPromptValue | ChatPromptValueConcrete | list[AnyMessage]

    @property
    @abstractmethod
    def _llm_type(self) -> str:
        """Return the name of the model's type, such as ``"openai-chat"``."""

    @property
    def _identifying_params(self) -> Mapping[str, Any]:
        """Return the parameters that distinguish this model from others of its class."""
        return {}

    def _get_ls_params(self, stop: list[str] | None = None, **kwargs: Any) -> dict[str, Any]:
        """Return the ``ls_*`` metadata of a run: provider, model, temperature, limits."""
        return {**self._model_type.provider(type(self).__name__), **ls_fields(self, stop, kwargs)}

    def _get_invocation_params(self, stop: list[str] | None = None, **kwargs: Any) -> dict[str, Any]:
        """Return the parameters of one call, as its start event reports them."""
        return {**self.asdict(), "stop": stop, **kwargs}

    def asdict(self) -> dict[str, Any]:
        """Return the identifying parameters and the type of the model; secrets are masked by asterisks."""
        params: dict[str, Any] = mask_secrets({**self._identifying_params, "_type": self._llm_type})
        return params

    # Calling.

    @abstractmethod
    def generate(self, *args: Any, **kwargs: Any) -> LLMResult:
        """Return the whole result for each prompt: all choices, usage, details."""

    @abstractmethod
    async def agenerate(self, *args: Any, **kwargs: Any) -> LLMResult:
        """Return the whole result for each prompt; see :meth:`generate`."""

    def invoke(
        self,
        input: LanguageModelInput,
        config: RunnableConfig | None = None,
        *,
        stop: list[str] | None = None,
        **kwargs: Any,
    ) -> Out:
        """Return the answer to one input (a text, messages or a prompt value): a text or a message."""
        result = self.generate([self._model_type.prompt(input)], stop, **run_args(config), **kwargs)
        output: Out = self._model_type.to_output(result.generations[0][0])
        return output

    async def ainvoke(
        self,
        input: LanguageModelInput,
        config: RunnableConfig | None = None,
        *,
        stop: list[str] | None = None,
        **kwargs: Any,
    ) -> Out:
        """Return the answer to one input; see :meth:`invoke`."""
        result = await self.agenerate([self._model_type.prompt(input)], stop, **run_args(config), **kwargs)
        output: Out = self._model_type.to_output(result.generations[0][0])
        return output

    def generate_prompt(self, prompts: Sequence[Any], stop: list[str] | None = None, **kwargs: Any) -> LLMResult:
        """Return the whole result for each prompt value; see :meth:`generate`."""
        return self.generate(list(map(self._model_type.prompt, prompts)), stop, **kwargs)

    async def agenerate_prompt(self, prompts: Sequence[Any], stop: list[str] | None = None, **kwargs: Any) -> LLMResult:
        """Return the whole result for each prompt value; see :meth:`generate`."""
        return await self.agenerate(list(map(self._model_type.prompt, prompts)), stop, **kwargs)

    # Tokens.

    def get_token_ids(self, text: str) -> list[int]:
        """Return the ids of the tokens of a text, by ``custom_get_token_ids``, or else of GPT-2's tokenizer.

        The latter needs the package ``transformers``, and raises :class:`ImportError` without it.
        """
        if self.custom_get_token_ids is not None:
            ids: list[int] = self.custom_get_token_ids(text)
            return ids
        from .tokens import default_token_ids

        return default_token_ids(text)

    def get_num_tokens(self, text: str) -> int:
        """Return the number of tokens of a text; see :meth:`get_token_ids`."""
        return len(self.get_token_ids(text))

    def get_num_tokens_from_messages(self, messages: list[Any], tools: Sequence[Any] | None = None) -> int:
        """Return the number of tokens of messages as text, with the names of their roles; tools are not counted."""
        from .tokens import count_message_tokens

        return count_message_tokens(self, messages, tools)

    # Streams.

    def stream(
        self,
        input: LanguageModelInput,
        config: RunnableConfig | None = None,
        *,
        stop: list[str] | None = None,
        **kwargs: Any,
    ) -> Stream[Out]:
        """Stream the chunks for one input; a model that cannot stream yields its whole output as one chunk."""
        return Stream(drive(*chunk_stream(self, input, config, stop, kwargs)), self._answer_model())

    def astream(
        self,
        input: LanguageModelInput,
        config: RunnableConfig | None = None,
        *,
        stop: list[str] | None = None,
        **kwargs: Any,
    ) -> AsyncStream[Out]:
        """Stream the chunks for one input; a model that cannot stream yields its whole output as one chunk."""
        parts = chunk_stream(self, input, config, stop, kwargs, for_async=True)
        return AsyncStream(adrive(*parts), self._answer_model())

    def _event_stream(
        self,
        input: LanguageModelInput,
        config: RunnableConfig | None,
        version: str,
        wanted: EventFilter,
        kwargs: dict[str, Any],
        *,
        for_async: bool = False,
    ) -> tuple[Source, Processor[StreamEvent]]:
        """Return the source and the processor of the run's events: its start, its chunks, its end.

        In sync code, a user's model runs in a thread, so that its events arrive when they happen.
        """
        if self._overrides_stream(BaseLanguageModel, "stream", for_async=for_async):
            return super()._event_stream(input, config, version, wanted, kwargs, for_async=for_async)
        kwargs = dict(kwargs)
        stop = kwargs.pop("stop", None)
        return event_stream(self, input, config, version, wanted, stop, kwargs, for_async=for_async)

    def _event_records(
        self, run: RecordedRun, writer: RecordWriter, version: EventVersion | Literal["v3"], *, for_async: bool
    ) -> tuple[Source, RecordProcessor] | None:
        has_own_events = self._overrides_stream(Runnable, "stream_events", for_async=for_async)
        if (
            version == "v3"
            or has_own_events
            or self._overrides_stream(BaseLanguageModel, "stream", for_async=for_async)
        ):
            return super()._event_records(run, writer, version, for_async=for_async)
        source, processor = self._event_stream(
            run.input, run.config, version, run.wanted, run.kwargs, for_async=for_async
        )
        assert isinstance(processor, ModelEvents)
        return source, processor.records(writer)

    def _chunk_stream(
        self, input: LanguageModelInput, config: RunnableConfig | None, kwargs: dict[str, Any], *, for_async: bool
    ) -> tuple[Source, Processor[Any]] | None:
        if self._overrides_stream(BaseLanguageModel, "stream", for_async=for_async):
            return None
        kwargs = dict(kwargs)
        return chunk_stream(self, input, config, kwargs.pop("stop", None), kwargs, for_async=for_async)

    def _answer_model(self) -> str:
        name = getattr(self, "model_name", None) or getattr(self, "model", None)
        return name if isinstance(name, str) and name else super()._answer_model()

    def _as_origin(self) -> ModelOrigin | None:
        """Return the model as the origin of a fused chain; ``None`` if a user's class overrides its streams."""
        cls, base = type(self), BaseLanguageModel
        if cls.stream is not base.stream or cls.astream is not base.astream:
            return None
        return ModelOrigin(self)

    def _find_cache(self) -> Any:
        """Return the cache of whole answers: the model's own, or that of ``set_llm_cache``; ``None`` if there is none.

        Raises :class:`ValueError` if ``cache`` is ``True`` and there is none, or if it is no cache.
        """
        cache = self.cache
        if cache is None or cache is True:
            found = None if (process := settings()) is None else process.get_llm_cache()
            if found is None and cache is True:
                raise ValueError(
                    "Asked to cache, but no cache found. No global cache was configured. Use `set_llm_cache`, "
                    "or make the model with cache=None, cache=False or a cache"
                )
            return found
        if cache is False:
            return None
        if not hasattr(cache, "lookup"):
            raise ValueError(f"Unsupported cache value {cache}")
        return cache

    # How a stream is built.

    @property
    def _serialized(self) -> dict[str, Any]:
        """Return the description of the model in a run's start event."""
        cls = type(self)
        path = [*cls.__module__.split("."), cls.__name__]
        return {"lc": 1, "type": "not_implemented", "id": path, "repr": repr(self), "name": self.get_name()}

    def _streams_natively(self, call: ModelCall, *, for_async: bool) -> bool:
        """Return whether the stream of ``call`` runs no users' code. If so, :meth:`_native_stream` is used."""
        return False

    def _native_stream(
        self, call: ModelCall, *, collect_result: bool, run_id: UUID | None = None
    ) -> tuple[Source, ChunkProcessor[LLMResult]]:
        """Return the source and the processor of a stream that reads our own connection directly.

        The processor has a result only with ``collect_result``. ``run_id`` is that of the run, if there is one.
        """
        raise NotImplementedError

    def _native_generations(self, call: ModelCall, *, run_id: UUID) -> tuple[Source, ChunkProcessor[LLMResult]]:
        """Return :meth:`_native_stream` with the chunks that a child run's events contain: generations, or messages."""
        return self._native_stream(call, collect_result=True, run_id=run_id)

"""``ModelType``: how text and chat models differ in starting a run, reporting it and merging its chunks."""

from __future__ import annotations

from collections.abc import AsyncIterable, Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from functools import lru_cache
from typing import TYPE_CHECKING, Any, NamedTuple, Protocol, TypeVar

from .._context import var_child_runnable_config
from .._signatures import signature_parameters
from ..callbacks.managers import CallbackManager
from ..outputs import LLMResult
from ..runnables.config import child_config, ensure_config
from .prompt_text import LanguageModelInput

if TYPE_CHECKING:
    from uuid import UUID

    from ..callbacks.base import Callbacks
    from ..callbacks.llm_run_manager import AsyncCallbackManagerForLLMRun, CallbackManagerForLLMRun
    from ..streaming.protocols import ChunkProcessor, Source

    LLMRun = CallbackManagerForLLMRun | AsyncCallbackManagerForLLMRun

__all__ = (
    "Model",
    "ModelCall",
    "ModelType",
    "Results",
    "announce_model",
    "enter_run",
    "get_sync_manager",
    "takes_run_manager",
)

M_contra = TypeVar("M_contra", contravariant=True)
Results = tuple[LLMResult, list[LLMResult]]
"""The result of one ``generate``, and the part of it to report for each of its runs."""


class ModelCall(NamedTuple):
    """One call of a model: its prompt (a text, or messages), its stop texts, its other arguments."""

    prompt: Any
    stop: list[str] | None
    kwargs: dict[str, Any]


class Model(Protocol):
    """The interface of a model that its runs and streams use."""

    @property
    def callbacks(self) -> Callbacks:
        """The model's own callbacks."""

    @property
    def stream_timing(self) -> bool:
        """Whether the metadata of streamed answers has the times of the chunks."""

    @property
    def _model_type(self) -> ModelType[Any]: ...

    @property
    def _serialized(self) -> dict[str, Any]: ...

    def get_name(self) -> str:
        """Return the name of its runs."""

    def generate(self, *args: Any, **kwargs: Any) -> LLMResult:
        """Return the whole result for each prompt."""

    async def agenerate(self, *args: Any, **kwargs: Any) -> LLMResult:
        """Return the whole result for each prompt."""

    def _streams_natively(self, call: ModelCall, *, for_async: bool) -> bool: ...

    def _native_stream(
        self, call: ModelCall, *, collect_result: bool, run_id: UUID | None = None
    ) -> tuple[Source, ChunkProcessor[LLMResult]]: ...

    def _native_generations(self, call: ModelCall, *, run_id: UUID) -> tuple[Source, ChunkProcessor[LLMResult]]: ...


class ModelType(Protocol[M_contra]):
    """The operations that text and chat models implement differently.

    A *prompt* is a text, or a list of messages. A *chunk* is an item of the model's ``_stream``, an *output*
    one of its ``stream``.
    """

    run_type: str

    def provider(self, name: str) -> dict[str, Any]:
        """Return ``ls_*`` metadata about the provider, derived from the name of a model's class."""

    def prompt(self, input: LanguageModelInput) -> Any:
        """Return the prompt for a user's input."""

    def manager(
        self,
        model: M_contra,
        callbacks: Callbacks,
        tags: list[str] | None,
        metadata: dict[str, Any] | None,
        stop: list[str] | None,
        kwargs: dict[str, Any],
    ) -> CallbackManager:
        """Return the callback manager of one call."""

    def split_kwargs(self, kwargs: dict[str, Any]) -> tuple[dict[str, Any], dict[str, Any]]:
        """Return the arguments for the model, and the options that only handlers receive."""

    def start_info(
        self,
        model: M_contra,
        stop: list[str] | None,
        kwargs: dict[str, Any],
        format_info: dict[str, Any],
        *,
        streams: bool,
    ) -> dict[str, Any]:
        """Return the arguments of a call's start event."""

    def streams(self, model: M_contra, kwargs: dict[str, Any], *, for_async: bool) -> bool:
        """Return whether ``stream`` yields chunks, rather than one whole output."""

    def has_own_astream(self, model: M_contra) -> bool:
        """Return whether the model's class implements ``_astream``."""

    def open(self, model: M_contra, call: ModelCall, run: CallbackManagerForLLMRun) -> Iterable[Any]:
        """Call ``_stream``."""

    async def aopen(self, model: M_contra, call: ModelCall, run: AsyncCallbackManagerForLLMRun) -> AsyncIterable[Any]:
        """Call ``_astream``."""

    def chunk_completer(self, model: M_contra, run_id: UUID) -> Callable[[Any], None]:
        """Return a function that completes the chunks of one stream in place.

        The function raises :class:`TypeError` for an object that is not a chunk.
        """

    def callback_token(self, chunk: Any) -> Any:
        """Return the token to report for a chunk; ``None`` if the model's own code notifies the handlers."""

    def closing_chunk(self, chunk: Any, run_id: UUID) -> Any:
        """Return the chunk to add after the last one; ``None`` for none."""

    def to_output(self, chunk: Any) -> Any:
        """Return the output for a chunk, or for a generation."""

    def result(self, chunks: Sequence[Any], llm_output: dict[str, Any] | None) -> LLMResult:
        """Return the merged chunks as the result."""

    def partial_result(self, chunks: Sequence[Any], error: BaseException | None = None) -> LLMResult:
        """Return the result of a run that ``error`` stopped, from the chunks before it."""

    def generate(
        self, model: M_contra, prompts: list[Any], stop: list[str] | None, kwargs: dict[str, Any], runs: Sequence[Any]
    ) -> Results:
        """Call ``_generate`` for ``prompts``."""

    async def agenerate(
        self, model: M_contra, prompts: list[Any], stop: list[str] | None, kwargs: dict[str, Any], runs: Sequence[Any]
    ) -> Results:
        """Call ``_agenerate`` for ``prompts``."""


@contextmanager
def enter_run(run: Any) -> Iterator[None]:
    """Make the runs that start in the block, in this task, child runs of ``run``, if there is one."""
    if run is None:
        yield
        return
    token = var_child_runnable_config.set(child_config(ensure_config(), run))
    try:
        yield
    finally:
        var_child_runnable_config.reset(token)


def announce_model(run: LLMRun, model: Model) -> None:
    """Pass the model of a run that is about to start to the handlers that trace."""
    for handler in run.handlers:
        if (take := getattr(handler, "_take_model", None)) is not None:
            take(run.run_id, model)


@lru_cache(maxsize=256)
def takes_run_manager(function: Any) -> bool:
    """Return whether a user's method has a parameter ``run_manager``."""
    return "run_manager" in signature_parameters(function)


def get_sync_manager(run_manager: object) -> Any:
    """Return the sync run manager of the same run."""
    return run_manager.get_sync() if hasattr(run_manager, "get_sync") else run_manager

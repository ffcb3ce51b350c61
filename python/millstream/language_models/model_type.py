"""How types of models differ: starting a run, reporting it to callbacks, merging its chunks."""

from __future__ import annotations

import inspect
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from functools import lru_cache
from typing import TYPE_CHECKING, Any, NamedTuple, Protocol

from .._context import var_child_runnable_config
from ..callbacks.manager import CallbackManager
from ..outputs import LLMResult
from ..runnables.config import child_config, ensure_config
from .prompt_text import LanguageModelInput

if TYPE_CHECKING:
    from uuid import UUID

    from ..streaming.protocols import ChunkProcessor, Source

__all__ = ("Model", "ModelCall", "ModelType", "Results", "enter_run", "get_sync_manager", "takes_run_manager")

Results = tuple[LLMResult, list[LLMResult]]
"""The result of one ``generate``, and the part of it that each of its runs is told."""


class ModelCall(NamedTuple):
    """One call of a model: its prompt (a text, or messages), the texts it stops at, its other arguments."""

    prompt: Any
    stop: list[str] | None
    kwargs: dict[str, Any]


class Model(Protocol):
    """A model, as its runs and streams see it."""

    @property
    def callbacks(self) -> Any:
        """The model's own callbacks."""

    @property
    def _model_type(self) -> ModelType: ...

    @property
    def _serialized(self) -> dict[str, Any]: ...

    def get_name(self) -> str:
        """Return the name of its runs."""

    def generate(self, *args: Any, **kwargs: Any) -> LLMResult:
        """Return all answers."""

    async def agenerate(self, *args: Any, **kwargs: Any) -> LLMResult:
        """Return all answers."""

    def _streams_natively(self, call: ModelCall, *, for_async: bool) -> bool: ...

    def _native_stream(
        self, call: ModelCall, *, collect_result: bool, run_id: UUID | None = None
    ) -> tuple[Source, ChunkProcessor[LLMResult]]: ...

    def _native_generations(self, call: ModelCall, *, run_id: UUID) -> tuple[Source, ChunkProcessor[LLMResult]]: ...


class ModelType(Protocol):
    """What models of one kind do in their own way; ``prompt`` is what one of them is asked: a text, or messages.

    A *chunk* is what a model's ``_stream`` yields, an *output* what its ``stream`` does.
    """

    run_type: str

    def provider(self, name: str) -> dict[str, Any]:
        """Return what the name of a model's class tells of its provider, as ``ls_*`` metadata."""

    def prompt(self, input: LanguageModelInput) -> Any:
        """Return what the model is asked, for whatever a user gave."""

    def manager(
        self,
        model: Any,
        callbacks: Any,
        tags: list[str] | None,
        metadata: dict[str, Any] | None,
        stop: list[str] | None,
        kwargs: dict[str, Any],
    ) -> CallbackManager:
        """Return the callbacks, tags and metadata of one call."""

    def split_kwargs(self, kwargs: dict[str, Any]) -> tuple[dict[str, Any], dict[str, Any]]:
        """Return the arguments that go to the model, and what only handlers are told."""

    def start_info(
        self, model: Any, stop: list[str] | None, kwargs: dict[str, Any], more: dict[str, Any], *, streams: bool
    ) -> dict[str, Any]:
        """Return what handlers are told of a call at its start."""

    def streams(self, model: Any, kwargs: dict[str, Any], *, for_async: bool) -> bool:
        """Return whether ``stream`` comes in chunks."""

    def has_own_astream(self, model: Any) -> bool:
        """Return whether the model has an ``_astream`` of its own."""

    def open(self, model: Any, call: ModelCall, run: Any) -> Iterable[Any]:
        """Call ``_stream``."""

    async def aopen(self, model: Any, call: ModelCall, run: Any) -> Any:
        """Call ``_astream``."""

    def complete_chunk(self, chunk: Any, run_id: UUID) -> None:
        """Refuse what is no chunk, and add what the base of such models adds to one."""

    def callback_token(self, chunk: Any) -> Any:
        """Return what handlers are told of a chunk; ``None`` where the model's own code tells them."""

    def closing_chunk(self, chunk: Any, run_id: UUID) -> Any:
        """Return the chunk that comes behind the last one; ``None`` where none does."""

    def to_output(self, chunk: Any) -> Any:
        """Return what the consumer gets of a chunk, or of a generation."""

    def result(self, chunks: Sequence[Any], llm_output: dict[str, Any] | None) -> LLMResult:
        """Return the sum of all chunks."""

    def partial_result(self, chunks: Sequence[Any]) -> LLMResult:
        """Return what had arrived of a run that failed."""

    def generate(
        self, model: Any, prompts: list[Any], stop: list[str] | None, kwargs: dict[str, Any], runs: Sequence[Any]
    ) -> Results:
        """Ask the model for answers to ``prompts``."""

    async def agenerate(
        self, model: Any, prompts: list[Any], stop: list[str] | None, kwargs: dict[str, Any], runs: Sequence[Any]
    ) -> Results:
        """Ask the model for answers to ``prompts``."""


@contextmanager
def enter_run(run: Any) -> Iterator[None]:
    """Let the runs that begin in the block, in this task, be below ``run``, if there is one."""
    if run is None:
        yield
        return
    token = var_child_runnable_config.set(child_config(ensure_config(), run))
    try:
        yield
    finally:
        var_child_runnable_config.reset(token)


@lru_cache(maxsize=256)
def takes_run_manager(function: Any) -> bool:
    """Return whether a user's method names ``run_manager``; one that does not is not given it."""
    return "run_manager" in inspect.signature(function).parameters


def get_sync_manager(run_manager: Any) -> Any:
    """Return the run manager of the same run for sync code."""
    return run_manager.get_sync() if hasattr(run_manager, "get_sync") else run_manager

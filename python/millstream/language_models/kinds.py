"""What tells one kind of model from another, where runs are made, told and summed up."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, Protocol

from .._context import var_child_runnable_config
from .._secrets import masked
from ..callbacks.manager import CallbackManager
from ..outputs import GenerationChunk, LLMResult
from ..outputs.generation import sum_chunks
from ..runnables.config import child_config, child_context, ensure_config
from .calls import takes_run_manager
from .prompt_text import LanguageModelInput, to_prompt

if TYPE_CHECKING:
    from uuid import UUID

__all__ = ("Kind", "Results", "TextKind", "in_run")

Results = tuple[LLMResult, list[LLMResult]]
"""The result of one ``generate``, and the part of it that each of its runs is told."""


class Kind(Protocol):
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

    def parted(self, kwargs: dict[str, Any]) -> tuple[dict[str, Any], dict[str, Any]]:
        """Return the arguments that go to the model, and what only handlers are told."""

    def told(
        self, model: Any, stop: list[str] | None, kwargs: dict[str, Any], more: dict[str, Any], *, streams: bool
    ) -> dict[str, Any]:
        """Return what handlers are told of a call at its start."""

    def streams(self, model: Any, kwargs: dict[str, Any], *, for_async: bool) -> bool:
        """Return whether ``stream`` comes in chunks."""

    def awaits(self, model: Any) -> bool:
        """Return whether the model has an ``_astream`` of its own."""

    def open(self, model: Any, prompt: Any, stop: list[str] | None, run: Any, kwargs: dict[str, Any]) -> Iterable[Any]:
        """Call ``_stream``."""

    async def aopen(self, model: Any, prompt: Any, stop: list[str] | None, run: Any, kwargs: dict[str, Any]) -> Any:
        """Call ``_astream``."""

    def received(self, chunk: Any, run_id: UUID) -> None:
        """Refuse what is no chunk, and add what the base of such models adds to one."""

    def token(self, chunk: Any) -> Any:
        """Return what handlers are told of a chunk; ``None`` where the model's own code tells them."""

    def last(self, chunk: Any, run_id: UUID) -> Any:
        """Return the chunk that comes behind the last one; ``None`` where none does."""

    def output(self, chunk: Any) -> Any:
        """Return what the consumer gets of a chunk, or of a generation."""

    def result(self, chunks: Sequence[Any], llm_output: dict[str, Any] | None) -> LLMResult:
        """Return the sum of all chunks."""

    def arrived(self, chunks: Sequence[Any]) -> LLMResult:
        """Return what had arrived of a run that failed."""

    def generate(
        self, model: Any, prompts: list[Any], stop: list[str] | None, kwargs: dict[str, Any], runs: Sequence[Any]
    ) -> Results:
        """Ask the model for answers to ``prompts``."""

    async def agenerate(
        self, model: Any, prompts: list[Any], stop: list[str] | None, kwargs: dict[str, Any], runs: Sequence[Any]
    ) -> Results:
        """Ask the model for answers to ``prompts``."""


class TextKind:
    """Models that take a text and return a text; ``base`` is their base class."""

    run_type = "llm"

    def __init__(self, base: Any) -> None:
        self._base = base

    def provider(self, name: str) -> dict[str, Any]:
        """Return the class's name without ``LLM``."""
        return {"ls_provider": name.removesuffix("LLM").lower(), "ls_model_type": "llm"}

    def prompt(self, input: LanguageModelInput) -> str:
        """Return the text of the input."""
        return to_prompt(input)

    def manager(
        self,
        model: Any,
        callbacks: Any,
        tags: list[str] | None,
        metadata: dict[str, Any] | None,
        stop: list[str] | None,
        kwargs: dict[str, Any],
    ) -> CallbackManager:
        """Return the manager; what the model tells of itself is not for the runs below."""
        # As in LangChain, a call that gives no metadata at all is not told what kind of model it is of.
        params = {} if metadata is None else model._get_ls_params(stop=stop, **kwargs)
        own = {**params, **(model.metadata or {})}
        return CallbackManager.configure(callbacks, model.callbacks, model.verbose, tags, model.tags, metadata, own)

    def parted(self, kwargs: dict[str, Any]) -> tuple[dict[str, Any], dict[str, Any]]:
        """Return all arguments: all go to the model."""
        return kwargs, {}

    def told(
        self, model: Any, stop: list[str] | None, kwargs: dict[str, Any], more: dict[str, Any], *, streams: bool
    ) -> dict[str, Any]:
        """Return the parameters, with the call's own where it streams: LangChain's way."""
        params = {**model.asdict(), "stop": stop, **(kwargs if streams else {})}
        return {"invocation_params": masked(params), "options": {"stop": stop}}

    def streams(self, model: Any, kwargs: dict[str, Any], *, for_async: bool) -> bool:
        """Return whether the model has a ``_stream``, or for async code an ``_astream``."""
        return (for_async and self.awaits(model)) or type(model)._stream is not self._base._stream

    def awaits(self, model: Any) -> bool:
        """Return whether the model's class, or one of its bases but the first, writes ``_astream``."""
        return type(model)._astream is not self._base._astream

    def open(self, model: Any, prompt: Any, stop: list[str] | None, run: Any, kwargs: dict[str, Any]) -> Iterable[Any]:
        """Call ``_stream``, which tells its chunks itself."""
        chunks: Iterable[Any] = model._stream(prompt, stop=stop, run_manager=run, **kwargs)
        return chunks

    async def aopen(self, model: Any, prompt: Any, stop: list[str] | None, run: Any, kwargs: dict[str, Any]) -> Any:
        """Call ``_astream``, which tells its chunks itself."""
        return model._astream(prompt, stop=stop, run_manager=run, **kwargs)

    def received(self, chunk: Any, run_id: UUID) -> None:
        """Raise :class:`TypeError` for what is no chunk."""
        if not hasattr(chunk, "text"):
            raise TypeError(f"_stream() must yield GenerationChunk objects, not {type(chunk).__name__}")

    def token(self, chunk: Any) -> None:
        """Return nothing: the model's own code tells its handlers."""

    def last(self, chunk: Any, run_id: UUID) -> None:
        """Return nothing."""

    def output(self, chunk: Any) -> Any:
        """Return the text."""
        return chunk.text

    def result(self, chunks: Sequence[Any], llm_output: dict[str, Any] | None) -> LLMResult:
        """Return the sum; that of no chunks is an empty text."""
        return LLMResult([[sum_chunks(chunks or [GenerationChunk("")])]], llm_output)

    def arrived(self, chunks: Sequence[Any]) -> LLMResult:
        """Return the sum, or nothing."""
        return self.result(chunks, None) if chunks else LLMResult([])

    def generate(
        self, model: Any, prompts: list[Any], stop: list[str] | None, kwargs: dict[str, Any], runs: Sequence[Any]
    ) -> Results:
        """Call ``_generate``, once for all prompts."""
        manager = {"run_manager": runs[0] if runs else None} if takes_run_manager(type(model)._generate) else {}
        call = child_context(ensure_config(), runs[0]).run if runs else _called
        result = call(model._generate, prompts, stop=stop, **manager, **kwargs)
        return result, result.flatten()

    async def agenerate(
        self, model: Any, prompts: list[Any], stop: list[str] | None, kwargs: dict[str, Any], runs: Sequence[Any]
    ) -> Results:
        """Call ``_agenerate``, once for all prompts."""
        manager = {"run_manager": runs[0] if runs else None} if takes_run_manager(type(model)._agenerate) else {}
        with in_run(runs[0] if runs else None):
            result = await model._agenerate(prompts, stop=stop, **manager, **kwargs)
        return result, result.flatten()


@contextmanager
def in_run(run: Any) -> Iterator[None]:
    """Let the runs that begin in the block, in this task, be below ``run``, if there is one."""
    if run is None:
        yield
        return
    token = var_child_runnable_config.set(child_config(ensure_config(), run))
    try:
        yield
    finally:
        var_child_runnable_config.reset(token)


def _called(function: Any, *args: Any, **kwargs: Any) -> Any:
    return function(*args, **kwargs)

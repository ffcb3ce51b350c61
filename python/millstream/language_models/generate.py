"""One call of ``generate`` or ``agenerate``: one run per prompt, with one start and one end each."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any, NamedTuple
from uuid import UUID

from ..callbacks.base_manager import handlers_of
from ..callbacks.llm_run_manager import AsyncCallbackManagerForLLMRun, CallbackManagerForLLMRun
from ..callbacks.managers import CallbackManager
from ..events import uuid7
from ..outputs import LLMResult, RunInfo
from ..runnables.config import RunnableConfig, batch_configs, ensure_config
from ..streaming.workers import run_in_task
from .model_type import Model, announce_model

__all__ = (
    "GenerateCall",
    "RunArgs",
    "are_per_prompt",
    "check_lengths",
    "group_inputs",
    "list_run_args",
    "make_run_ids",
    "run_args",
    "select_run_args",
)


class RunArgs(NamedTuple):
    """The arguments of ``generate`` for its runs: one value for all prompts, or a list with one item per prompt."""

    callbacks: Any = None
    tags: Any = None
    metadata: Any = None
    run_name: Any = None
    run_id: UUID | list[UUID | None] | None = None


class GenerateCall:
    """One call of a model for many prompts."""

    def __init__(
        self,
        model: Model,
        prompts: list[Any],
        stop: list[str] | None,
        kwargs: dict[str, Any],
        args: RunArgs,
    ) -> None:
        self._model = model
        self._prompts = prompts
        self._stop = stop
        self._model_type = model._model_type
        self._kwargs, self._format_info = self._model_type.split_kwargs(kwargs)
        self._ids = make_run_ids(args.run_id, prompts)
        callbacks, tags, metadata, run_name, _ = args
        if callbacks is None:
            # Called directly in users' code: its run is a child of theirs.
            callbacks = ensure_config()["callbacks"]
        count = len(prompts)
        if are_per_prompt(callbacks):
            check_lengths(args._replace(callbacks=callbacks), count)
            none = [None] * count
            self._names = run_name or none
            parts = zip(callbacks, tags or none, metadata or none, strict=True)
            self._managers = [self._manager(*part) for part in parts]
        else:
            self._names = [run_name] * count
            self._managers = [self._manager(callbacks, tags, metadata)] * count

    def run(self) -> LLMResult:
        """Call ``_generate``."""
        runs: list[CallbackManagerForLLMRun] = []
        try:
            for manager, prompt, run_id, start in self._iter_starts():
                run = CallbackManagerForLLMRun.of(manager, run_id)
                if run.handlers:
                    announce_model(run, self._model)
                    run.start(self._model._serialized, prompt, self._model_type.run_type, **start)
                runs.append(run)
            result, parts = self._model_type.generate(self._model, self._prompts, self._stop, self._kwargs, runs)
        except BaseException as error:
            for run in runs:
                run.on_llm_error(error, response=self._model_type.partial_result((), error))
            raise
        failures: list[Exception] = []
        for run, part in _iter_ends(runs, parts):
            try:
                run.on_llm_end(part)
            except Exception as error:
                failures.append(error)
        return _finish(result, runs, failures)

    async def arun(self) -> LLMResult:
        """Call ``_agenerate``; if there are handlers, in a task of its own."""
        if any(manager.handlers for manager in self._managers):
            result = await run_in_task(self._arun())
            return result
        return await self._arun()

    async def _arun(self) -> LLMResult:
        runs: list[AsyncCallbackManagerForLLMRun] = []
        try:
            for manager, prompt, run_id, start in self._iter_starts():
                run = AsyncCallbackManagerForLLMRun.of(manager, run_id)
                if run.handlers:
                    announce_model(run, self._model)
                    await run.start(self._model._serialized, prompt, self._model_type.run_type, **start)
                runs.append(run)
            result, parts = await self._model_type.agenerate(self._model, self._prompts, self._stop, self._kwargs, runs)
        except BaseException as error:
            for run in runs:
                await run.on_llm_error(error, response=self._model_type.partial_result((), error))
            raise
        failures: list[Exception] = []
        for run, part in _iter_ends(runs, parts):
            try:
                await run.on_llm_end(part)
            except Exception as error:
                failures.append(error)
        return _finish(result, runs, failures)

    def _manager(self, callbacks: Any, tags: Any, metadata: Any) -> CallbackManager:
        return self._model_type.manager(self._model, callbacks, tags, metadata, self._stop, self._kwargs)

    def _iter_starts(self) -> Iterator[tuple[CallbackManager, Any, UUID, dict[str, Any]]]:
        rest: dict[str, Any] = {"batch_size": len(self._prompts)}
        if any(manager.handlers for manager in self._managers):
            info = self._model_type.start_info(self._model, self._stop, self._kwargs, self._format_info, streams=False)
            rest = {**info, **rest}
        for manager, prompt, run_id, name in zip(self._managers, self._prompts, self._ids, self._names, strict=True):
            yield manager, prompt, run_id, {**rest, "name": name}


def check_lengths(args: RunArgs, count: int) -> None:
    """Raise :class:`ValueError` for a list that does not have one item per prompt."""
    for name, values in args._asdict().items():
        if name != "run_id" and values is not None and not (isinstance(values, list) and len(values) == count):
            must = "be" if name == "callbacks" else "be a list of"
            raise ValueError(f"{name} must {must} the same length as prompts")


def are_per_prompt(callbacks: object) -> bool:
    """Return whether ``callbacks`` has one item per prompt, rather than the handlers of all prompts."""
    if not isinstance(callbacks, list) or not callbacks:
        return False
    first = callbacks[0]
    return first is None or isinstance(first, list) or hasattr(first, "inheritable_handlers")


def _iter_ends(runs: list[Any], parts: list[LLMResult]) -> Iterator[tuple[Any, LLMResult]]:
    """Yield each run that has handlers, with its part of the result; a run without a part gets an empty result."""
    for place, run in enumerate(runs):
        if run.handlers:
            yield run, parts[place] if place < len(parts) else LLMResult([])


def _finish(result: LLMResult, runs: list[Any], failures: list[Exception]) -> LLMResult:
    """Return the result with its run ids. If handlers raised, raise the first of their exceptions instead."""
    if failures:
        raise failures[0]
    result.run = [RunInfo(run.run_id) for run in runs]
    return result


def run_args(config: RunnableConfig | None) -> dict[str, Any]:
    """Return the arguments of ``generate`` for one call's configuration."""
    full = ensure_config(config)
    # Checked here: in ``generate``, a list of callbacks may also hold one item per prompt.
    if callbacks := full.get("callbacks"):
        handlers_of(callbacks)
    return select_run_args(full)


def select_run_args(config: Mapping[str, Any]) -> dict[str, Any]:
    """Return the fields of :class:`RunArgs` of a complete configuration."""
    return {name: config.get(name) for name in RunArgs._fields}


def list_run_args(configs: Sequence[RunnableConfig]) -> dict[str, Any]:
    """Return the arguments of ``generate`` for many inputs: lists with one item per configuration."""
    args = [run_args(config) for config in configs]
    return {key: [one[key] for one in args] for key in args[0]}


def group_inputs(inputs: Sequence[Any], config: object) -> Iterator[tuple[Sequence[Any], Sequence[RunnableConfig]]]:
    """Yield the inputs and their configurations in groups of ``max_concurrency``."""
    configs, at_once = batch_configs(inputs, config)
    size = at_once or len(inputs) or 1
    for start in range(0, len(inputs), size):
        yield inputs[start : start + size], configs[start : start + size]


def make_run_ids(run_id: UUID | list[UUID | None] | None, prompts: object) -> list[UUID]:
    """Return one run id per prompt; a single ``run_id`` is for the first prompt."""
    if not isinstance(prompts, list):
        raise ValueError(
            f"Argument 'prompts' is expected to be of type list[str], received argument of type {type(prompts)}."
        )
    ids = run_id if isinstance(run_id, list) else [run_id][: len(prompts)] + [None] * (len(prompts) - 1)
    if len(ids) != len(prompts):
        raise ValueError(
            f"Number of manually provided run_id's does not match batch length. {len(ids)} != {len(prompts)}"
        )
    return [id or uuid7() for id in ids]

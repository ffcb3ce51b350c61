"""One call of ``generate`` or ``agenerate``: a run for each prompt, each with its start and its one end."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any
from uuid import UUID

from ..callbacks.base_manager import handlers_of
from ..callbacks.manager import AsyncCallbackManagerForLLMRun, CallbackManager, CallbackManagerForLLMRun
from ..events import uuid7
from ..outputs import LLMResult, RunInfo
from ..runnables.config import RunnableConfig, batch_configs, ensure_config
from ..streaming.workers import run_in_task
from .model_type import Model

__all__ = ("GenerateCall",)


class GenerateCall:
    """One call of a model for many prompts; ``callbacks`` and the like are for all of them, or a list of one each."""

    def __init__(
        self,
        model: Model,
        prompts: list[Any],
        stop: list[str] | None,
        kwargs: dict[str, Any],
        *,
        callbacks: Any,
        tags: Any,
        metadata: Any,
        run_name: Any,
        run_id: UUID | list[UUID | None] | None,
    ) -> None:
        self._model = model
        self._prompts = prompts
        self._stop = stop
        self._model_type = model._model_type
        self._kwargs, self._format_info = self._model_type.split_kwargs(kwargs)
        self._ids = make_run_ids(run_id, prompts)
        if callbacks is None:
            # Called by itself, in users' code: a run below theirs like any other.
            callbacks = ensure_config()["callbacks"]
        each = _are_per_prompt(callbacks)
        if each:
            told = {"callbacks": callbacks, "tags": tags, "metadata": metadata, "run_name": run_name}
            for name, values in told.items():
                if values is not None and not (isinstance(values, list) and len(values) == len(prompts)):
                    must = "be" if name == "callbacks" else "be a list of"
                    raise ValueError(f"{name} must {must} the same length as prompts")
        count = len(prompts)
        self._names = (run_name or [None] * count) if each else [run_name] * count
        if each:
            parts = zip(callbacks, tags or [None] * count, metadata or [None] * count, strict=True)
            self._managers = [self._manager(*part) for part in parts]
        else:
            self._managers = [self._manager(callbacks, tags, metadata)] * count

    def run(self) -> LLMResult:
        """Call ``_generate``."""
        runs: list[CallbackManagerForLLMRun] = []
        try:
            for manager, prompt, run_id, start in self._iter_starts():
                run = CallbackManagerForLLMRun.of(manager, run_id)
                if run.handlers:
                    run.start(self._model._serialized, prompt, self._model_type.run_type, **start)
                runs.append(run)
            result, parts = self._model_type.generate(self._model, self._prompts, self._stop, self._kwargs, runs)
        except BaseException as error:
            for run in runs:
                run.on_llm_error(error, response=self._model_type.partial_result(()))
            raise
        failures: list[Exception] = []
        for run, part in _iter_ends(runs, parts):
            try:
                run.on_llm_end(part)
            except Exception as error:
                failures.append(error)
        return _finish(result, runs, failures)

    async def arun(self) -> LLMResult:
        """Call ``_agenerate``; where handlers hear of it, all of that in a task of its own."""
        if any(manager.handlers for manager in self._managers):
            heard: LLMResult = await run_in_task(self._arun())
            return heard
        return await self._arun()

    async def _arun(self) -> LLMResult:
        runs: list[AsyncCallbackManagerForLLMRun] = []
        try:
            for manager, prompt, run_id, start in self._iter_starts():
                run = AsyncCallbackManagerForLLMRun.of(manager, run_id)
                if run.handlers:
                    await run.start(self._model._serialized, prompt, self._model_type.run_type, **start)
                runs.append(run)
            result, parts = await self._model_type.agenerate(self._model, self._prompts, self._stop, self._kwargs, runs)
        except BaseException as error:
            for run in runs:
                await run.on_llm_error(error, response=self._model_type.partial_result(()))
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
        told = self._model_type.start_info(self._model, self._stop, self._kwargs, self._format_info, streams=False)
        rest = {**told, "batch_size": len(self._prompts)}
        for manager, prompt, run_id, name in zip(self._managers, self._prompts, self._ids, self._names, strict=True):
            yield manager, prompt, run_id, {**rest, "name": name}


def _are_per_prompt(callbacks: Any) -> bool:
    """Return whether ``callbacks`` holds those of each prompt, rather than the handlers of all."""
    if not isinstance(callbacks, list) or not callbacks:
        return False
    first = callbacks[0]
    return first is None or isinstance(first, list) or hasattr(first, "inheritable_handlers")


def _iter_ends(runs: list[Any], parts: list[LLMResult]) -> Iterator[tuple[Any, LLMResult]]:
    """Yield each run with its part of the result; one for which nothing came has an end too."""
    for place, run in enumerate(runs):
        if run.handlers:
            yield run, parts[place] if place < len(parts) else LLMResult([])


def _finish(result: LLMResult, runs: list[Any], failures: list[Exception]) -> LLMResult:
    """Return the result with its runs, unless a handler has asked for its exception to be raised."""
    if failures:
        raise failures[0]
    result.run = [RunInfo(run.run_id) for run in runs]
    return result


def run_args(config: RunnableConfig | None) -> dict[str, Any]:
    """Return what ``generate`` takes of one call's configuration."""
    full = ensure_config(config)
    # Here, since ``generate`` takes a list for callbacks of each prompt, too.
    handlers_of(full.get("callbacks"))
    return {
        "callbacks": full.get("callbacks"),
        "tags": full.get("tags"),
        "metadata": full.get("metadata"),
        "run_name": full.get("run_name"),
        "run_id": full.get("run_id"),
    }


def list_run_args(configs: Sequence[RunnableConfig]) -> dict[str, Any]:
    """Return what ``generate`` takes of the configurations of many inputs."""
    args = [run_args(config) for config in configs]
    return {key: [one[key] for one in args] for key in args[0]}


def group_inputs(inputs: Sequence[Any], config: Any) -> Iterator[tuple[Sequence[Any], Sequence[RunnableConfig]]]:
    """Yield the inputs and their configurations in groups of ``max_concurrency``."""
    configs, at_once = batch_configs(inputs, config)
    size = at_once or len(inputs) or 1
    for start in range(0, len(inputs), size):
        yield inputs[start : start + size], configs[start : start + size]


def make_run_ids(run_id: UUID | list[UUID | None] | None, prompts: object) -> list[UUID]:
    """Return one run id per prompt; a single one given is for the first."""
    if not isinstance(prompts, list):
        raise ValueError(
            f"Argument 'prompts' is expected to be of type list[str], received argument of type {type(prompts)}."
        )
    given = run_id if isinstance(run_id, list) else [run_id][: len(prompts)] + [None] * (len(prompts) - 1)
    if len(given) != len(prompts):
        raise ValueError(
            f"Number of manually provided run_id's does not match batch length. {len(given)} != {len(prompts)}"
        )
    return [one or uuid7() for one in given]

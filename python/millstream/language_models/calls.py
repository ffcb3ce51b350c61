"""What the calls of a model have in common: runs' arguments, groups of a batch, run ids."""

import inspect
import logging
import os
from collections.abc import Iterator, Mapping, Sequence
from functools import lru_cache
from typing import Any
from uuid import UUID

from ..callbacks.base_manager import handlers_of
from ..events import uuid7
from ..runnables.config import RunnableConfig, batch_configs, ensure_config

__all__ = (
    "for_sync",
    "in_groups",
    "ls_fields",
    "run_args",
    "run_ids",
    "run_lists",
    "takes_run_manager",
    "warn_of_tracing",
)

_TRACING = ("LANGSMITH_TRACING_V2", "LANGCHAIN_TRACING_V2", "LANGSMITH_TRACING", "LANGCHAIN_TRACING")

_LS_FIELDS: tuple[tuple[str, tuple[str, ...], Any], ...] = (
    ("ls_model_name", ("model", "model_name"), str),
    ("ls_temperature", ("temperature",), (int, float)),
    ("ls_max_tokens", ("max_tokens",), int),
)


@lru_cache(maxsize=256)
def takes_run_manager(function: Any) -> bool:
    """Return whether a user's method names ``run_manager``; one that does not is not given it."""
    return "run_manager" in inspect.signature(function).parameters


def for_sync(run_manager: Any) -> Any:
    """Return the run manager of the same run for sync code."""
    return run_manager.get_sync() if hasattr(run_manager, "get_sync") else run_manager


def ls_fields(model: Any, stop: list[str] | None, kwargs: Mapping[str, Any]) -> dict[str, Any]:
    """Return the ``ls_*`` metadata that a call's arguments and the model's fields tell."""
    params: dict[str, Any] = {"ls_stop": stop} if stop else {}
    for key, names, kinds in _LS_FIELDS:
        found = kwargs.get(names[0])
        for name in names:
            if isinstance(found, kinds):
                break
            found = getattr(model, name, None)
        if isinstance(found, kinds):
            params[key] = found
    return params


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


def run_lists(configs: Sequence[RunnableConfig]) -> dict[str, Any]:
    """Return what ``generate`` takes of the configurations of many inputs."""
    args = [run_args(config) for config in configs]
    return {key: [one[key] for one in args] for key in args[0]}


def in_groups(inputs: Sequence[Any], config: Any) -> Iterator[tuple[Sequence[Any], Sequence[RunnableConfig]]]:
    """Yield the inputs and their configurations in groups of ``max_concurrency``."""
    configs, at_once = batch_configs(inputs, config)
    size = at_once or len(inputs) or 1
    for start in range(0, len(inputs), size):
        yield inputs[start : start + size], configs[start : start + size]


def run_ids(run_id: UUID | list[UUID | None] | None, prompts: object) -> list[UUID]:
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


@lru_cache(maxsize=1)
def _warn_once() -> None:
    logging.getLogger("millstream").warning(
        "LangSmith tracing is switched on by the environment, but Millstream sends no traces;"
        " LangChain's tracer can be given as a callback."
    )


def warn_of_tracing() -> None:
    """Warn, once in a process, where the environment asks for traces that nobody will send."""
    for name in _TRACING:
        if os.environ.get(name, "").lower() in ("true", "1"):
            _warn_once()
            return

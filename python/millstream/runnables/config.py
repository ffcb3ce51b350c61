"""The configuration of one call: tags, metadata, names and limits."""

from __future__ import annotations

import contextvars
import warnings
from collections.abc import Mapping, Sequence, Sized
from typing import TYPE_CHECKING, Any, TypedDict, cast
from uuid import UUID

from .._context import run_in_executor, var_child_runnable_config
from .._late import lazy_names
from .._typed_dicts import with_pydantic_schema

if TYPE_CHECKING:
    from ..callbacks.run_manager import BaseRunManager

__all__ = (
    "CONFIG_KEYS",
    "COPIABLE_KEYS",
    "DEFAULT_RECURSION_LIMIT",
    "ContextThreadPoolExecutor",
    "RunnableConfig",
    "acall_func_with_variable_args",
    "batch_configs",
    "call_func_with_variable_args",
    "child_config",
    "child_context",
    "counts_inputs",
    "ensure_config",
    "get_async_callback_manager_for_config",
    "get_callback_manager_for_config",
    "get_config_list",
    "get_executor_for_config",
    "merge_configs",
    "patch_config",
    "run_in_executor",
    "set_config_context",
    "split_run_id",
    "var_child_runnable_config",
)

if TYPE_CHECKING:
    from .arguments import acall_func_with_variable_args, call_func_with_variable_args
    from .surroundings import (
        ContextThreadPoolExecutor,
        get_async_callback_manager_for_config,
        get_callback_manager_for_config,
        get_executor_for_config,
        set_config_context,
    )

# Runs themselves need none of them; LangChain has them here.
__getattr__ = lazy_names(
    globals(),
    {
        "ContextThreadPoolExecutor": "millstream.runnables.surroundings",
        "acall_func_with_variable_args": "millstream.runnables.arguments",
        "call_func_with_variable_args": "millstream.runnables.arguments",
        "get_async_callback_manager_for_config": "millstream.runnables.surroundings",
        "get_callback_manager_for_config": "millstream.runnables.surroundings",
        "get_executor_for_config": "millstream.runnables.surroundings",
        "set_config_context": "millstream.runnables.surroundings",
    },
)

DEFAULT_RECURSION_LIMIT = 25


@with_pydantic_schema
class RunnableConfig(TypedDict, total=False):
    """The configuration of one call.

    ``tags`` and ``metadata`` go to the call's run and its children, ``run_name`` and ``run_id``
    to that one run, ``callbacks`` are notified of them. ``max_concurrency`` limits ``batch``,
    ``recursion_limit`` how deep runs may nest, ``configurable`` holds values for configurable fields.
    """

    tags: list[str]
    metadata: dict[str, Any]
    callbacks: Any
    run_name: str
    max_concurrency: int | None
    recursion_limit: int
    configurable: dict[str, Any]
    run_id: UUID | None


"""What the runs begun by users' code inherit: it is set while that code runs, and never across a yield of ours."""

CONFIG_KEYS = list(RunnableConfig.__annotations__)
COPIABLE_KEYS = ["tags", "metadata", "callbacks", "configurable"]

_KEYS = frozenset(CONFIG_KEYS)
# These configurable values stand in the metadata too, as in LangChain.
_IN_METADATA = ("model", "checkpoint_ns")


def ensure_config(config: Mapping[str, Any] | None = None) -> RunnableConfig:
    """Return ``config`` over the parent run's, over the defaults; unknown keys are ``configurable``.

    Lists, dicts and managers of callbacks are copied.
    """
    full: dict[str, Any] = {
        "tags": [],
        "metadata": {},
        "callbacks": None,
        "recursion_limit": DEFAULT_RECURSION_LIMIT,
        "configurable": {},
    }
    inherited = var_child_runnable_config.get()
    if not config and not inherited:
        return cast("RunnableConfig", full)
    full.update(_copy_known(inherited or {}))
    if config and type(config) is not dict and not isinstance(config, Mapping):
        raise TypeError(f"config must be a dict, not {type(config).__name__}")
    own = _copy_known(config or {})
    unknown = {key: value for key, value in (config or {}).items() if value is not None and key not in _KEYS}
    full.update(own)
    full["configurable"].update(unknown)
    for key in _IN_METADATA:
        if isinstance(value := full["configurable"].get(key), str):
            full["metadata"].setdefault(key, value)
    return cast("RunnableConfig", full)


def _copy_known(config: Mapping[str, Any]) -> dict[str, Any]:
    """Return copies of the values under known keys."""
    _check_tags(config.get("tags"))
    return {
        key: value.copy() if hasattr(value, "copy") else value
        for key, value in config.items()
        if value is not None and key in _KEYS
    }


def _check_tags(tags: object) -> None:
    if isinstance(tags, str):
        raise TypeError(f"tags must be a list of texts, not a text: write [{tags!r}]")


def get_config_list(
    config: Mapping[str, Any] | Sequence[Mapping[str, Any]] | None, length: int
) -> list[RunnableConfig]:
    """Return one configuration per input; a ``run_id`` given once is for the first.

    Raises :class:`ValueError` if a list has another length than the inputs.
    """
    if length < 0:
        raise ValueError(f"length must be >= 0, but got {length}")
    if config is not None and not isinstance(config, Mapping):
        if len(config) != length:
            raise ValueError(
                f"config must be a list of the same length as inputs, but got {len(config)} configs for {length} inputs"
            )
        return [ensure_config(one) for one in config]
    return [ensure_config(one) for one in split_run_id(config, length)]


def split_run_id(config: Mapping[str, Any] | None, length: int) -> list[Any]:
    """Return the configuration of a batch once per input; a ``run_id`` is for the first input alone."""
    if length > 1 and config is not None and config.get("run_id") is not None:
        warnings.warn("The run_id given is used for the first input only.", RuntimeWarning, stacklevel=5)
        rest = {key: value for key, value in config.items() if key != "run_id"}
        return [config, *(rest for _ in range(length - 1))]
    return [config] * length


def batch_configs(inputs: Sequence[Any], config: Any) -> tuple[list[RunnableConfig], int | None]:
    """Return one configuration per input, and how many may run at once: ``None`` where nothing limits it.

    A text or a mapping is one input, and not taken for a list of its parts.
    """
    if isinstance(inputs, str | bytes | Mapping) or not isinstance(inputs, Sized):
        raise TypeError(f"a batch takes a list of inputs, not {type(inputs).__name__}: for one input write [input]")
    if not inputs:
        return [], None
    configs = get_config_list(config, len(inputs))
    at_once = configs[0].get("max_concurrency")
    if at_once is not None and (type(at_once) is not int or at_once < 0):
        raise ValueError(f"max_concurrency must be a whole number of at least 1, or None, not {at_once!r}")
    return configs, at_once or None


def counts_inputs(config: Any) -> bool:
    """Return whether a handler in the configuration of a batch counts the inputs as they end, each by itself."""
    for one in config if isinstance(config, list | tuple) else (config,):
        callbacks = one.get("callbacks") if isinstance(one, Mapping) else None
        handlers = getattr(callbacks, "handlers", callbacks)
        if isinstance(handlers, list | tuple) and any(getattr(handler, "counts_inputs", False) for handler in handlers):
            return True
    return False


def merge_configs(*configs: Mapping[str, Any] | None) -> RunnableConfig:
    """Return the configurations in one: tags united and sorted, metadata and configurable merged, the last one wins.

    Callbacks are joined. Each configuration is taken over that of the parent run, as in :func:`ensure_config`.
    """
    merged: dict[str, Any] = {}
    for config in configs:
        if config is None:
            continue
        for key, value in ensure_config(config).items():
            if value is not None:
                _merge_key(merged, key, value)
    return cast("RunnableConfig", merged)


def patch_config(
    config: Mapping[str, Any] | None,
    *,
    callbacks: object = None,
    recursion_limit: int | None = None,
    max_concurrency: int | None = None,
    run_name: str | None = None,
    configurable: dict[str, Any] | None = None,
) -> RunnableConfig:
    """Return a copy of ``config`` with other values; ``None`` changes nothing.

    ``run_name`` and ``run_id`` belong to the run that has the old callbacks, so new ``callbacks``
    drop them.
    """
    patched: dict[str, Any] = dict(ensure_config(config))
    if callbacks is not None:
        patched.pop("run_name", None)
        patched.pop("run_id", None)
    changes = {
        "callbacks": callbacks,
        "recursion_limit": recursion_limit,
        "max_concurrency": max_concurrency,
        "run_name": run_name,
        "configurable": None if configurable is None else {**patched["configurable"], **configurable},
    }
    patched.update((key, value) for key, value in changes.items() if value is not None)
    return cast("RunnableConfig", patched)


def child_config(config: RunnableConfig, run: BaseRunManager, tag: str | None = None) -> RunnableConfig:
    """Return the configuration that the child runs of ``run`` inherit: its own, without name and id.

    ``config`` is complete, as :func:`ensure_config` returned it when the run began, and so is the result: nothing is
    looked up again. Lists and dicts are copied, since users' code may change them. ``tag`` is for the next run alone.
    """
    child: Any = {
        **config,
        "tags": [*config["tags"]],
        "metadata": {**config["metadata"]},
        "callbacks": run.get_child(tag),
        "configurable": {**config["configurable"]},
    }
    child.pop("run_name", None)
    child.pop("run_id", None)
    return cast("RunnableConfig", child)


def child_context(config: RunnableConfig, run: BaseRunManager) -> contextvars.Context:
    """Return a context for users' code in ``run``: runs that start in there are its children."""
    context = contextvars.copy_context()
    context.run(var_child_runnable_config.set, child_config(config, run))
    return context


def _merge_key(merged: dict[str, Any], key: str, value: Any) -> None:
    old = merged.get(key)
    if key == "tags":
        _check_tags(value)
        merged[key] = sorted({*(old or ()), *value})
    elif key == "metadata":
        merged[key] = _merge_metadata_dicts(old or {}, value)
    elif key == "configurable":
        merged[key] = {**(old or {}), **value}
    elif key == "callbacks":
        merged[key] = value if old is None else _merge_callbacks(old, value)
    elif key != "recursion_limit" or value != DEFAULT_RECURSION_LIMIT:
        merged[key] = value


def _merge_metadata_dicts(base: Mapping[str, Any], incoming: Mapping[str, Any]) -> dict[str, Any]:
    """Return the metadata of both; ``incoming`` wins, but for the versions of packages, which are united."""
    merged = {**base, **incoming}
    versions = [one for one in (base.get("lc_versions"), merged.get("lc_versions")) if isinstance(one, Mapping)]
    if versions and isinstance(merged["lc_versions"], Mapping):
        merged["lc_versions"] = {key: value for one in versions for key, value in one.items()}
    return merged


def _merge_callbacks(old: Any, new: Any) -> Any:
    """Return the handlers of both: two lists joined, or what a manager holds with the other's added."""
    if isinstance(old, list) and isinstance(new, list):
        return old + new
    if not isinstance(old, list) and not isinstance(new, list):
        return old.merge(new)
    manager, handlers = (new, old) if isinstance(old, list) else (old, new)
    manager = manager.copy()
    for handler in handlers:
        manager.add_handler(handler, inherit=True)
    return manager

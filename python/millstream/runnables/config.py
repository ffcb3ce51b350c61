"""The configuration of one call: tags, metadata, names and limits."""

import warnings
from collections.abc import Mapping, Sequence
from typing import Any, TypedDict, cast
from uuid import UUID

__all__ = (
    "DEFAULT_RECURSION_LIMIT",
    "RunnableConfig",
    "ensure_config",
    "get_config_list",
    "merge_configs",
    "patch_config",
)

DEFAULT_RECURSION_LIMIT = 25


class RunnableConfig(TypedDict, total=False):
    """The configuration of one call.

    ``tags`` and ``metadata`` go to the call's run and those below it, ``run_name`` and ``run_id``
    to that one run, ``callbacks`` hear of them. ``max_concurrency`` limits ``batch``,
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


_KEYS = frozenset(RunnableConfig.__annotations__)
_COPIED = frozenset({"tags", "metadata", "configurable"})
# These configurable values are told in the metadata too, as LangChain does.
_TOLD = ("model", "checkpoint_ns")


def ensure_config(config: Mapping[str, Any] | None = None) -> RunnableConfig:
    """Return ``config`` with its defaults filled in; lists and dicts are copied, unknown keys are ``configurable``."""
    full: dict[str, Any] = {
        "tags": [],
        "metadata": {},
        "callbacks": None,
        "recursion_limit": DEFAULT_RECURSION_LIMIT,
        "configurable": {},
    }
    if not config:
        return cast("RunnableConfig", full)
    for key, value in config.items():
        if value is not None and key in _KEYS:
            full[key] = value.copy() if key in _COPIED or isinstance(value, list) else value
    for key, value in config.items():
        if value is not None and key not in _KEYS:
            full["configurable"][key] = value
    for key in _TOLD:
        if isinstance(told := full["configurable"].get(key), str):
            full["metadata"].setdefault(key, told)
    return cast("RunnableConfig", full)


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
    if length > 1 and config is not None and config.get("run_id") is not None:
        warnings.warn("The run_id given is used for the first input only.", RuntimeWarning, stacklevel=3)
        rest = {key: value for key, value in config.items() if key != "run_id"}
        return [ensure_config(config), *(ensure_config(rest) for _ in range(length - 1))]
    return [ensure_config(config) for _ in range(length)]


def merge_configs(*configs: Mapping[str, Any] | None) -> RunnableConfig:
    """Return the configurations in one: tags united and sorted, metadata and configurable merged, the last one wins."""
    merged: dict[str, Any] = {}
    for config in configs:
        if config is None:
            continue
        for key, value in ensure_config(config).items():
            _merge_key(merged, key, value)
    return cast("RunnableConfig", merged)


def patch_config(config: Mapping[str, Any] | None, **changes: Any) -> RunnableConfig:
    """Return a copy of ``config`` with ``changes``; ``None`` changes nothing.

    ``run_name`` and ``run_id`` belong to the run that has the old callbacks, so new ``callbacks``
    drop them.
    """
    patched: dict[str, Any] = dict(ensure_config(config))
    if changes.get("callbacks") is not None:
        patched.pop("run_name", None)
        patched.pop("run_id", None)
    for key, value in changes.items():
        if key == "configurable" and value is not None:
            value = {**patched["configurable"], **value}
        if value is not None:
            patched[key] = value
    return cast("RunnableConfig", patched)


def _merge_key(merged: dict[str, Any], key: str, value: Any) -> None:
    old = merged.get(key)
    if key == "tags":
        merged[key] = sorted({*(old or ()), *value})
    elif key in ("metadata", "configurable"):
        merged[key] = {**(old or {}), **value}
    elif key == "callbacks":
        merged[key] = [*old, *value] if isinstance(old, list) and isinstance(value, list) else value or old
    elif key != "recursion_limit" or value != DEFAULT_RECURSION_LIMIT or old is None:
        merged[key] = value

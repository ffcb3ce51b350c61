"""Validates the fields of messages, and copies their containers, which a message does not share with the caller."""

from collections.abc import Iterable, Mapping
from typing import Any

__all__ = (
    "LC_AUTO_PREFIX",
    "LC_ID_PREFIX",
    "as_content",
    "as_id",
    "as_items",
    "as_keys",
    "as_mapping",
    "as_status",
    "as_text",
    "as_usage",
    "drop_none",
    "dump",
    "ensure_id",
    "order_usage",
)

LC_AUTO_PREFIX = "lc_"
"""How a generated id begins."""
LC_ID_PREFIX = "lc_run-"
"""How the id of a message begins that was made from its run's."""

_USAGE = ("input_tokens", "output_tokens", "total_tokens", "input_token_details", "output_token_details")
_DETAILS = ("audio", "cache_creation", "cache_read", "reasoning")


def as_content(owner: str, content: object) -> str | list[str | dict[str, Any]]:
    """Return ``content``, which must be a text or a list of texts and blocks; the blocks are copied."""
    if isinstance(content, str):
        return content
    if not isinstance(content, list | tuple):
        raise _type_error(owner, "content", "a str or a list of str and dict", content)
    return [_as_block(owner, block) for block in content]


def _as_block(owner: str, block: object) -> str | dict[str, Any]:
    if isinstance(block, str):
        return block
    if isinstance(block, Mapping):
        return dict(block)
    raise _type_error(owner, "a block of content", "a str or a dict", block)


def as_mapping(owner: str, field: str, value: object) -> dict[Any, Any] | None:
    """Return a copy of ``value``, which must be a mapping or ``None``."""
    if value is None:
        return None
    if not isinstance(value, Mapping):
        raise _type_error(owner, field, "a dict", value)
    return dict(value)


def as_items(owner: str, field: str, value: object) -> Iterable[Any]:
    """Return ``value``, which must be a list or another iterable of items; ``None`` is empty."""
    if value is None:
        return ()
    if isinstance(value, str | Mapping) or not isinstance(value, Iterable):
        raise _type_error(owner, field, "a list", value)
    return value


def as_keys(owner: str, subject: str, value: object, required: Iterable[str], known: Iterable[str]) -> dict[str, Any]:
    """Return the ``known`` entries of ``value``, which must be a mapping with the ``required`` keys."""
    if not isinstance(value, Mapping):
        raise _type_error(owner, subject, "a dict", value)
    if missing := [key for key in required if key not in value]:
        raise ValueError(f"{owner}: {subject} must have {', '.join(map(repr, missing))}")
    return {key: value[key] for key in known if key in value}


def as_text(owner: str, field: str, value: object) -> str:
    """Return ``value``, which must be a text."""
    if not isinstance(value, str):
        raise _type_error(owner, field, "a str", value)
    return value


def as_id(owner: str, field: str, value: object) -> str:
    """Return ``value``, an id, as text; numbers and UUIDs are converted."""
    if isinstance(value, str):
        return value
    from uuid import UUID

    return str(value) if isinstance(value, int | float | UUID) else as_text(owner, field, value)


def ensure_id(id_val: str | None) -> str:
    """Return ``id_val``, or a generated id if it is ``None`` or empty."""
    if id_val:
        return id_val
    from uuid import uuid4

    return f"{LC_AUTO_PREFIX}{uuid4()}"


def as_status(owner: str, value: object) -> str:
    """Return ``value``, which must be ``"success"`` or ``"error"``."""
    if value not in ("success", "error"):
        raise ValueError(f"{owner}: status must be 'success' or 'error', not {value!r}")
    return str(value)


def as_usage(owner: str, usage: object) -> dict[str, Any] | None:
    """Return a copy of ``usage``, which must have the three counts; the known keys come first."""
    if usage is None:
        return None
    if not isinstance(usage, Mapping):
        raise _type_error(owner, "usage_metadata", "a dict", usage)
    for name in _USAGE[:3]:
        if not isinstance(count := usage.get(name), int):
            raise _type_error(owner, f"usage_metadata[{name!r}]", "an int", count)
    return order_usage(usage)


def order_usage(usage: Mapping[str, Any]) -> dict[str, Any]:
    """Return a copy of ``usage`` with LangChain's keys first, in LangChain's order."""
    ordered = _order(usage, _USAGE)
    for name in _USAGE[3:]:
        if isinstance(details := ordered.get(name), Mapping):
            ordered[name] = _order(details, _DETAILS)
    return ordered


def _order(mapping: Mapping[str, Any], names: Iterable[str]) -> dict[str, Any]:
    first = {name: mapping[name] for name in names if name in mapping}
    return {**first, **mapping}


def dump(value: Any) -> Any:
    """Return ``value`` as plain data for ``model_dump``: containers are copied, models become dicts."""
    if value is None or isinstance(value, str | int | float):
        return value
    cls = type(value)
    if cls is dict:
        return {key: dump(item) for key, item in value.items()}
    if cls in (list, tuple, set, frozenset):
        return cls(map(dump, value))
    return value.model_dump() if hasattr(cls, "model_dump") else value


def drop_none(value: object) -> Any:
    """Return a dict, or a list of dicts, without the entries that are ``None``."""
    if isinstance(value, list):
        return list(map(drop_none, value))
    return {key: item for key, item in value.items() if item is not None} if isinstance(value, dict) else value


def _type_error(owner: str, field: str, wanted: str, value: object) -> ValueError:
    return ValueError(f"{owner}: {field} must be {wanted}, not {type(value).__name__}")

"""How the provider's details of several pieces become those of their sum."""

from collections.abc import Iterable, Mapping
from typing import Any

__all__ = ("merge_info",)

# What names or dates a thing is repeated from piece to piece, never continued.
_LAST_WINS = frozenset(
    {"created", "id", "index", "model", "object", "role", "service_tier", "system_fingerprint", "timestamp", "type"}
)
_LAST_WINS_ENDINGS = ("_id", "_name", "_provider", "_reason", "_version")


def merge_info(infos: Iterable[Mapping[str, Any] | None]) -> dict[str, Any]:
    """Return the details of all pieces in one: lists and texts are joined, counts added, mappings merged.

    ``None`` never replaces a value. Finish reasons, models' names and whatever else only names or
    dates a thing are not joined: the last one wins, as it does where two differ in kind. Linear in
    the pieces, which stay as they are.
    """
    merged: dict[str, Any] = {}
    for info in infos:
        if info:
            _absorb(merged, info)
    return merged


def _absorb(merged: dict[str, Any], info: Mapping[str, Any]) -> None:
    for key, value in info.items():
        old = merged.get(key)
        if old is None:
            merged[key] = _own(value)
        elif value is not None:
            merged[key] = _join(key, old, value)


def _own(value: Any) -> Any:
    """Return a copy of what later pieces will be added to."""
    if isinstance(value, Mapping):
        copied: dict[str, Any] = {}
        _absorb(copied, value)
        return copied
    return list(value) if isinstance(value, list) else value


def _join(key: str, old: Any, new: Any) -> Any:
    if key in _LAST_WINS or key.endswith(_LAST_WINS_ENDINGS):
        return new
    if isinstance(old, dict) and isinstance(new, Mapping):
        _absorb(old, new)
        return old
    if isinstance(old, list) and isinstance(new, list):
        old += new
        return old
    if isinstance(old, str) and isinstance(new, str):
        return old + new
    # An equal number is a detail told twice, not a count to add: LangChain's reading.
    if type(old) is int and type(new) is int and old != new:
        return old + new
    return _own(new)

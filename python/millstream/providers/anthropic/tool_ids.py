"""The ids of tool calls in requests: Anthropic accepts letters, digits, ``_`` and ``-`` only."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Mapping
from typing import Any

__all__ = ("normalize_id", "tool_use", "with_normalized_id")

_VALID = re.compile(r"^[a-zA-Z0-9_-]+$")


def normalize_id(id: str | None) -> str | None:
    """Return ``id`` if Anthropic accepts it, or else an id made from its hash.

    Ids of other providers may have other characters. The same id always has the same hash, so a call and its
    result still belong together. An empty id is returned as it is: the server reports it.
    """
    if not id or _VALID.match(id):
        return id
    import hashlib

    return f"toolu_{hashlib.sha256(id.encode()).hexdigest()[:24]}"


def with_normalized_id(block: Mapping[str, Any]) -> dict[str, Any]:
    """Return a copy of the block of a tool's result, with an id that Anthropic accepts."""
    if "tool_use_id" not in block:
        return dict(block)
    return {**block, "tool_use_id": normalize_id(block["tool_use_id"])}


def tool_use(name: Any, input: Any, id: Any, more: Iterable[tuple[str, Any]] = ()) -> dict[str, Any]:
    """Return the block of a tool call; of the pairs in ``more``, those with a value are added."""
    block = {"type": "tool_use", "name": name, "input": input, "id": normalize_id(id)}
    return block | {key: value for key, value in more if value}


def read_arguments(text: str | None) -> Any:
    """Return the arguments in ``text``; ``{}`` if it is empty or not valid JSON."""
    try:
        return json.loads(text or "{}")
    except json.JSONDecodeError:
        return {}

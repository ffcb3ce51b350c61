"""Rewrites JSON schemas for tools: inlines references, drops titles, makes them strict."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from copy import deepcopy
from typing import Any

__all__ = ("dereference_refs", "drop_titles", "inline_references", "make_strict", "resolve_reference")

_DEFINITIONS = ("$defs", "definitions")


def inline_references(schema: Mapping[str, Any]) -> dict[str, Any]:
    """Return ``schema`` with every reference replaced by its target; a circular one is dropped."""
    kept = {key: value for key, value in schema.items() if key not in _DEFINITIONS}
    inlined: dict[str, Any] = _inline(kept, schema, frozenset(), ())
    return inlined


def dereference_refs(
    schema_obj: Mapping[str, Any],
    *,
    full_schema: Mapping[str, Any] | None = None,
    skip_keys: Sequence[str] | None = None,
) -> dict[str, Any]:
    """Return a schema with every reference to ``full_schema`` replaced by its target; a circular one is dropped.

    Other entries beside a reference replace those of its target. The values of ``skip_keys``, by default ``$defs``,
    are copied as they are.
    """
    skipped = ("$defs",) if skip_keys is None else tuple(skip_keys)
    inlined: dict[str, Any] = _inline(schema_obj, full_schema or schema_obj, frozenset(), skipped)
    return inlined


def _inline(value: object, root: Mapping[str, Any], within: frozenset[str], skipped: tuple[str, ...]) -> Any:
    """Return ``value`` without references to ``root``; those of ``within`` are being replaced."""
    if isinstance(value, list):
        return [_inline(item, root, within, skipped) for item in value]
    if not isinstance(value, Mapping):
        return value
    path = value.get("$ref")
    beside = {
        key: deepcopy(item) if key in skipped else _inline(item, root, within, skipped)
        for key, item in value.items()
        if key != "$ref" or not isinstance(path, str)
    }
    if not isinstance(path, str) or path in within:
        return beside
    target = _inline(resolve_reference(path, root), root, within | {path}, skipped)
    if not beside:
        return target
    return {**target, **beside} if isinstance(target, dict) else beside


def resolve_reference(path: str, root: Mapping[str, Any]) -> Any:
    """Return a copy of the target of ``path`` (``#/…``) in ``root``."""
    first, *names = path.split("/")
    if first != "#":
        raise ValueError(
            f"ref paths are expected to be URI fragments, meaning they should start with #. This one is {path!r}."
        )
    target: Any = root
    for name in names:
        by_number = name.isdigit() and (isinstance(target, list) or name not in target)
        try:
            target = target[int(name) if by_number else name]
        except (IndexError, KeyError, TypeError):
            raise KeyError(f"Reference {path!r} not found.") from None
    return deepcopy(target)


def drop_titles(schema: Mapping[str, Any], inside: str = "") -> dict[str, Any]:
    """Return ``schema`` without titles; a property named ``title`` stays."""
    kept = {}
    for key, value in schema.items():
        if isinstance(value, Mapping):
            if key != "title" or inside == "properties":
                kept[key] = drop_titles(value, key)
        elif key != "title":
            kept[key] = value
    return kept


def make_strict(schema: object) -> Any:
    """Return ``schema`` for OpenAI's strict mode: all properties are required, and no others allowed."""
    if not isinstance(schema, Mapping):
        return schema
    strict = dict(schema)
    properties = strict.get("properties")
    if isinstance(properties, Mapping) and properties:
        strict["required"] = list(properties)
    if "required" in strict or properties == {} or "additionalProperties" in strict:
        strict["additionalProperties"] = False
    for key in ("properties", *_DEFINITIONS):
        if isinstance(strict.get(key), Mapping):
            strict[key] = {name: make_strict(inner) for name, inner in strict[key].items()}
    for key in ("anyOf", "allOf"):
        if isinstance(strict.get(key), list):
            strict[key] = [make_strict(inner) for inner in strict[key]]
    if "items" in strict:
        strict["items"] = make_strict(strict["items"])
    return strict

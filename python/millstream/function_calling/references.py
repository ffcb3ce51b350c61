"""Rewrites JSON schemas for tools: inlines references, drops titles, makes them strict."""

from __future__ import annotations

from collections.abc import Mapping
from copy import deepcopy
from typing import Any

__all__ = ("drop_titles", "inline_references", "make_strict", "resolve_reference")

_DEFINITIONS = ("$defs", "definitions")


def inline_references(schema: Mapping[str, Any]) -> dict[str, Any]:
    """Return ``schema`` with every reference replaced by its target; a circular one is dropped."""
    inlined = _inline(schema, schema, frozenset())
    return {key: value for key, value in inlined.items() if key not in _DEFINITIONS}


def _inline(value: object, root: Mapping[str, Any], within: frozenset[str]) -> Any:
    if isinstance(value, list):
        return [_inline(item, root, within) for item in value]
    if not isinstance(value, Mapping):
        return value
    path = value.get("$ref")
    if not isinstance(path, str):
        kept = {key: item for key, item in value.items() if value is not root or key not in _DEFINITIONS}
        return {key: _inline(item, root, within) for key, item in kept.items()}
    beside = {key: _inline(item, root, within) for key, item in value.items() if key != "$ref"}
    if path in within:
        return beside
    target = _inline(resolve_reference(path, root), root, within | {path})
    return {**target, **beside} if beside else target


def resolve_reference(path: str, root: Mapping[str, Any]) -> Any:
    """Return a copy of the target of ``path`` (``#/…``) in ``root``."""
    first, *names = path.split("/")
    target: Any = root
    if first != "#":
        raise ValueError(f"only references within the schema are supported, not {path!r}")
    for name in names:
        target = target[int(name)] if isinstance(target, list) else target[name]
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

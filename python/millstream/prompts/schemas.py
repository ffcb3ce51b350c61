"""Pydantic classes of the variables of prompts. Pydantic is imported when one is made."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from .._late import guard_import
from . import mustache

__all__ = ("make_model", "mustache_schema")

_Names = dict[str, "_Names"]


def make_model(fields: Mapping[str, tuple[Any, Any]], name: str = "PromptInput") -> Any:
    """Return a pydantic class of ``fields``, each a type and a default; ``...`` for none.

    A name that pydantic reserves is the alias of a field with another name.
    """
    guard_import("pydantic")
    from pydantic import BaseModel, ConfigDict, Field, create_model

    made: dict[str, Any] = {}
    for key, (type_of_field, default) in fields.items():
        if key.startswith("_") or hasattr(BaseModel, key):
            title = key.lstrip("_").replace("_", " ").title()
            aliased = Field(default=default, alias=key, serialization_alias=key, title=title)
            made[f"private_{key}"] = (type_of_field, aliased)
        else:
            made[key] = (type_of_field, default)
    return create_model(name, __config__=ConfigDict(arbitrary_types_allowed=True), **made)


def mustache_schema(template: str) -> Any:
    """Return a pydantic class of the variables of a mustache template; sections and dotted names are classes in it."""
    paths: dict[tuple[str, ...], bool] = {}
    path: tuple[str, ...] = ()
    outer: list[tuple[str, ...]] = []
    for type_name, key in mustache.tokenize(template):
        if key == ".":
            continue
        names = (*path, *key.split("."))
        if type_name == "end":
            path = outer.pop()
        elif type_name in ("section", "inverted section"):
            outer.append(path)
            path = names
            paths[path] = False
        elif type_name in ("variable", "no escape"):
            paths[names] = True
    return _make_nested("PromptInput", _nest(paths))


def _nest(paths: Mapping[tuple[str, ...], bool]) -> dict[str, Any]:
    """Return nested dicts; a text stands for a variable without parts."""
    nested: dict[str, Any] = {}
    for path in reversed(list(paths)):
        current = nested
        for name in path[:-1]:
            current = current.setdefault(name, {})
        has_parts = any(len(other) > len(path) and other[: len(path)] == path for other in paths)
        current.setdefault(path[-1], "" if paths[path] and not has_parts else {})
    return nested


def _make_nested(name: str, parts: Mapping[str, Any]) -> Any:
    return make_model(
        {key: (_make_nested(key, part) if part else type(part), None) for key, part in parts.items()}, name
    )

"""Types to JSON schemas, as pydantic writes them, without pydantic.

Two dialects: that of functions' arguments (pydantic's second version), and that of a ``TypedDict`` as a
tool (its first), in which an optional value is not nullable.
"""

from __future__ import annotations

import collections.abc
import dataclasses
import datetime
import decimal
import enum
import inspect
import types
import typing
from collections.abc import Mapping
from typing import Annotated, Any, Literal, Union, get_args, get_origin, get_type_hints
from uuid import UUID

from .docstrings import read_docstring
from .references import without_references, without_titles

__all__ = ("SchemaOf", "is_typed_dict", "own_docstring", "typed_dict_hints")

_SCALARS: dict[Any, dict[str, Any]] = {
    str: {"type": "string"},
    int: {"type": "integer"},
    float: {"type": "number"},
    bool: {"type": "boolean"},
    type(None): {"type": "null"},
    bytes: {"type": "string", "format": "binary"},
    datetime.datetime: {"type": "string", "format": "date-time"},
    datetime.date: {"type": "string", "format": "date"},
    datetime.time: {"type": "string", "format": "time"},
    datetime.timedelta: {"type": "string", "format": "duration"},
    UUID: {"type": "string", "format": "uuid"},
    decimal.Decimal: {"anyOf": [{"type": "number"}, {"type": "string"}]},
}
_NAMES = {str: "string", int: "integer", float: "number", bool: "boolean"}
_LISTS = (list, collections.abc.Sequence, collections.abc.Iterable, collections.abc.MutableSequence)
_SETS = (set, frozenset, collections.abc.Set, collections.abc.MutableSet)
_MAPPINGS = (dict, collections.abc.Mapping, collections.abc.MutableMapping)


class SchemaOf:
    """Makes the schemas of types; ``first`` says that it is the dialect of pydantic's first version."""

    def __init__(self, *, first: bool = False) -> None:
        self._first = first

    def __call__(self, kind: Any) -> dict[str, Any]:
        """Return the schema of ``kind``.

        Raises :class:`ValueError` for a type that JSON has no form for.
        """
        origin, args = get_origin(kind), get_args(kind)
        if origin is Annotated:
            return self._annotated(args)
        if origin in (typing.Required, typing.NotRequired):
            return self(args[0])
        if origin in (Union, types.UnionType):
            return self._union(args)
        if origin is Literal:
            return self._values(args)
        if kind is Any or kind is object or isinstance(kind, typing.TypeVar):
            return {}
        if kind in _SCALARS:
            return dict(_SCALARS[kind])
        return self._collection(origin or kind, args) or self._class(kind)

    def _annotated(self, args: tuple[Any, ...]) -> dict[str, Any]:
        schema = self(args[0])
        for told in args[1:]:
            description = getattr(told, "description", told if isinstance(told, str) else None)
            if description:
                schema["description"] = description
        return schema

    def _union(self, args: tuple[Any, ...]) -> dict[str, Any]:
        rest = [one for one in args if one is not type(None)]
        if self._first:
            return self(rest[0]) if len(rest) == 1 else {"anyOf": [self(one) for one in rest]}
        return {"anyOf": [self(one) for one in args]}

    def _values(self, values: tuple[Any, ...]) -> dict[str, Any]:
        schema: dict[str, Any] = {"enum": list(values)}
        if len(values) == 1 and not self._first:
            schema = {"const": values[0]}
        kinds = {type(value) for value in values}
        if len(kinds) == 1 and (name := _NAMES.get(kinds.pop())):
            schema["type"] = name
        return schema

    def _collection(self, origin: Any, args: tuple[Any, ...]) -> dict[str, Any] | None:
        if origin in _LISTS:
            return {"type": "array", "items": self(args[0]) if args else {}}
        if origin in _SETS:
            return {"type": "array", "items": self(args[0]) if args else {}, "uniqueItems": True}
        if origin in _MAPPINGS:
            if self._first:
                values = self(args[1]) if args else {}
                return {"type": "object", **({"additionalProperties": values} if values else {})}
            return {"type": "object", "additionalProperties": (self(args[1]) if args else {}) or True}
        if origin is tuple:
            return self._tuple(args)
        return None

    def _tuple(self, args: tuple[Any, ...]) -> dict[str, Any]:
        if not args:
            return {"type": "array", "items": {}}
        if args[-1] is Ellipsis:
            return {"type": "array", "items": self(args[0])}
        items = [self(one) for one in args]
        named = "items" if self._first else "prefixItems"
        return {"type": "array", "minItems": len(items), "maxItems": len(items), named: items}

    def _class(self, kind: Any) -> dict[str, Any]:
        if hasattr(kind, "model_json_schema"):
            return without_titles(without_references(kind.model_json_schema()))
        if isinstance(kind, type) and issubclass(kind, enum.Enum):
            return self._values(tuple(member.value for member in kind)) | (
                {"enum": [member.value for member in kind]} if len(kind) > 1 else {}
            )
        if is_typed_dict(kind):
            hints = typed_dict_hints(kind)
            described, told = read_docstring(own_docstring(kind))
            properties = {name: self._property(hint, told.get(name)) for name, hint in hints.items()}
            required = [name for name in hints if name in kind.__required_keys__]
            return self._object(properties, required, described if self._first else "")
        if dataclasses.is_dataclass(kind):
            hints = get_type_hints(kind, include_extras=True)
            fields = dataclasses.fields(kind)
            properties = {one.name: {**self(hints[one.name]), **_default(one.default)} for one in fields}
            required = [
                one.name
                for one in fields
                if one.default is dataclasses.MISSING and one.default_factory is dataclasses.MISSING
            ]
            return self._object(properties, required, "")
        raise ValueError(f"the type {kind!r} has no form in a JSON schema")

    def _property(self, hint: Any, described: str | None) -> dict[str, Any]:
        schema = self(hint)
        return {**schema, "description": described} if described and self._first else schema

    def _object(self, properties: Mapping[str, Any], required: list[str], described: str) -> dict[str, Any]:
        schema: dict[str, Any] = {"description": described} if described else {}
        schema |= {"type": "object", "properties": dict(properties)}
        return {**schema, "required": required} if required else schema


def is_typed_dict(kind: Any) -> bool:
    """Return whether ``kind`` is a ``TypedDict``, of ``typing`` or of ``typing_extensions``."""
    return isinstance(kind, type) and hasattr(kind, "__required_keys__") and hasattr(kind, "__total__")


def own_docstring(kind: Any) -> str:
    """Return the docstring of a class itself, not that of ``dict``, which its bases have."""
    return inspect.cleandoc(vars(kind).get("__doc__") or "")


def typed_dict_hints(kind: Any) -> dict[str, Any]:
    """Return the types of a ``TypedDict``'s keys."""
    try:
        return get_type_hints(kind, include_extras=True)
    except Exception:
        # Names that only a type checker knows.
        return dict(kind.__annotations__)


def _default(value: Any) -> dict[str, Any]:
    return {} if value is dataclasses.MISSING else {"default": value}

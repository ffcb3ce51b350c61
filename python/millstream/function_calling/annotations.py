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

from .._model_classes import is_model_class, schema_of_model
from .docstrings import read_docstring
from .references import drop_titles, inline_references

__all__ = ("SchemaOf", "is_typed_dict")

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
            return self._of_annotated(args)
        if _mark(origin):
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

    def _of_annotated(self, args: tuple[Any, ...]) -> dict[str, Any]:
        schema = self(args[0])
        for told in args[1:]:
            # In a typed dict a text has its meaning by its place: a key's default, and then its description.
            if description := (told if isinstance(told, str) and not self._first else _description(told)):
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
        if is_model_class(kind):
            return drop_titles(inline_references(schema_of_model(kind)))
        if isinstance(kind, type) and issubclass(kind, enum.Enum):
            return self._values(tuple(member.value for member in kind)) | (
                {"enum": [member.value for member in kind]} if len(kind) > 1 else {}
            )
        if is_typed_dict(kind):
            described, parameters = self.typed_dict(kind)
            described = described if self._first else _own_docstring(kind)
            return {"description": described, **parameters} if described else parameters
        if dataclasses.is_dataclass(kind):
            hints = get_type_hints(kind, include_extras=True)
            fields = dataclasses.fields(kind)
            properties = {one.name: {**self(hints[one.name]), **_default(one.default)} for one in fields}
            required = [
                one.name
                for one in fields
                if one.default is dataclasses.MISSING and one.default_factory is dataclasses.MISSING
            ]
            return self._object(properties, required)
        raise ValueError(f"the type {kind!r} has no form in a JSON schema")

    def typed_dict(self, kind: Any) -> tuple[str, dict[str, Any]]:
        """Return the description of a ``TypedDict``, and its schema without it: of a tool, and inside of one."""
        hints = _typed_dict_hints(kind)
        described, told = read_docstring(_own_docstring(kind))
        properties: dict[str, Any] = {}
        required = []
        for name, marked in hints.items():
            hint, is_required = _strip_marks(marked, name in kind.__required_keys__)
            properties[name], has_default = self._property(name, hint, told.get(name))
            if is_required and not has_default:
                required.append(name)
        return described, self._object(properties, required)

    def _property(self, name: str, hint: Any, described: str | None) -> tuple[dict[str, Any], bool]:
        """Return the schema of a key, and whether it has a default."""
        if not self._first:
            return self(_drop_texts(hint)), False
        default: Any = ...
        if get_origin(hint) is Annotated:
            # The second is the default, the third says what it is.
            hint, *extras = get_args(hint)
            described = described or next(filter(None, map(_description, extras)), None)
            extras = [extra for extra in extras if not hasattr(extra, "description")]
            default = extras[0] if extras else ...
            told_here = extras[1] if len(extras) > 1 else None
            if told_here is not None and not isinstance(told_here, str):
                raise ValueError(
                    f"Invalid annotation for field {name}. Third argument to Annotated must be a string description,"
                    f" received value of type {type(told_here)}."
                )
            described = described or told_here
        schema = self(hint)
        if described:
            schema["description"] = described
        if default not in (..., None):
            schema["default"] = default
        return schema, default is not ...

    def _object(self, properties: Mapping[str, Any], required: list[str]) -> dict[str, Any]:
        schema: dict[str, Any] = {"type": "object", "properties": dict(properties)}
        return {**schema, "required": required} if required else schema


def _description(extra: Any) -> str | None:
    """Return the description that an object in an annotation holds, such as pydantic's ``Field``."""
    description = getattr(extra, "description", None)
    return description if isinstance(description, str) else None


def _mark(origin: Any) -> str | None:
    """Return the name of what marks a key of a ``TypedDict``, of ``typing`` or of ``typing_extensions``."""
    name = getattr(origin, "_name", None)
    return name if name in ("Required", "NotRequired", "ReadOnly") else None


def _strip_marks(hint: Any, is_required: bool) -> tuple[Any, bool]:
    """Return the type of a key without its marks, and whether the key is required."""
    origin, args = get_origin(hint), get_args(hint)
    if mark := _mark(origin):
        # A mark in an annotation that is a text is not known to the class.
        return _strip_marks(args[0], is_required if mark == "ReadOnly" else mark == "Required")
    if origin is Annotated and _mark(get_origin(args[0])):
        inner, is_required = _strip_marks(args[0], is_required)
        return Annotated[(inner, *args[1:])], is_required
    return hint, is_required


def _drop_texts(hint: Any) -> Any:
    if get_origin(hint) is not Annotated:
        return hint
    kind, *extras = get_args(hint)
    kept = [extra for extra in extras if not isinstance(extra, str)]
    return Annotated[(kind, *kept)] if kept else kind


def is_typed_dict(kind: Any) -> bool:
    """Return whether ``kind`` is a ``TypedDict``, of ``typing`` or of ``typing_extensions``."""
    return isinstance(kind, type) and hasattr(kind, "__required_keys__") and hasattr(kind, "__total__")


def _own_docstring(kind: Any) -> str:
    """Return the docstring of a class itself, not that of ``dict``, which its bases have."""
    return inspect.cleandoc(vars(kind).get("__doc__") or "")


def _typed_dict_hints(kind: Any) -> dict[str, Any]:
    """Return the types of a ``TypedDict``'s keys."""
    try:
        return get_type_hints(kind, include_extras=True)
    except Exception:
        # Names that only a type checker knows.
        return dict(kind.__annotations__)


def _default(value: Any) -> dict[str, Any]:
    return {} if value is dataclasses.MISSING else {"default": value}

"""Converts type annotations to JSON schemas as pydantic does, without pydantic.

There are two dialects: functions use that of pydantic 2. A ``TypedDict`` as a tool uses that of pydantic 1, in
which an optional value is not nullable. :class:`SchemaOf` makes both.
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
from .._signatures import own_annotations
from .docstrings import read_docstring
from .references import inline_references

__all__ = ("SchemaOf", "encode_default", "is_typed_dict")

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
    """Returns the schemas of types; with ``first``, in the dialect of pydantic 1."""

    def __init__(self, *, first: bool = False) -> None:
        self._first = first

    def __call__(self, annotation: object) -> dict[str, Any]:
        """Return the schema of ``annotation``.

        Raises :class:`ValueError` for a type without a JSON schema.
        """
        origin, args = get_origin(annotation), get_args(annotation)
        if origin is Annotated:
            return self._of_annotated(args)
        if _qualifier(origin):
            return self(args[0])
        if origin in (Union, types.UnionType):
            return self._union(args)
        if origin is Literal:
            return self._values(args)
        if annotation is Any or annotation is object or isinstance(annotation, typing.TypeVar):
            return {}
        if annotation in _SCALARS:
            return dict(_SCALARS[annotation])
        return self._collection(origin or annotation, args) or self._class(annotation)

    def _of_annotated(self, args: tuple[Any, ...]) -> dict[str, Any]:
        schema = self(args[0])
        for extra in args[1:]:
            # In a typed dict a text is read by its position: the first is the default, the second the description.
            if description := (extra if isinstance(extra, str) and not self._first else _description(extra)):
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
        types = {type(value) for value in values}
        if len(types) == 1 and (name := _NAMES.get(types.pop())):
            schema["type"] = name
        return schema

    def _collection(self, origin: object, args: tuple[Any, ...]) -> dict[str, Any] | None:
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
        items_key = "items" if self._first else "prefixItems"
        return {"type": "array", "minItems": len(items), "maxItems": len(items), items_key: items}

    def _class(self, cls: object) -> dict[str, Any]:
        if is_model_class(cls):
            return inline_references(schema_of_model(cls))
        if isinstance(cls, type) and issubclass(cls, enum.Enum):
            return self._enum(cls)
        if is_typed_dict(cls):
            description, parameters = self.typed_dict(cls)
            description = description if self._first else _own_docstring(cls)
            described = {"description": description, **parameters} if description else parameters
            return self._with_titles(cls, described)
        if dataclasses.is_dataclass(cls):
            hints = get_type_hints(cls, include_extras=True)
            fields = dataclasses.fields(cls)
            properties = {one.name: {**self(hints[one.name]), **_default(one.default)} for one in fields}
            required = [
                one.name
                for one in fields
                if one.default is dataclasses.MISSING and one.default_factory is dataclasses.MISSING
            ]
            return self._with_titles(cls, self._object(properties, required))
        raise ValueError(f"the type {cls!r} has no JSON schema")

    def _enum(self, cls: Any) -> dict[str, Any]:
        values = [member.value for member in cls]
        schema = self._values(tuple(values))
        if len(values) > 1:
            schema["enum"] = values
        return schema if self._first else {"title": cls.__name__, **schema}

    def _with_titles(self, cls: Any, schema: dict[str, Any]) -> dict[str, Any]:
        """Return the schema with the titles that pydantic 2 gives it; those in lists stay, others are dropped later."""
        if self._first:
            return schema
        for name, one in schema["properties"].items():
            one.setdefault("title", name.title().replace("_", " ").strip())
        return {"title": cls.__name__, **schema}

    def typed_dict(self, cls: Any) -> tuple[str, dict[str, Any]]:
        """Return the description of a ``TypedDict``, and its schema without the description."""
        hints = _typed_dict_hints(cls)
        description, key_descriptions = read_docstring(_own_docstring(cls))
        properties: dict[str, Any] = {}
        required = []
        for name, annotation in hints.items():
            hint, is_required = _strip_qualifiers(annotation, name in cls.__required_keys__)
            properties[name], has_default = self._property(name, hint, key_descriptions.get(name))
            if is_required and not has_default:
                required.append(name)
        return description, self._object(properties, required)

    def _property(self, name: str, hint: object, description: str | None) -> tuple[dict[str, Any], bool]:
        """Return the schema of a key, and whether it has a default."""
        if not self._first:
            return self(_drop_texts(hint)), False
        default: Any = ...
        if get_origin(hint) is Annotated:
            # The second argument is the default, the third the description.
            hint, *extras = get_args(hint)
            description = description or next(filter(None, map(_description, extras)), None)
            extras = [extra for extra in extras if not hasattr(extra, "description")]
            default = extras[0] if extras else ...
            own_description = extras[1] if len(extras) > 1 else None
            if own_description is not None and not isinstance(own_description, str):
                raise ValueError(
                    f"Invalid annotation for field {name}. Third argument to Annotated must be a string description,"
                    f" received value of type {type(own_description)}."
                )
            description = description or own_description
        schema = self(hint)
        if description:
            schema["description"] = description
        if default not in (..., None):
            schema["default"] = default
        return schema, default is not ...

    def _object(self, properties: Mapping[str, Any], required: list[str]) -> dict[str, Any]:
        schema: dict[str, Any] = {"type": "object", "properties": dict(properties)}
        return {**schema, "required": required} if required else schema


def _description(extra: object) -> str | None:
    """Return the description in an extra of ``Annotated``, such as pydantic's ``Field``."""
    description = getattr(extra, "description", None)
    return description if isinstance(description, str) else None


def _qualifier(origin: object) -> str | None:
    """Return the name of a qualifier of a ``TypedDict`` key, of ``typing`` or ``typing_extensions``, or ``None``."""
    name = getattr(origin, "_name", None)
    return name if name in ("Required", "NotRequired", "ReadOnly") else None


def _strip_qualifiers(hint: object, is_required: bool) -> tuple[Any, bool]:
    """Return the type of a key without qualifiers, and whether the key is required."""
    origin, args = get_origin(hint), get_args(hint)
    if qualifier := _qualifier(origin):
        # The class does not know the qualifiers in annotations that are strings.
        return _strip_qualifiers(args[0], is_required if qualifier == "ReadOnly" else qualifier == "Required")
    if origin is Annotated and _qualifier(get_origin(args[0])):
        inner, is_required = _strip_qualifiers(args[0], is_required)
        return Annotated[(inner, *args[1:])], is_required
    return hint, is_required


def _drop_texts(hint: object) -> Any:
    if get_origin(hint) is not Annotated:
        return hint
    annotation, *extras = get_args(hint)
    kept = [extra for extra in extras if not isinstance(extra, str)]
    return Annotated[(annotation, *kept)] if kept else annotation


def is_typed_dict(cls: object) -> bool:
    """Return whether ``cls`` is a ``TypedDict``, of ``typing`` or ``typing_extensions``."""
    return isinstance(cls, type) and hasattr(cls, "__required_keys__") and hasattr(cls, "__total__")


def _own_docstring(cls: object) -> str:
    """Return the docstring of the class itself, not the one inherited from ``dict``."""
    return inspect.cleandoc(vars(cls).get("__doc__") or "")


def _typed_dict_hints(cls: object) -> dict[str, Any]:
    """Return the types of a ``TypedDict``'s keys."""
    try:
        return get_type_hints(cls, include_extras=True)
    except Exception:
        # Names that exist for type checkers alone.
        return own_annotations(cls)


def _default(value: object) -> dict[str, Any]:
    return {} if value is dataclasses.MISSING else {"default": encode_default(value)}


def encode_default(value: object) -> Any:
    """Return a default as JSON has it."""
    return value.value if isinstance(value, enum.Enum) else value

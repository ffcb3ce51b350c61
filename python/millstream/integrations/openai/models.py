"""Objects of the SDK's models, without its validation of values that have the right type already.

The SDK builds an object of a stream with ``construct_type``, which never rejects a payload: a value of another
type than its field's is kept as it is, or converted, or is tried on each member of a union. Most of its time
goes to values that need none of this. :func:`builder` returns a function with the same results. It knows what
``construct_type`` does to a value of the exact type that a field is annotated with, and passes every other
value to ``construct_type`` itself.

There are two kinds of builders, as in the SDK. A field annotated with a model is *constructed*: any value is
accepted. A field annotated with an optional model, or with a list of models that may be absent, is *validated*
by pydantic: one value of the wrong type, at any depth, makes the SDK construct the whole value instead. Our
builder for that kind raises :class:`Unusual` then, and the SDK decides.
"""

from __future__ import annotations

import dataclasses
import types
from collections.abc import Callable, Mapping
from functools import cache, partial
from typing import Annotated, Any, Literal, Union, get_args, get_origin

from openai._compat import field_get_default
from openai._models import BaseModel, _get_extra_fields_type, construct_type

from ..._pydantic_object import is_text, make_object

__all__ = ("Unusual", "builder", "union_builder")

Build = Callable[[dict[str, Any]], Any]
Convert = Callable[[Any], Any]

# Keys that are parameters of ``construct``, which the SDK calls with the payload as keyword arguments.
_PARAMETERS = frozenset({"_fields_set", "_BaseModel__cls"})
_SCALARS = (str, int, float, bool)


class Unusual(Exception):
    """A value is not of the type that its field is annotated with."""


@cache
def builder(model: type[Any]) -> Build:
    """Return a function that builds an object of ``model`` from a JSON object, as ``model.construct`` does."""
    defaults = _defaults(model)
    if defaults is None:
        return lambda values: model.construct(**values)
    converters = {name: _converter(field.annotation, field.metadata) for name, field in model.model_fields.items()}

    def build(values: dict[str, Any]) -> Any:
        fields = defaults.copy()
        fields_set: set[str] = set()
        extra: dict[str, Any] = {}
        for key, value in values.items():
            if key in converters:
                fields_set.add(key)
                if value is not None:
                    convert = converters[key]
                    fields[key] = value if convert is None else convert(value)
            elif key in _PARAMETERS:
                return model.construct(**values)
            else:
                extra[key] = value
        return make_object(model, fields, fields_set, extra)

    return build


def _variants_of(union: Any) -> Mapping[str, type[Any]] | None:
    """Return the models of a union by the ``type`` that each of them has; ``None`` if it is another type."""
    while get_origin(union) is Annotated:
        union = get_args(union)[0]
    variants = get_args(union) if get_origin(union) in (Union, types.UnionType) else ()
    if not variants or not all(_is_model(variant) and "type" in variant.model_fields for variant in variants):
        return None
    names = [(name, variant) for variant in variants for name in get_args(variant.model_fields["type"].annotation)]
    found = dict(names)
    return found if len(found) == len(names) else None


@cache
def union_builder(union: Any) -> Build | None:
    """Return a function that builds an object of a union, as ``construct_type`` does; ``None`` for another type.

    The SDK validates the payload on all members of the union, and takes the one that fits; a payload's ``type``
    says which one that can be.
    """
    if (variants := _variants_of(union)) is None:
        return None
    checks: dict[str, Convert | None] = {name: _object_check(variant) for name, variant in variants.items()}

    def build(values: dict[str, Any]) -> Any:
        name = values.get("type")
        check = checks.get(name) if type(name) is str else None
        if check is not None:
            try:
                return check(values)
            except Unusual:
                pass
        return construct_type(value=values, type_=union)

    return build


def _defaults(model: type[Any]) -> dict[str, Any] | None:
    """Return the values of the fields that a payload leaves out; ``None`` if ``model`` is not an ordinary one."""
    decorators = getattr(model, "__pydantic_decorators__", None)
    ordinary = (
        _is_model(model)
        and model.construct.__func__ is BaseModel.construct.__func__  # type: ignore[attr-defined]
        and _get_extra_fields_type(model) is None
        and not model.__private_attributes__
        # No validators, as far as this version of pydantic says.
        and dataclasses.is_dataclass(decorators)
        and not any(getattr(decorators, field.name) for field in dataclasses.fields(decorators))
        and all(field.alias is None for field in model.model_fields.values())
    )
    if not ordinary:
        return None
    defaults = {name: field_get_default(field) for name, field in model.model_fields.items()}
    return defaults if all(value is None or type(value) in _SCALARS for value in defaults.values()) else None


def _converter(annotation: Any, metadata: list[Any]) -> Convert | None:
    """Return the conversion of a field's value other than ``None``; ``None`` if each value is kept as it is."""
    leave = partial(_leave_to_sdk, annotation, metadata)
    if metadata:
        return leave
    if annotation in (str, int, bool, object, Any) or get_origin(annotation) is Literal:
        return None
    if _is_model(annotation):
        return partial(_convert_object, builder(annotation), leave)
    if get_origin(annotation) is list:
        return partial(_convert_list, _converter(get_args(annotation)[0], []), leave)
    check = _check(annotation)
    return leave if check is None else partial(_convert_checked, check, leave)


def _leave_to_sdk(annotation: Any, metadata: list[Any], value: Any) -> Any:
    return construct_type(value=value, type_=annotation, metadata=metadata)


def _convert_object(build: Build, leave: Convert, value: Any) -> Any:
    return build(value) if type(value) is dict else leave(value)


def _convert_list(convert: Convert | None, leave: Convert, value: Any) -> Any:
    if type(value) is not list:
        return leave(value)
    return list(value) if convert is None else [convert(item) for item in value]


def _convert_checked(check: Convert, leave: Convert, value: Any) -> Any:
    try:
        return check(value)
    except Unusual:
        return leave(value)


def _is_model(annotation: Any) -> bool:
    return isinstance(annotation, type) and issubclass(annotation, BaseModel)


@cache
def _check(annotation: Any) -> Convert | None:
    """Return the validation of a value, which raises ``Unusual``; ``None`` if only the SDK can validate it."""
    origin, arguments = get_origin(annotation), get_args(annotation)
    if origin in (Union, types.UnionType):
        members = [member for member in arguments if member is not type(None)]
        check = _check(members[0]) if len(members) == 1 and len(arguments) == 2 else None
        return None if check is None else partial(_check_optional, check)
    if annotation is str:
        return _check_string
    if annotation in (int, float, bool):
        return partial(_check_type, annotation)
    if origin is Literal and all(type(value) is str for value in arguments):
        return partial(_check_literal, frozenset(arguments))
    if origin is list:
        check = _check(*arguments)
        return None if check is None else partial(_check_list, check)
    return _object_check(annotation) if _is_model(annotation) else None


def _check_optional(check: Convert, value: Any) -> Any:
    return None if value is None else check(value)


def _check_string(value: Any) -> Any:
    if type(value) is not str or not is_text(value):
        raise Unusual
    return value


def _check_type(expected: type, value: Any) -> Any:
    if type(value) is not expected:
        raise Unusual
    return value


def _check_literal(values: frozenset[str], value: Any) -> Any:
    if type(value) is not str or value not in values:
        raise Unusual
    return value


def _check_list(check: Convert, value: Any) -> Any:
    if type(value) is not list:
        raise Unusual
    return [check(item) for item in value]


def _object_check(model: type[Any]) -> Convert | None:
    """Return a function that builds an object of ``model`` from a JSON object, as its validation does."""
    defaults = _defaults(model)
    if defaults is None:
        return None
    checks = {name: None if f.metadata else _check(f.annotation) for name, f in model.model_fields.items()}
    required = {name for name, field in model.model_fields.items() if field.is_required()}

    def check(values: Any) -> Any:
        if type(values) is not dict:
            raise Unusual
        fields = defaults.copy()
        fields_set: set[str] = set()
        extra: dict[str, Any] = {}
        for key, value in values.items():
            if key in checks:
                check = checks[key]
                if check is None:
                    raise Unusual
                fields[key] = check(value)
            else:
                extra[_check_string(key)] = value
            # Unlike construction, validation counts unknown fields.
            fields_set.add(key)
        if not required <= fields_set:
            raise Unusual
        return make_object(model, fields, fields_set, extra)

    return check

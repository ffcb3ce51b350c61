"""The fields of pydantic classes, of both versions, and their types."""

from __future__ import annotations

import types
import typing
from collections.abc import Mapping
from typing import Annotated, Any, TypeVar, Union, get_args, get_origin

from .._model_classes import is_first_version
from .._signatures import own_annotations

__all__ = ("fields_of", "get_all_basemodel_annotations")


def fields_of(model: Any) -> Mapping[str, Any]:
    """Return the fields of a pydantic class of either version by their names."""
    fields: Mapping[str, Any] = model.__fields__ if is_first_version(model) else model.model_fields
    return fields


def get_all_basemodel_annotations(cls: Any, *, default_to_bound: bool = True) -> dict[str, Any]:
    """Return the types of the fields of a pydantic class, its bases' included, with the extras of ``Annotated``.

    Type variables become what the class was subscripted with, or their bounds (:data:`~typing.Any` if there are none).
    """
    annotations: dict[str, Any] = {}
    bases: tuple[Any, ...] = ()
    if not isinstance(cls, type):
        annotations, bases = get_all_basemodel_annotations(get_origin(cls), default_to_bound=False), (cls,)
    elif is_first_version(cls):
        annotations = {name: field.annotation for name, field in fields_of(cls).items()}
        bases = getattr(cls, "__orig_bases__", ())
    else:
        # This version resolves the type variables of its bases itself.
        annotations = {name: field.rebuild_annotation() for name, field in fields_of(cls).items()}
    for base in bases:
        annotations.update(_resolve_base(base, annotations, default_to_bound))
    return {name: _replace_variables(hint, {}, default_to_bound) for name, hint in annotations.items()}


def _resolve_base(base: object, annotations: Mapping[str, Any], default_to_bound: bool) -> dict[str, Any]:
    """Return the types of the fields that the class has from ``base``, which may be subscripted."""
    if isinstance(base, type) and is_first_version(base):
        return get_all_basemodel_annotations(base, default_to_bound=False)
    origin = get_origin(base)
    variables = dict(zip(getattr(origin, "__parameters__", ()), get_args(base), strict=False))
    own = own_annotations(origin) if isinstance(origin, type) else {}
    return {name: _replace_variables(annotations[name], variables, default_to_bound) for name in own}


_SUBSCRIPTABLE: dict[Any, Any] = {types.UnionType: Union}


def _replace_variables(hint: object, values: Mapping[Any, Any], default_to_bound: bool) -> Any:
    if isinstance(hint, TypeVar):
        if hint in values:
            return values[hint]
        bound = Any if hint.__bound__ is None else hint.__bound__
        return bound if default_to_bound else hint
    origin, args = get_origin(hint), get_args(hint)
    if not origin or not args or origin is typing.Literal:
        return hint
    if origin is Annotated:
        return Annotated[(_replace_variables(args[0], values, default_to_bound), *args[1:])]
    replaced = tuple(_replace_variables(one, values, default_to_bound) for one in args)
    return _SUBSCRIPTABLE.get(origin, origin)[replaced]

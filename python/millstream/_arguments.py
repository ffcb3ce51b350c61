"""Decorators and functions for the arguments of functions and constructors, under LangChain's names.

:mod:`millstream.utils` has them for integrations of users. Millstream itself calls none of them.
"""

from __future__ import annotations

import functools
import warnings
from collections.abc import Callable, Iterator
from typing import Any

__all__ = ("build_extra_kwargs", "get_pydantic_field_names", "pre_init", "xor_args")


def xor_args(*arg_groups: tuple[str, ...]) -> Callable[..., Any]:
    """Return a decorator of functions: of each group of keyword arguments exactly one must not be ``None``."""

    def decorate(function: Callable[..., Any]) -> Callable[..., Any]:
        @functools.wraps(function)
        def checked(*args: object, **kwargs: Any) -> Any:
            wrong = [group for group in arg_groups if sum(kwargs.get(name) is not None for name in group) != 1]
            if wrong:
                names = ", ".join(", ".join(group) for group in wrong)
                raise ValueError(f"Exactly one argument in each of the following groups must be defined: {names}")
            return function(*args, **kwargs)

        return checked

    return decorate


def build_extra_kwargs(
    extra_kwargs: dict[str, Any], values: dict[str, Any], all_required_field_names: set[str]
) -> dict[str, Any]:
    """Return ``extra_kwargs`` with the ``values`` that are not fields, which are moved there with a warning.

    Raises :class:`ValueError` if a value is in both, or a field in ``extra_kwargs``.
    """
    _move_unknown(extra_kwargs, values, all_required_field_names)
    if misplaced := all_required_field_names & extra_kwargs.keys():
        raise ValueError(_describe_misplaced(misplaced))
    return extra_kwargs


def _build_model_kwargs(values: dict[str, Any], all_required_field_names: set[str]) -> dict[str, Any]:
    """Return ``values``, with those that are not fields in ``model_kwargs`` and the fields of that outside of it."""
    extra = values.get("model_kwargs", {})
    _move_unknown(extra, values, all_required_field_names)
    if misplaced := all_required_field_names & extra.keys():
        warnings.warn(_describe_misplaced(misplaced), stacklevel=7)
        values |= {name: extra.pop(name) for name in misplaced}
    values["model_kwargs"] = extra
    return values


def _move_unknown(extra: dict[str, Any], values: dict[str, Any], fields: set[str]) -> None:
    for name in list(values):
        if name in extra:
            raise ValueError(f"Found {name} supplied twice.")
        if name not in fields:
            warnings.warn(
                f"WARNING! {name} is not default parameter. {name} was transferred to model_kwargs."
                f" Please confirm that {name} is what you intended.",
                stacklevel=8,
            )
            extra[name] = values.pop(name)


def _describe_misplaced(names: set[str]) -> str:
    return (
        f"Parameters {names} should be specified explicitly. "
        "Instead they were passed in as part of `model_kwargs` parameter."
    )


def get_pydantic_field_names(pydantic_cls: Any) -> set[str]:
    """Return the names and aliases of the fields of a class: of pydantic's versions 1 and 2, or of Millstream."""
    names = set()
    for name, alias, _default in _fields_of(pydantic_cls):
        names |= {name, alias or name}
    return names


def pre_init(func: Callable[[Any, dict[str, Any]], Any]) -> Any:
    """Return ``func(cls, values)`` as a validator that is called before the fields are validated.

    ``values`` contains the arguments under the names of their fields, and the defaults of the fields that were left
    out or ``None``. The validator returns the values.
    """
    from pydantic import PydanticDeprecatedSince20, root_validator

    @functools.wraps(func)
    def call(cls: Any, values: dict[str, Any]) -> Any:
        return func(cls, _with_defaults(cls, values))

    # LangChain's kind of validator: validators of one class have an order, in which this one has a place.
    with warnings.catch_warnings(action="ignore", category=PydanticDeprecatedSince20):
        return root_validator(pre=True)(call)


def _with_defaults(cls: Any, values: dict[str, Any]) -> dict[str, Any]:
    filled = dict(values)
    config = getattr(cls, "model_config", None) or {}
    takes_names = hasattr(cls, "__millstream_fields__") or config.get("populate_by_name")
    for name, alias, default in _fields_of(cls):
        if alias in filled and takes_names:
            filled[name] = filled.pop(alias)
        if filled.get(name) is None and default is not None:
            filled[name] = default()
    return filled


def _fields_of(cls: Any) -> Iterator[tuple[str, str | None, Callable[[], Any] | None]]:
    """Yield the name and the alias of each field, and what returns its default unless it is required."""
    fields: dict[str, Any] = getattr(cls, "model_fields", None) or getattr(cls, "__millstream_fields__", None) or {}
    for name, field in fields.items():
        required = field.is_required() if hasattr(field, "is_required") else field.required
        yield name, field.alias, None if required else field.default_factory or functools.partial(_same, field.default)
    for name, field in {} if fields else getattr(cls, "__fields__", {}).items():
        yield name, field.alias, None if field.required else field.get_default


def _same(value: object) -> Any:
    return value

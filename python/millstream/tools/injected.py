"""Arguments that the runtime passes to a tool, not the model: their marks, and the parameters that have them."""

from __future__ import annotations

import functools
import inspect
from collections.abc import Callable
from typing import Any, get_type_hints

from .._signatures import resolve_annotation, signature_parameters
from ..function_calling.injected import is_injected
from ..function_calling.parameters import annotation_owner

__all__ = ("InjectedToolArg", "InjectedToolCallId", "injected_parameters")


class InjectedToolArg:
    """Marks an argument that the caller of the tool passes: ``Annotated[str, InjectedToolArg]``.

    The schema for the model does not have it.
    """


class InjectedToolCallId(InjectedToolArg):
    """Marks the argument that receives the id of the tool call: ``Annotated[str, InjectedToolCallId]``.

    The tool must be invoked with a tool call then.
    """


class _DirectlyInjectedToolArg:
    """The base class of types whose arguments are injected without a mark: ``runtime: MyRuntime``."""


def injected_parameters(function: Callable[..., Any]) -> frozenset[str]:
    """Return the names of the parameters that are injected.

    Each annotation is resolved by itself where resolving all of them fails. One that cannot be resolved is
    not an injected argument.
    """
    parameters = signature_parameters(function)
    owner = annotation_owner(function)
    hints = {} if owner is None else _type_hints(owner)
    namespace = _globals_of(function if owner is None else owner)
    names = set()
    for name, parameter in parameters.items():
        annotation = hints.get(name, parameter.annotation)
        if isinstance(annotation, str):
            annotation = _resolve(annotation, namespace)
        if is_injected(annotation):
            names.add(name)
    return frozenset(names)


def _globals_of(function: Any) -> dict[str, Any]:
    if isinstance(function, functools.partial):
        return _globals_of(function.func)
    if inspect.ismethod(function):
        return _globals_of(function.__func__)
    found = getattr(function, "__globals__", None)
    if isinstance(found, dict):
        return found
    return {} if inspect.isroutine(function) or inspect.isclass(function) else _globals_of(function.__call__)


def _type_hints(function: Callable[..., Any]) -> dict[str, Any]:
    try:
        return get_type_hints(function, include_extras=True)
    except Exception:
        return {}


def _resolve(annotation: str, namespace: dict[str, Any]) -> Any:
    try:
        return resolve_annotation(annotation, namespace)
    except Exception:
        return None

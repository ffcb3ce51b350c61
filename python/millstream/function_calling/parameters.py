"""The functions that have the annotations of callables of any kind."""

from __future__ import annotations

import functools
import inspect
from collections.abc import Callable
from typing import Any

__all__ = ("annotation_owner",)


def annotation_owner(function: Any) -> Callable[..., Any] | None:
    """Return the function whose annotations belong to the parameters of ``inspect.signature(function)``.

    ``None`` if an explicit ``__signature__`` has them, or if there is no such function. A class has them in its
    constructor: the annotations of the class itself are those of its attributes.
    """
    found: Any = inspect.unwrap(function, stop=lambda one: hasattr(one, "__signature__") or inspect.ismethod(one))
    if inspect.ismethod(found):
        return annotation_owner(found.__func__)
    if getattr(found, "__signature__", None) is not None:
        return None
    if isinstance(found, functools.partial):
        return annotation_owner(found.func)
    if inspect.isclass(found):
        constructor = _constructor(found)
        return None if constructor is None else annotation_owner(constructor)
    if not inspect.isroutine(found):
        return annotation_owner(found.__call__)
    owner: Callable[..., Any] = found
    return owner


def _constructor(cls: type) -> Callable[..., Any] | None:
    """Return the constructor that ``inspect.signature`` reads: the metaclass's first, then the class's own."""
    if type(cls) is not type:
        call = inspect.getattr_static(type(cls), "__call__", None)
        if inspect.isfunction(call):
            return call
    own = [getattr(cls, name) for name in ("__new__", "__init__") if name in cls.__dict__]
    inherited = [getattr(cls, name) for name in ("__new__", "__init__") if inspect.isfunction(getattr(cls, name))]
    return next(iter((*own, *inherited)), None)

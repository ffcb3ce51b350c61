"""``never_waits``: functions of the standard library that only compute, and so need no thread in async code."""

from __future__ import annotations

from operator import attrgetter, itemgetter
from types import BuiltinFunctionType, MethodDescriptorType
from typing import Any

__all__ = ("never_waits",)

_TYPES: frozenset[Any] = frozenset((bool, bytes, dict, float, frozenset, int, list, set, str, tuple))
_FUNCTIONS: frozenset[Any] = frozenset((abs, all, any, chr, len, max, min, ord, repr, round, sorted, sum))


def never_waits(function: Any) -> bool:
    """Return whether ``function`` is a built-in type or function, a method of such a type, or a getter.

    ``operator.methodcaller`` is none of these: the method that it calls may be a user's.
    """
    kind = type(function)
    if kind is MethodDescriptorType:
        return function.__objclass__ in _TYPES
    if kind is BuiltinFunctionType:
        return type(function.__self__) in _TYPES or function in _FUNCTIONS
    return kind in (attrgetter, itemgetter) or (kind is type and function in _TYPES)

"""The signatures of tools' functions: which of the runtime's arguments they take."""

from __future__ import annotations

import functools
from collections.abc import Callable
from typing import Any, get_type_hints
from weakref import WeakKeyDictionary

from .._signatures import signature_parameters
from ..runnables.config import RunnableConfig
from .injected import injected_parameters

__all__ = ("injected_names", "takes_parameter")


class _Taken:
    """What a function takes of the runtime's arguments."""

    __slots__ = ("config", "injected", "is_known", "names")

    def __init__(self, function: Callable[..., Any]) -> None:
        self.names = frozenset(signature_parameters(function))
        self.injected = injected_parameters(function)
        try:
            hints = get_type_hints(function.func if isinstance(function, functools.partial) else function)
            self.is_known = True
        except Exception:
            # A name may be defined later.
            hints, self.is_known = {}, False
        self.config = next((name for name, hint in hints.items() if _is_config(hint)), None)


# Reading a signature takes longer than the rest of a call.
_TAKEN: WeakKeyDictionary[Any, _Taken] = WeakKeyDictionary()


def _taken_by(function: Callable[..., Any]) -> _Taken:
    # Each access to a method makes a new object; the function in it stays.
    key = getattr(function, "__func__", function)
    try:
        found = _TAKEN.get(key)
        if found is None:
            found = _Taken(function)
            if found.is_known:
                _TAKEN[key] = found
        return found
    except TypeError:
        # It has no hash, or no weak references.
        return _Taken(function)


def takes_parameter(function: Callable[..., Any], name: str) -> bool:
    """Return whether ``function`` has a parameter ``name``."""
    return name in _taken_by(function).names


def _get_runnable_config_param(function: Callable[..., Any]) -> str | None:
    """Return the name of the parameter that is annotated as ``RunnableConfig``, if any."""
    return _taken_by(function).config


def injected_names(function: Callable[..., Any]) -> frozenset[str]:
    """Return the names of the parameters that are injected."""
    return _taken_by(function).injected


def _is_config(hint: object) -> bool:
    # LangChain's own type counts too.
    return hint is RunnableConfig or (
        getattr(hint, "__name__", "") == "RunnableConfig" and hasattr(hint, "__required_keys__")
    )

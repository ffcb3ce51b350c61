"""``coerce_to_runnable`` turns functions, generator functions and dicts into steps of chains."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Mapping
from typing import Any

from .._late import late
from .arguments import is_async_generator
from .foreign import as_runnable
from .functions import RunnableLambda
from .generator import RunnableGenerator
from .runnable import Input, Output, Runnable

__all__ = ("RunnableLike", "coerce_to_runnable")

RunnableLike = Runnable[Input, Output] | Callable[..., Any] | Mapping[str, Any]
"""A step of a chain, before it is a Runnable."""


def coerce_to_runnable(thing: object) -> Runnable[Any, Any]:
    """Return ``thing`` as a Runnable.

    A generator function becomes a :class:`RunnableGenerator`, another callable a :class:`RunnableLambda`, a dict a
    :class:`~millstream.runnables.RunnableParallel`; LangChain's Runnables are called through their own methods.
    Raises :class:`TypeError` for anything else.
    """
    if (runnable := as_runnable(thing)) is not None:
        return runnable
    if is_async_generator(thing) or inspect.isgeneratorfunction(thing):
        return RunnableGenerator(thing)
    if callable(thing):
        return RunnableLambda(thing)
    if isinstance(thing, dict):
        parallel: Runnable[Any, Any] = late("RunnableParallel")(thing)
        return parallel
    raise TypeError(
        f"Expected a Runnable, callable or dict. Instead got an unsupported type: {type(thing)}. A constant is a step"
        " as a function: lambda _: value"
    )

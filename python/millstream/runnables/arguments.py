"""The arguments of users' functions: which of ``config`` and ``run_manager`` they take, and whether they are async."""

from __future__ import annotations

import inspect
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from functools import partial
from typing import Any, TypeGuard

from .._signatures import signature_parameters

__all__ = (
    "acall_func_with_variable_args",
    "accepts_config",
    "accepts_context",
    "accepts_run_manager",
    "bind_arguments",
    "call_func_with_variable_args",
    "is_async_callable",
    "is_async_generator",
)


def accepts_run_manager(callable: Callable[..., Any]) -> bool:
    """Return whether ``callable`` has a parameter ``run_manager``."""
    return "run_manager" in _parameters(callable)


def accepts_config(callable: Callable[..., Any]) -> bool:
    """Return whether ``callable`` has a parameter ``config``."""
    return "config" in _parameters(callable)


def accepts_context(callable: Callable[..., Any]) -> bool:
    """Return whether ``callable`` has a parameter ``context``."""
    return "context" in _parameters(callable)


def _parameters(callable: Callable[..., Any]) -> Mapping[str, Any]:
    try:
        return signature_parameters(callable)
    except ValueError:
        return {}


def bind_arguments(func: Any, kwargs: dict[str, Any], run: Any, config: Mapping[str, Any]) -> Callable[[Any], Any]:
    """Return ``func`` with ``config`` and ``run_manager``, if it has such parameters, and ``kwargs``."""
    names = _parameters(func)
    asked: dict[str, Any] = {"config": config, "run_manager": run}
    given = {name: value for name, value in asked.items() if name in names and value is not None}
    return partial(func, **{**kwargs, **given}) if kwargs or given else func


def call_func_with_variable_args(
    func: Callable[..., Any], input: Any, config: Mapping[str, Any], run_manager: Any = None, **kwargs: Any
) -> Any:
    """Return ``func(input, **kwargs)``, with ``config`` and ``run_manager`` if it has such parameters.

    The configuration is then the one that the child runs of ``run_manager`` inherit.
    """
    if accepts_config(func) and run_manager is not None:
        # The name and the id are those of the run itself.
        kept = {key: value for key, value in config.items() if key not in ("run_name", "run_id")}
        config = {**kept, "callbacks": run_manager.get_child()}
    return bind_arguments(func, kwargs, run_manager, config)(input)


acall_func_with_variable_args = call_func_with_variable_args


def is_async_generator(func: object) -> TypeGuard[Callable[..., AsyncIterator[Any]]]:
    """Return whether ``func``, or its ``__call__``, is an async generator function."""
    return inspect.isasyncgenfunction(func) or inspect.isasyncgenfunction(getattr(func, "__call__", None))  # noqa: B004


def is_async_callable(func: object) -> TypeGuard[Callable[..., Awaitable[Any]]]:
    """Return whether ``func``, or its ``__call__``, is a coroutine function."""
    return inspect.iscoroutinefunction(func) or inspect.iscoroutinefunction(getattr(func, "__call__", None))  # noqa: B004

"""LangChain's names for what surrounds a call: the managers of its configuration, its context, and executors."""

from __future__ import annotations

import contextvars
from collections.abc import Callable, Generator, Iterable, Iterator, Mapping
from concurrent.futures import Executor, Future, ThreadPoolExecutor
from contextlib import contextmanager
from functools import partial
from typing import Any, ParamSpec, TypeVar

from .._context import var_child_runnable_config
from ..callbacks.managers import AsyncCallbackManager, CallbackManager

__all__ = (
    "ContextThreadPoolExecutor",
    "get_async_callback_manager_for_config",
    "get_callback_manager_for_config",
    "get_executor_for_config",
    "set_config_context",
)

P = ParamSpec("P")
T = TypeVar("T")


def get_callback_manager_for_config(config: Mapping[str, Any]) -> CallbackManager:
    """Return the manager of the callbacks, tags and metadata of ``config``."""
    return CallbackManager.configure(
        config.get("callbacks"), inheritable_tags=config.get("tags"), inheritable_metadata=config.get("metadata")
    )


def get_async_callback_manager_for_config(config: Mapping[str, Any]) -> AsyncCallbackManager:
    """Return the manager of the callbacks, tags and metadata of ``config``, for async code."""
    return AsyncCallbackManager.configure(
        config.get("callbacks"), inheritable_tags=config.get("tags"), inheritable_metadata=config.get("metadata")
    )


@contextmanager
def set_config_context(config: Mapping[str, Any]) -> Generator[contextvars.Context, None, None]:
    """Yield a copy of the current context in which new runs inherit ``config``."""
    context = contextvars.copy_context()
    token = context.run(var_child_runnable_config.set, config)
    try:
        yield context
    finally:
        context.run(var_child_runnable_config.reset, token)


class ContextThreadPoolExecutor(ThreadPoolExecutor):
    """A pool of threads whose calls run in a copy of the context in which they are submitted."""

    def submit(self, func: Callable[P, T], *args: P.args, **kwargs: P.kwargs) -> Future[T]:  # type: ignore[override]
        """Submit a call."""
        return super().submit(partial(contextvars.copy_context().run, func, *args, **kwargs))

    def map(self, fn: Callable[..., T], *iterables: Iterable[Any], **kwargs: Any) -> Iterator[T]:
        """Call ``fn`` with the items of the iterables, each call in a context of its own."""
        current = contextvars.copy_context()
        return super().map(lambda *args: current.copy().run(fn, *args), *iterables, **kwargs)


@contextmanager
def get_executor_for_config(config: Mapping[str, Any] | None) -> Generator[Executor, None, None]:
    """Yield a pool of as many threads as ``config`` allows; it is shut down at the end."""
    with ContextThreadPoolExecutor(max_workers=(config or {}).get("max_concurrency")) as executor:
        yield executor

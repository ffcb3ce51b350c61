"""Where code runs: the context variable of runs, coroutines in another context, calls in a thread for a loop."""

from __future__ import annotations

import contextvars
import threading
from collections.abc import Callable, Coroutine, Generator, Mapping
from contextvars import ContextVar
from typing import TYPE_CHECKING, Any, Generic, ParamSpec, Protocol, TypeVar

if TYPE_CHECKING:
    from concurrent.futures import Executor

__all__ = ("InContext", "ambient_handlers", "caller_loop", "run_in_executor", "var_child_runnable_config")

T = TypeVar("T")
P = ParamSpec("P")

var_child_runnable_config: ContextVar[Mapping[str, Any] | None] = ContextVar("child_runnable_config", default=None)
"""The configuration that child runs inherit: set while users' code runs, and never across a yield of ours."""

ambient_handlers: ContextVar[tuple[Any, ...]] = ContextVar("ambient_handlers", default=())
"""Callback handlers of all runs in the current context, whatever the configuration of the calls."""

caller_loop = threading.local()
"""``caller_loop.loop`` is the event loop that waits for this thread, while the thread runs users' sync code for it."""


class _Enterable(Protocol):
    """A ``contextvars.Context``, or what enters one."""

    def run(self, function: Callable[..., T], /, *args: Any) -> T:
        """Call ``function`` in the context."""


class InContext(Generic[T]):
    """An awaitable that runs each step of a coroutine in ``context``, in the task that awaits it.

    A task of its own would do the same, but a cancellation would reach it a turn of the loop later. What
    the loop is asked to call back later takes the context along in which it was asked.
    """

    __slots__ = ("_context", "_coroutine")

    def __init__(self, context: _Enterable, coroutine: Coroutine[Any, Any, T]) -> None:
        self._context = context
        self._coroutine = coroutine

    def __await__(self) -> Generator[Any, Any, T]:
        coroutine, run = self._coroutine, self._context.run
        step: Callable[[Any], Any] = coroutine.send
        value: Any = None
        try:
            while True:
                try:
                    awaited = run(step, value)
                except StopIteration as stop:
                    result: T = stop.value
                    return result
                try:
                    value = yield awaited
                    step = coroutine.send
                except BaseException as error:
                    step, value = coroutine.throw, error
        finally:
            coroutine.close()
            # A traceback keeps this frame, which would keep the error.
            del step, value


async def run_in_executor(
    executor_or_config: Executor | Mapping[str, Any] | None,
    func: Callable[P, T],
    *args: P.args,
    **kwargs: P.kwargs,
) -> T:
    """Run ``func`` in an executor, in a copy of the current context; a configuration stands for the loop's default one.

    Raises :class:`RuntimeError` where ``func`` raises :class:`StopIteration`, which a future cannot carry.
    """
    import asyncio

    context = contextvars.copy_context()
    loop = asyncio.get_running_loop()

    def call() -> T:
        # ``func`` may call async handlers: they run in the loop that waits for this thread.
        caller_loop.loop = loop
        try:
            return context.run(func, *args, **kwargs)
        except StopIteration as error:
            raise RuntimeError("StopIteration was raised") from error
        finally:
            caller_loop.loop = None

    executor = None if isinstance(executor_or_config, Mapping) else executor_or_config
    return await loop.run_in_executor(executor, call)

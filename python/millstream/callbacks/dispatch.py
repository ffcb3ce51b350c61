"""How one run's handlers are called: each in a context of its own, what it raises logged."""

from __future__ import annotations

import contextvars
import inspect
import logging
import threading
from collections.abc import Awaitable, Callable, Coroutine, Iterator, Mapping, Sequence
from contextlib import contextmanager
from functools import partial
from typing import TYPE_CHECKING, Any

from .._context import InContext, caller_loop, var_child_runnable_config
from ..streaming.channel import is_cancelled

if TYPE_CHECKING:
    import asyncio

__all__ = ("Listener", "Listeners")

logger = logging.getLogger("millstream")


class Listener:
    """One handler of one run.

    Its methods are called in a context that is its own for the whole run: a variable set at the
    start can be reset at the end, and nobody else sees it. Runs that begin in there are below this
    run, and the handler does not hear of them, which would never end.
    """

    __slots__ = ("_busy", "_context", "handler", "told")

    def __init__(self, handler: Any, config: Any) -> None:
        self.handler = handler
        self._context = contextvars.copy_context()
        self._context.run(var_child_runnable_config.set, config)
        self._busy = threading.Lock()
        self.told = False

    @property
    def inline(self) -> bool:
        """Whether async code may call it on the event loop."""
        return bool(getattr(self.handler, "run_inline", False))

    def method(self, event: str, ignore: str | None) -> Any:
        """Return what is to be called, or ``None`` where the handler does not want to hear of it."""
        if ignore is not None and getattr(self.handler, ignore, False):
            return None
        self.told = True
        if event == "on_chat_model_start":
            return _chat_start(self.handler)
        return getattr(self.handler, event, None)

    def run(self, function: Callable[..., Any], *args: Any, **kwargs: Any) -> Any:
        """Call ``function`` in the handler's context; in a copy of it, where a call in it is going on."""
        if not self._busy.acquire(blocking=False):
            return self._context.copy().run(function, *args, **kwargs)
        try:
            return self._context.run(function, *args, **kwargs)
        finally:
            self._busy.release()

    def failed(self, event: str, error: Exception) -> bool:
        """Log what the handler raised; return whether the handler asks for it to be raised."""
        told = f"{type(self.handler).__name__}.{event}"
        if isinstance(error, NotImplementedError):
            logger.warning("NotImplementedError in %s callback: %r", told, error)
            return False
        logger.warning("Error in %s callback: %r", told, error)
        return bool(getattr(self.handler, "raise_error", False))


class Listeners:
    """The handlers of one run, in the order in which they are called."""

    __slots__ = ("_heard",)

    def __init__(self, handlers: Sequence[Any], make_config: Callable[[Any], Any]) -> None:
        self._heard = [Listener(handler, make_config(handler)) for handler in handlers]

    def __bool__(self) -> bool:
        return bool(self._heard)

    def keep_the_told(self) -> None:
        """Forget those that have heard nothing yet."""
        self._heard = [listener for listener in self._heard if listener.told]

    def tell(self, event: str, ignore: str | None, args: Sequence[Any], kwargs: Mapping[str, Any]) -> None:
        """Call every handler; sync ones first, then those whose methods return coroutines."""
        failures = _Failures(event)
        coroutines: list[tuple[Listener, Coroutine[Any, Any, Any]]] = []
        try:
            for listener in self._heard:
                method = listener.method(event, ignore)
                if method is None:
                    continue
                with failures.of(listener):
                    result = listener.run(method, *args, **kwargs)
                    if inspect.iscoroutine(result):
                        coroutines.append((listener, result))
                    elif (wait_writable := getattr(listener.handler, "wait_writable", None)) is not None:
                        wait_writable()
        finally:
            for listener, coroutine in coroutines:
                with failures.of(listener):
                    _run_here(listener, coroutine)
        failures.raise_first()

    async def atell(self, event: str, ignore: str | None, args: Sequence[Any], kwargs: Mapping[str, Any]) -> None:
        """Call every handler, one after the other, those to be called inline first.

        Coroutine functions are awaited, sync methods called in the loop's executor unless inline.
        """
        failures = _Failures(event)
        for inline in (True, False):
            for listener in self._heard:
                if listener.inline is not inline or (method := listener.method(event, ignore)) is None:
                    continue
                with failures.of(listener):
                    await _acall(listener, partial(method, *args, **kwargs), method)
                if (await_writable := getattr(listener.handler, "await_writable", None)) is not None:
                    await await_writable()
        failures.raise_first()


class _Failures:
    """What the handlers of one call raise.

    The first that asks to be raised stops the call at once, as a cancellation does; but of a run's end
    everybody hears first.
    """

    def __init__(self, event: str) -> None:
        self._event = event
        self._waits = event.endswith(("_end", "_error"))
        self._first: BaseException | None = None

    @contextmanager
    def of(self, listener: Listener) -> Iterator[None]:
        """Take what is raised inside as the listener's."""
        try:
            yield
        except BaseException as error:
            if self._waits and is_cancelled(error):
                self._first = error
                return
            if not isinstance(error, Exception):
                raise
            if listener.failed(self._event, error):
                if not self._waits:
                    raise
                self._first = self._first or error

    def raise_first(self) -> None:
        """Raise what was to be raised at the end."""
        first, self._first = self._first, None
        if first is not None:
            try:
                raise first
            finally:
                del first


async def _acall(listener: Listener, call: Callable[[], Any], method: Any) -> None:
    import asyncio

    if inspect.iscoroutinefunction(method) or listener.inline:
        result = listener.run(call)
    else:
        result = await asyncio.get_running_loop().run_in_executor(None, listener.run, call)
    if inspect.iscoroutine(result):
        await InContext(listener, result)
    elif isinstance(result, Awaitable):
        await result


def _run_here(listener: Listener, coroutine: Coroutine[Any, Any, Any]) -> None:
    """Run an async handler's coroutine to its end, for sync code."""
    import asyncio

    loop = getattr(caller_loop, "loop", None)
    if loop is not None and loop.is_running():
        _run_in(loop, _entered(listener, coroutine))
        return
    try:
        asyncio.get_running_loop()
    except RuntimeError:
        asyncio.run(_entered(listener, coroutine))
        return
    # A loop runs in this very thread, and cannot be waited for in it.
    failures: list[BaseException] = []

    def run() -> None:
        try:
            asyncio.run(_entered(listener, coroutine))
        except BaseException as error:
            failures.append(error)

    thread = threading.Thread(target=run, name="millstream-handler")
    thread.start()
    thread.join()
    if failures:
        raise failures[0]


def _run_in(loop: asyncio.AbstractEventLoop, coroutine: Coroutine[Any, Any, Any]) -> None:
    """Run ``coroutine`` in the loop of the stream's consumer, and wait for it here; not for a loop that has ended."""
    import asyncio

    future = asyncio.run_coroutine_threadsafe(coroutine, loop)
    while True:
        try:
            future.result(timeout=1)
        except TimeoutError:
            if not future.done() and loop.is_running():
                continue
            if not future.done():
                future.cancel()
                coroutine.close()
                return
            raise
        return


def _chat_start(handler: Any) -> Any:
    """Return what tells ``handler`` of a chat model's start: as of an LLM's, where it knows no chat models."""
    method: Any = getattr(handler, "on_chat_model_start", None)

    def as_llm(serialized: Any, messages: Any, **kwargs: Any) -> Any:
        if getattr(handler, "ignore_llm", False) or not hasattr(handler, "on_llm_start"):
            return None
        from ..messages.conversion import get_buffer_string

        return handler.on_llm_start(serialized, list(map(get_buffer_string, messages)), **kwargs)

    def tell(*args: Any, **kwargs: Any) -> Any:
        try:
            return method(*args, **kwargs)
        except NotImplementedError:
            return as_llm(*args, **kwargs)

    async def atell(*args: Any, **kwargs: Any) -> None:
        try:
            told = method(*args, **kwargs)
            await told
        except NotImplementedError:
            if isinstance(told := as_llm(*args, **kwargs), Awaitable):
                await told

    if method is None:
        return as_llm
    return atell if inspect.iscoroutinefunction(method) else tell


async def _entered(listener: Listener, coroutine: Coroutine[Any, Any, Any]) -> None:
    await InContext(listener, coroutine)

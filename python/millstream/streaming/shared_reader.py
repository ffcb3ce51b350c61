"""Shared readers: each reads a stream for all who read its projections, one item at a time, when one of them asks."""

from __future__ import annotations

import sys
import threading
from collections.abc import AsyncGenerator, Generator
from contextlib import suppress
from typing import Any, Protocol

from .channel import is_cancelled
from .kept_items import Waiters

__all__ = ("AsyncSharedReader", "SharedReader", "SharedState")


class SharedState(Protocol):
    """Keeps what a shared reader reads, for the projections."""

    @property
    def done(self) -> bool:
        """Whether the last item has come, or an error."""

    @property
    def error(self) -> BaseException | None:
        """The error that ended the stream."""

    def dispatch(self, item: Any, /) -> None:
        """Take in an item."""

    def fail(self, error: BaseException, /) -> None:
        """End with an error."""


class SharedReader:
    """Reads the items of a generator into a shared state.

    The generator is run to its end behind the last item, before anybody sees that: its run has ended then, for its
    handlers too. Where the last reference to the reader goes, the generator is closed, and the connection with it.
    Threads that ask at the same time read one after the other.
    """

    __slots__ = ("_items", "_lock", "_state")

    def __init__(self, items: Generator[Any, None, None], state: SharedState) -> None:
        self._lock = threading.RLock()
        self._items: Generator[Any, None, None] | None = items
        self._state = state

    def pull(self) -> bool:
        """Read the next item; return whether there may be more."""
        with self._lock:
            items, state = self._items, self._state
            if items is None:
                return False
            try:
                state.dispatch(next(items))
            except StopIteration:
                self._items = None
            except BaseException as error:
                self._items = None
                items.close()
                state.fail(_without_frame(error))
                # From CPython 3.12 on, the frame of a generator that failed keeps those of its callers. The error
                # keeps that frame, and would be in a cycle with them.
                del self, items, state
                return False
            if state.done and self._items is not None:
                self._items = None
                with suppress(*_failures(state)):
                    for _ in items:
                        pass
            return self._items is not None

    def close(self) -> None:
        """Close the generator, and the connection with it, before this call returns."""
        items, self._items = self._items, None
        if items is not None:
            # Before the generator is closed: others who read meanwhile must not take the end for that of the answer.
            if not self._state.done:
                self._state.fail(RuntimeError("the stream was closed before its end"))
            items.close()


class AsyncSharedReader:
    """:class:`SharedReader` for async code.

    One task reads at a time, straight from the connection; others that ask meanwhile wait for what it reads. The
    cancellation of the task that reads closes the stream, for the others too.
    """

    __slots__ = ("_closing", "_items", "_reader", "_state", "_waiters")

    def __init__(self, items: AsyncGenerator[Any, None], state: SharedState) -> None:
        self._items: AsyncGenerator[Any, None] | None = items
        self._state = state
        # The task that reads, if any; ``True`` in another library's event loop.
        self._reader: Any = None
        self._closing = False
        self._waiters = Waiters()

    async def pull(self) -> bool:
        """Read the next item, or wait for a task that reads one; return whether there may be more."""
        items = self._items
        if self._reader is not None:
            await self._waiters.wait()
            return True
        if items is None:
            return False
        self._reader = _current_task()
        try:
            try:
                self._state.dispatch(await anext(items))
            except StopAsyncIteration:
                self._items = None
            if self._state.done and self._items is not None:
                self._items = None
                with suppress(*_failures(self._state)):
                    async for _ in items:
                        pass
            return self._items is not None
        except BaseException as error:
            self._items = None
            await self._fail(items, error)
            if isinstance(error, Exception) or self._is_ours(error):
                return False
            raise
        finally:
            self._reader = None
            self._waiters.wake()
            # As in :meth:`SharedReader.pull`.
            del self, items

    async def _fail(self, items: AsyncGenerator[Any, None], error: BaseException) -> None:
        if self._state.done:
            raise error
        self._state.fail(_without_frame(error))
        await items.aclose()

    def _is_ours(self, error: BaseException) -> bool:
        """Return whether :meth:`aclose` cancelled the task; if so, the task is not cancelled any more."""
        if not self._closing or not is_cancelled(error) or self._reader is True:
            return False
        self._reader.uncancel()
        return True

    async def aclose(self) -> None:
        """Close the stream, and the connection with it, before this call returns.

        A task that reads meanwhile stops reading; it receives a ``CancelledError``, as all who read on do. A stream
        whose last item has come is not cut off: its run ends first.
        """
        if self._reader is not None and self._reader is not True:
            if not self._state.done:
                self._closing = True
                self._reader.cancel()
            while self._reader is not None:
                await self._waiters.wait()
            return
        items, self._items = self._items, None
        if items is not None:
            # As in :meth:`SharedReader.close`.
            if not self._state.done:
                self._state.fail(_cancelled_error())
            await items.aclose()


def _failures(state: SharedState) -> tuple[type[Exception], ...]:
    """Return the exceptions to pass over behind the last item: all of them if the stream has failed already."""
    return () if state.error is None else (Exception,)


def _without_frame(error: BaseException) -> BaseException:
    """Return the error without the frame that caught it: that one and its callers' know who keeps the error."""
    trace = error.__traceback__
    return error if trace is None else error.with_traceback(trace.tb_next)


def _current_task() -> Any:
    """Return the task that runs; ``True`` outside asyncio."""
    asyncio = sys.modules.get("asyncio")
    try:
        return True if asyncio is None else asyncio.current_task() or True
    except RuntimeError:
        return True


def _cancelled_error() -> BaseException:
    import asyncio

    return asyncio.CancelledError("the stream was closed before its end")

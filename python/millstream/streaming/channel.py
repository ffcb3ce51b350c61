"""The line in which what users' code makes waits for the consumer of its stream."""

from __future__ import annotations

import threading
from collections.abc import Callable
from contextlib import suppress
from typing import TYPE_CHECKING, Any, TypeGuard

if TYPE_CHECKING:
    import asyncio

__all__ = ("LEFT", "LIMIT", "Handover", "is_cancelled", "is_leaving")

LIMIT = 64
"""So many items may wait in a line before the code that makes them is held up."""

LEFT = "the consumer has left the stream"
"""The message with which a task is cancelled whose consumer was not cancelled: it breaks or closes."""


def is_leaving(error: BaseException | None) -> bool:
    """Return whether ``error`` is how a consumer's leaving early looks to what makes the stream."""
    return isinstance(error, GeneratorExit) or (is_cancelled(error) and error.args == (LEFT,))


def is_cancelled(error: BaseException | None) -> TypeGuard[BaseException]:
    """Return whether ``error`` is asyncio's cancellation."""
    # By name: sync code does without asyncio, and need not wait for its import.
    return type(error).__name__ == "CancelledError"


class Handover:
    """A bounded line of items, from code that runs by itself to the consumer of a stream.

    The consumer takes all that is there at once, and is woken once for it. Whoever makes items
    waits while :data:`LIMIT` of them are there; with ``lockstep``, until the consumer has taken the
    last one and asks for more. Methods may be called from any thread.
    """

    __slots__ = (
        *("_consumer", "_items", "_lock", "_lockstep", "_over", "_producers"),
        *("closed", "error", "leaving", "paused"),
    )

    def __init__(self, *, lockstep: bool = False) -> None:
        self._lock = threading.Lock()
        self._lockstep = lockstep
        self._items: list[Any] = []
        self._over = False
        self._consumer: Callable[[], None] | None = None
        self._producers: list[Callable[[], None]] = []
        self.closed = False
        self.paused = False
        self.error: BaseException | None = None
        self.leaving: BaseException | None = None

    # For whoever makes items.

    def put(self, item: Any) -> None:
        """Add an item, and never wait; an item for a consumer who has left is dropped."""
        with self._lock:
            if self.closed:
                return
            self._items.append(item)
            wake, self._consumer = self._consumer, None
        if wake is not None:
            wake()

    @property
    def full(self) -> bool:
        """Whether to wait before the next item is made."""
        if self.closed:
            return False
        if self._lockstep:
            return bool(self._items) or self._consumer is None
        return len(self._items) >= LIMIT

    async def aroom(self) -> None:
        """Wait until there is room, or the consumer has left."""
        while self.full:
            wake, future = _future()
            with self._lock:
                if not self.full:
                    return
                self._producers.append(wake)
            await future

    def room(self) -> None:
        """Wait until there is room, or the consumer has left; this blocks the thread."""
        while self.full:
            event = threading.Event()
            with self._lock:
                if not self.full:
                    return
                self._producers.append(event.set)
            event.wait()

    def finish(self, error: BaseException | None) -> None:
        """Say that nothing more comes, and by which error, if by one; only the first call counts."""
        with self._lock:
            if self._over:
                return
            self._over = True
            self.leaving = None
            # The end that the consumer asked for is no error; what came instead of it is.
            self.error = error if not self.closed or isinstance(error, Exception) else None
            wake, self._consumer = self._consumer, None
        if wake is not None:
            wake()

    # For the consumer.

    async def atake(self) -> list[Any]:
        """Return all items that are there, waiting for the first; none at the end."""
        while True:
            wake, future = _future() if not self._items else (None, None)
            items, over = self._taken(wake)
            if items or over or future is None:
                return items
            await future

    def take(self) -> list[Any]:
        """Return all items that are there, waiting for the first; none at the end."""
        while True:
            event = threading.Event()
            items, over = self._taken(event.set)
            if items or over:
                return items
            event.wait()

    def close(self, leaving: BaseException | None) -> None:
        """Drop what is there, and let everybody know that the consumer has left, by ``leaving``."""
        with self._lock:
            self.closed = True
            self.error = None
            # Both are exceptions whose frames know this line: kept, they would be in a cycle.
            self.leaving = None if self._over else leaving
            self._items = []
            producers, self._producers = self._producers, []
        for wake in producers:
            wake()

    def _taken(self, consumer: Callable[[], None] | None) -> tuple[list[Any], bool]:
        """Return the items, and whether no more will come; if more may, ``consumer`` is woken for the next."""
        with self._lock:
            items, self._items = self._items, []
            over = self._over
            if not items and not over:
                self._consumer = consumer
            # In lockstep, taking alone makes no room: asking again does.
            producers: list[Callable[[], None]] = []
            if not self._lockstep or not items:
                producers, self._producers = self._producers, []
        for wake in producers:
            wake()
        return items, over


def _future() -> tuple[Callable[[], None], asyncio.Future[None]]:
    """Return a future of the running loop, and what sets it from any thread."""
    import asyncio

    loop = asyncio.get_running_loop()
    future: asyncio.Future[None] = loop.create_future()
    home = threading.get_ident()

    def set_it() -> None:
        if not future.done():
            future.set_result(None)

    def wake() -> None:
        if threading.get_ident() == home:
            set_it()
        else:
            # The loop may have ended before a thread that nobody waits for.
            with suppress(RuntimeError):
                loop.call_soon_threadsafe(set_it)

    return wake, future

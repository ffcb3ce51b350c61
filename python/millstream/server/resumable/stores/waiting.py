"""Followers that wait for a stream to grow, woken from any thread."""

from __future__ import annotations

import asyncio
import threading
import time
from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager, suppress

from ..ids import Position
from .base import Page

__all__ = ("Waiters", "read_waiting")

MAX_WAIT_SECONDS = 1.0


class Waiters:
    """The events of followers that wait, by stream."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._events: dict[str, set[tuple[asyncio.AbstractEventLoop, asyncio.Event]]] = {}

    def __bool__(self) -> bool:
        return bool(self._events)

    def has(self, stream_id: str) -> bool:
        """Return whether someone waits for the stream."""
        return stream_id in self._events

    @contextmanager
    def waiting(self, stream_id: str) -> Iterator[asyncio.Event]:
        """Return an event that is set whenever the stream changes."""
        entry = asyncio.get_running_loop(), asyncio.Event()
        with self._lock:
            self._events.setdefault(stream_id, set()).add(entry)
        try:
            yield entry[1]
        finally:
            with self._lock:
                entries = self._events[stream_id]
                entries.discard(entry)
                if not entries:
                    del self._events[stream_id]

    def wake(self, stream_id: str) -> None:
        """Wake those who wait for the stream."""
        with self._lock:
            entries = list(self._events.get(stream_id, ()))
        for loop, event in entries:
            with suppress(RuntimeError):  # its loop is closed
                loop.call_soon_threadsafe(event.set)

    def wake_all(self) -> None:
        """Wake everyone."""
        for stream_id in list(self._events):
            self.wake(stream_id)


async def read_waiting(
    waiters: Waiters,
    stream_id: str,
    after: Position,
    wait: float,
    read: Callable[[], Awaitable[Page | None]],
) -> Page | None:
    """Return what ``read`` returns once it has news behind ``after``, or when ``wait`` seconds are over.

    It reads at least once a second: a lost wake-up, and a lease that runs out, delay a follower and no more.
    """
    if wait <= 0:
        return await read()
    deadline = time.monotonic() + wait
    with waiters.waiting(stream_id) as changed:
        while True:
            changed.clear()
            page = await read()
            left = deadline - time.monotonic()
            quiet = page is not None and not page.blocks and page.status == "running" and not page.expired
            if not quiet or left <= 0 or (page is not None and after.epoch < page.epoch):
                return page
            with suppress(TimeoutError):
                await asyncio.wait_for(changed.wait(), min(left, MAX_WAIT_SECONDS))

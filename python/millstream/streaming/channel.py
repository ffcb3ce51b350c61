"""A bounded channel between user code that produces items and the consumer of its stream."""

from __future__ import annotations

import threading
from collections.abc import Callable, Mapping
from contextlib import suppress
from typing import TYPE_CHECKING, Any, TypeGuard

if TYPE_CHECKING:
    import asyncio

__all__ = (
    "CONSUMER_LEFT",
    "MAX_BUFFERED_ITEMS",
    "Channel",
    "areceive_any",
    "is_cancelled",
    "is_leaving",
    "receive_any",
)

MAX_BUFFERED_ITEMS = 64
"""Maximum number of buffered items; the producer waits beyond it."""

CONSUMER_LEFT = "the consumer has left the stream"
"""The message of the cancellation of a worker task whose consumer was not cancelled, but broke off or closed."""


def is_leaving(error: BaseException | None) -> bool:
    """Return whether the producer sees in ``error`` that the consumer has left early."""
    return isinstance(error, GeneratorExit) or (is_cancelled(error) and error.args == (CONSUMER_LEFT,))


def is_cancelled(error: BaseException | None) -> TypeGuard[BaseException]:
    """Return whether ``error`` is asyncio's cancellation."""
    # By name: sync code does without asyncio, and need not wait for its import.
    return type(error).__name__ == "CancelledError"


class Channel:
    """A bounded queue of items, from a worker (user code in its own task or thread) to the consumer of a stream.

    The consumer receives all buffered items at once, and is woken once for them. The producer waits while
    :data:`MAX_BUFFERED_ITEMS` are buffered; with ``rendezvous``, until the consumer has received the last
    item and asks for more. Methods may be called from any thread.

    It is not ``asyncio.Queue``, since each end may be a task or a thread: what waits leaves a function that
    wakes it, an event's for threads or a future's for tasks, and is woken outside the lock. The ends differ:

    * ``finish(error)`` is the producer's. The consumer still receives what is buffered, then the error.
    * ``close(leaving)`` is the consumer's. Buffered items are dropped, waiting producers are woken, and each
      ``send`` from then on does nothing. ``leaving`` is the consumer's exception, which :func:`~.workers.pump`
      passes on to the user's iterator.
    * Whichever comes first counts: an error behind ``close`` is kept only if it is one of the user's code
      (an ``Exception``), and not the end that the consumer asked for.
    """

    __slots__ = (
        *("_consumer", "_has_ended", "_items", "_lock", "_producers", "_rendezvous"),
        *("closed", "error", "leaving", "paused"),
    )

    def __init__(self, *, rendezvous: bool = False) -> None:
        self._lock = threading.Lock()
        self._rendezvous = rendezvous
        self._items: list[Any] = []
        # The producer sends nothing more.
        self._has_ended = False
        # The functions that wake a waiting consumer, and waiting producers.
        self._consumer: Callable[[], None] | None = None
        self._producers: list[Callable[[], None]] = []
        # The consumer has left: items are dropped, and the producer is to stop.
        self.closed = False
        # The producer only waits for the consumer: it may be stopped without losing an item.
        self.paused = False
        # The error that ended the producer, and the one by which the consumer left.
        self.error: BaseException | None = None
        self.leaving: BaseException | None = None

    # For the producer.

    def send(self, item: object) -> None:
        """Add an item, and never wait; an item for a consumer who has left is dropped."""
        with self._lock:
            if self.closed:
                return
            self._items.append(item)
            wake, self._consumer = self._consumer, None
        if wake is not None:
            wake()

    @property
    def is_full(self) -> bool:
        """Whether the producer has to wait before it makes the next item."""
        if self.closed:
            return False
        if self._rendezvous:
            return bool(self._items) or self._consumer is None
        return len(self._items) >= MAX_BUFFERED_ITEMS

    async def await_writable(self) -> None:
        """Wait until there is room, or the consumer has left."""
        while self.is_full:
            wake, future = _make_future()
            with self._lock:
                if not self.is_full:
                    return
                self._producers.append(wake)
            await future

    def wait_writable(self) -> None:
        """Wait until there is room, or the consumer has left; this blocks the thread."""
        while self.is_full:
            waiter = _make_waiter()
            with self._lock:
                if not self.is_full:
                    return
                self._producers.append(waiter.release)
            waiter.acquire()

    def end(self, error: BaseException | None) -> None:
        """End the channel, with the error that ended the producer; only the first call counts."""
        with self._lock:
            if self._has_ended:
                return
            self._has_ended = True
            self.leaving = None
            # The end that the consumer asked for is no error; what came instead of it is.
            self.error = error if not self.closed or isinstance(error, Exception) else None
            wake, self._consumer = self._consumer, None
        if wake is not None:
            wake()

    # For the consumer.

    async def areceive(self) -> list[Any]:
        """Return all buffered items, after waiting for the first one; an empty list at the end."""
        while True:
            wake, future = _make_future() if not self._items else (None, None)
            items, ended = self.take(wake)
            if items or ended or future is None:
                return items
            await future

    def receive(self) -> list[Any]:
        """Return all buffered items, after waiting for the first one; an empty list at the end."""
        while True:
            waiter = _make_waiter()
            items, ended = self.take(waiter.release)
            if items or ended:
                return items
            waiter.acquire()

    async def await_readable(self, seconds: float) -> bool:
        """Wait for an item or the end, at most ``seconds``; return whether there is one of them."""
        wake, future = _make_future()
        if not self._check_readable(wake):
            timer = future.get_loop().call_later(seconds, wake)
            try:
                await future
            finally:
                timer.cancel()
        return self._check_readable(None)

    def wait_readable(self, seconds: float) -> bool:
        """Wait for an item or the end, at most ``seconds``; return whether there is one of them."""
        waiter = _make_waiter()
        return self._check_readable(waiter.release) or waiter.acquire(timeout=seconds)

    def _check_readable(self, consumer: Callable[[], None] | None) -> bool:
        """Return whether there is an item or the end; if not, the next one calls ``consumer``, as in :meth:`take`."""
        with self._lock:
            if self._items or self._has_ended:
                return True
            self._consumer = consumer
            producers, self._producers = self._producers, []
        for wake in producers:
            wake()
        return False

    def close(self, leaving: BaseException | None) -> None:
        """Drop the buffered items and wake the producers: the consumer has left, by the exception ``leaving``."""
        with self._lock:
            self.closed = True
            self.error = None
            # The frames of both exceptions refer to this channel: kept here, they would be in a cycle with it.
            self.leaving = None if self._has_ended else leaving
            self._items = []
            producers, self._producers = self._producers, []
        for wake in producers:
            wake()

    def take(self, consumer: Callable[[], None] | None) -> tuple[list[Any], bool]:
        """Return the items, and whether the channel has ended; if neither, the next item calls ``consumer``."""
        with self._lock:
            items, self._items = self._items, []
            ended = self._has_ended
            if not items and not ended:
                self._consumer = consumer
            # With rendezvous the producer goes on when the consumer asks again, not when it receives.
            producers: list[Callable[[], None]] = []
            if not self._rendezvous or not items:
                producers, self._producers = self._producers, []
        for wake in producers:
            wake()
        return items, ended


Received = list[tuple[Any, list[Any], bool]]
"""The key of each channel that has items or has ended, its items, and whether it has ended."""


async def areceive_any(channels: Mapping[Any, Channel]) -> Received:
    """Return what has arrived in any of ``channels``, after waiting for the first of it."""
    while True:
        wake, future = _make_future()
        if received := _take_all(channels, wake):
            return received
        await future


def receive_any(channels: Mapping[Any, Channel]) -> Received:
    """Return what has arrived in any of ``channels``, after waiting for the first of it."""
    while True:
        event = threading.Event()
        if received := _take_all(channels, event.set):
            return received
        event.wait()


def _take_all(channels: Mapping[Any, Channel], consumer: Callable[[], None]) -> Received:
    taken = [(key, *channel.take(consumer)) for key, channel in channels.items()]
    return [(key, items, ended) for key, items, ended in taken if items or ended]


def _make_waiter() -> threading.Lock:
    """Return a lock whose release wakes one thread, at a part of the cost of a ``threading.Event``."""
    lock = threading.Lock()
    lock.acquire()
    return lock


def _make_future() -> tuple[Callable[[], None], asyncio.Future[None]]:
    """Return a function that may be called in any thread, and the future of the running loop that it sets."""
    import asyncio

    loop = asyncio.get_running_loop()
    future: asyncio.Future[None] = loop.create_future()
    loop_thread = threading.get_ident()

    def set_it() -> None:
        if not future.done():
            future.set_result(None)

    def wake() -> None:
        if threading.get_ident() == loop_thread:
            set_it()
        else:
            # The loop may be closed before a worker thread ends that nobody waits for.
            with suppress(RuntimeError):
                loop.call_soon_threadsafe(set_it)

    return wake, future

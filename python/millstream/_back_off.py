"""The back-off that the calls of one batch share: a server that has refused one of them is left alone by all.

It does no I/O and reads no clock: a request asks its :class:`Turn` how long to wait, waits, and asks again. Threads
and tasks may share it. A thread waits by :func:`pause`, which ends with the batch.
"""

from __future__ import annotations

import contextvars
import threading
import time
import weakref
from collections.abc import Callable, Generator, Hashable, Iterable
from contextlib import contextmanager
from contextvars import ContextVar
from functools import partial
from typing import Any

__all__ = (
    "BatchEnded",
    "Ending",
    "SharedBackOff",
    "Turn",
    "find_shared_back_off",
    "in_own_contexts",
    "pause",
    "sharing_back_off",
)

# The bounds, in seconds, of the time between two groups of requests after a wait.
_SHORTEST_STEP = 0.05
_LONGEST_STEP = 1.0


class SharedBackOff:
    """The waits of one batch: each *lane* (a server, a key, a model) has its own."""

    def __init__(self) -> None:
        self._lanes: dict[Hashable, _Lane] = {}

    def take_turn(self, lane: Hashable) -> Turn:
        """Return the turn of one request in ``lane``."""
        return Turn(self._lanes.setdefault(lane, _Lane()))


class _Lane:
    """When requests may be sent again.

    After a refusal the lane is closed until ``opens_at``. Then the waiting requests are sent in groups of 1, 2, 4, 8
    and so on, ``step`` seconds apart: twice the time that the refusal took, so that the next group is sent when it is
    known whether the server has refused this one. ``waits`` counts the refusals that closed the lane, and ``places``
    the requests that have a place in the current wait.
    """

    __slots__ = ("lock", "opens_at", "places", "step", "waits")

    def __init__(self) -> None:
        self.lock = threading.Lock()
        self.waits = self.places = 0
        self.opens_at = self.step = 0.0


class Turn:
    """When one request may be sent: the first time, and after each refusal."""

    __slots__ = ("_lane", "_place", "_sent_at", "_wait")

    def __init__(self, lane: _Lane) -> None:
        self._lane = lane
        self._wait = self._place = 0
        self._sent_at = 0.0

    def seconds_left(self, now: float) -> float:
        """Return the seconds to wait before asking again; 0 if the request is to be sent now."""
        lane = self._lane
        with lane.lock:
            seconds = self._find_time() - now if lane.waits else 0.0
        if seconds > 0:
            return seconds
        self._sent_at = now
        return 0.0

    def refuse(self, now: float, seconds: float, *, is_last: bool) -> None:
        """Close the lane for ``seconds``: the server has refused the request; ``is_last`` if it is not sent again."""
        lane = self._lane
        with lane.lock:
            # Requests that were under way at the first refusal are refused too: that is the same wait.
            if not lane.waits or now >= lane.opens_at:
                lane.waits += 1
                lane.places = 0
                lane.step = min(max(_SHORTEST_STEP, 2 * (now - self._sent_at)), _LONGEST_STEP)
            lane.opens_at = max(lane.opens_at, now + seconds)
            # The refused request is among the first to be sent.
            if not is_last:
                self._find_time()

    def _find_time(self) -> float:
        """Return the time of this request's place in the current wait."""
        lane = self._lane
        if self._wait != lane.waits:
            self._wait, self._place = lane.waits, lane.places
            lane.places += 1
        return lane.opens_at + lane.step * ((self._place + 1).bit_length() - 1)


_shared: ContextVar[SharedBackOff | None] = ContextVar("shared_back_off", default=None)


def find_shared_back_off() -> SharedBackOff | None:
    """Return the back-off of the batch that runs this code; ``None`` outside of batches."""
    return _shared.get()


@contextmanager
def sharing_back_off() -> Generator[None, None, None]:
    """Let the threads and tasks that are made in the block share a back-off, that of an outer batch if there is one."""
    token = _shared.set(_shared.get() or SharedBackOff())
    try:
        yield
    finally:
        _shared.reset(token)


class BatchEnded(GeneratorExit):
    """The batch of a call that waits has failed, or was left: nobody takes the call's result."""


class Ending:
    """Whether a batch in threads, or one around it, has ended before its calls."""

    def __init__(self) -> None:
        self._event = threading.Event()
        self._inner: weakref.WeakSet[Ending] = weakref.WeakSet()
        self._lock = threading.Lock()
        if (outer := _ending.get()) is not None:
            outer._add(self)

    def _add(self, inner: Ending) -> None:
        with self._lock:
            self._inner.add(inner)
        if self._event.is_set():
            inner.set()

    def set(self) -> None:
        """End the waits of the batch, and of those in it."""
        self._event.set()
        with self._lock:
            inner = list(self._inner)
        for one in inner:
            one.set()

    def wait(self, seconds: float) -> bool:
        """Wait, at most until the end; return whether it has come."""
        return self._event.wait(seconds)


_ending: ContextVar[Ending | None] = ContextVar("batch_ending", default=None)


def pause(seconds: float) -> None:
    """Wait in a thread; raise :class:`BatchEnded` if its batch ends before."""
    if (ending := _ending.get()) is None:
        time.sleep(seconds)
    elif ending.wait(seconds):
        raise BatchEnded


def in_own_contexts(calls: Iterable[Callable[[], Any]], ending: Ending) -> list[Callable[[], Any]]:
    """Return ``calls`` for threads: each runs in a copy of the caller's context, and all share a back-off."""
    token = _ending.set(ending)
    try:
        with sharing_back_off():
            return [partial(contextvars.copy_context().run, call) for call in calls]
    finally:
        _ending.reset(token)

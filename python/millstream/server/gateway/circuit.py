"""``Circuit``: whether an upstream is asked, after its failures."""

from __future__ import annotations

import time
from collections.abc import Callable

__all__ = ("Circuit",)


class Circuit:
    """Whether an upstream is asked: not for a while after so many failures in a row, then with one request first.

    An answer that begins lets the next requests through, and one more failure stops them again. An answer that is
    complete forgets the failures: an upstream whose answers begin, and then break off, is not well.
    """

    __slots__ = ("_failures", "_limit", "_now", "_open_until", "_seconds", "is_probing")

    def __init__(self, limit: int, seconds: float, now: Callable[[], float] = time.monotonic) -> None:
        self._limit = limit
        self._seconds = seconds
        self._now = now
        self._failures = 0
        self._open_until = 0.0
        self.is_probing = False

    def has_limits(self, limit: int, seconds: float) -> bool:
        """Return whether these are the circuit's settings."""
        return (self._limit, self._seconds) == (limit, seconds)

    @property
    def state(self) -> str:
        """``"closed"`` while the upstream is asked, ``"open"`` while it is not, ``"half-open"`` for one request."""
        if self._failures < self._limit:
            return "closed"
        return "open" if self._now() < self._open_until else "half-open"

    def allows(self) -> bool:
        """Return whether the upstream may be asked now; after the wait, one request finds out for all others."""
        state = self.state
        if state == "half-open" and not self.is_probing:
            self.is_probing = True
            return True
        return state == "closed"

    def seconds_left(self) -> float:
        """Return the seconds until the upstream may be asked again."""
        return max(0.0, self._open_until - self._now())

    def begin(self) -> None:
        """Note an answer that begins."""
        if self.state == "half-open":
            self._failures = self._limit - 1
        self.is_probing = False

    def succeed(self) -> None:
        """Note an answer that came as it should. One from before the circuit opened does not close it."""
        if self.state == "closed":
            self._failures = 0

    def fail(self) -> None:
        """Note a failure of the upstream."""
        self._failures += 1
        self.is_probing = False
        if self._failures >= self._limit:
            self._open_until = self._now() + self._seconds

    def release(self) -> None:
        """Note that a request ended without an answer and without a failure of the upstream."""
        self.is_probing = False

"""``ChunkTimes``: when the chunks of one stream were written, for a server's metrics."""

import time
from bisect import bisect_left
from typing import NoReturn, final

from .value import Sealed

__all__ = ("ChunkTimes",)


@final
class ChunkTimes(Sealed):
    """Measures the times of one stream's chunks; its clock starts with the object.

    A decoder that writes with a measured writer counts each call that returns records as a chunk. ``BOUNDS`` are the
    upper bounds of the histogram in seconds, each inclusive.
    """

    __module__ = "millstream"
    __slots__ = ("_counts", "_first", "_last", "_start", "_total")

    BOUNDS = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0)

    def __init__(self) -> None:
        self._start = self._last = time.monotonic()
        self._first: float | None = None
        self._counts = [0] * (len(self.BOUNDS) + 1)
        self._total = 0.0

    @property
    def first(self) -> float | None:
        """The seconds from the object's creation to the first chunk, or ``None`` if there was none."""
        return self._first

    @property
    def counts(self) -> tuple[int, ...]:
        """How many chunks came how long after the one before: one count for each bound, and one beyond them."""
        return tuple(self._counts)

    @property
    def total(self) -> float:
        """The seconds from the first chunk to the last one."""
        return self._total

    def _note(self) -> None:
        """Take note of a chunk."""
        now = time.monotonic()
        if self._first is None:
            self._first = now - self._start
        else:
            seconds = now - self._last
            self._counts[bisect_left(self.BOUNDS, seconds)] += 1
            self._total += seconds
        self._last = now

    def __repr__(self) -> str:
        return f"<millstream.ChunkTimes of {sum(self._counts) + (self._first is not None)} chunks>"

    def __reduce__(self) -> NoReturn:
        raise TypeError("ChunkTimes objects cannot be pickled")

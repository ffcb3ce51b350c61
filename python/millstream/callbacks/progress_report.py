"""``ProgressReport``: how far a batch is."""

from __future__ import annotations

from typing import NamedTuple

__all__ = ("ProgressReport",)


class ProgressReport(NamedTuple):
    """How far a batch is.

    ``done`` inputs of ``total`` have ended, ``failed`` of them with an exception. ``total`` is ``None`` if it is not
    known. ``tokens`` is the number of tokens that all models have counted so far, in prompts and answers. ``seconds``
    have passed since the start.
    """

    done: int
    total: int | None
    failed: int
    tokens: int
    seconds: float

    @property
    def rate(self) -> float:
        """The number of inputs that end in a second, on average."""
        return self.done / self.seconds if self.seconds > 0 else 0.0

    @property
    def seconds_left(self) -> float | None:
        """The seconds until the end, at the present rate; ``None`` if it is not known."""
        if self.total is None or not self.rate:
            return None
        return max(0, self.total - self.done) / self.rate

"""``Group``: contenders on the same reads, with targets for their ratios."""

import json
from collections.abc import Callable
from dataclasses import dataclass, replace

from millstream.cli.bench.harness import Contender, Effort

from .fixtures import READ_SIZES, Fixture, Reads, split_reads

__all__ = ("Group", "Target")

_FAST = Effort(rounds=31, sample=2_000_000)
_QUICK = Effort(rounds=3, sample=500_000)


@dataclass(frozen=True)
class Target:
    """A target of ``ours`` relative to ``peer``: at least a multiple of its speed, or at most of its time."""

    ours: str
    peer: str
    at_least: float | None = None
    at_most: float | None = None


@dataclass(frozen=True)
class Group:
    """Contenders that do the same work on the same reads; ``section`` is the page that shows them.

    A time is per ``unit``: byte, event, document, chunk, delta of a document, or object that is made, which reads
    nothing. ``has_peak`` is for work whose memory counts too. ``is_joined``: the pieces of a read come as one.
    """

    work: str
    stream: Fixture
    read: str
    unit: str
    contenders: Callable[[], list[Contender]]
    targets: tuple[Target, ...] = ()
    full: Effort = _FAST
    section: str = "models"
    has_peak: bool = False
    is_joined: bool = False

    @property
    def reads(self) -> Reads:
        """The reads of the stream."""
        return split_reads(self.stream, READ_SIZES[self.read])

    @property
    def reading(self) -> str:
        """How the stream is read, in words."""
        if self.unit == "delta":
            return "fed one by one"
        return "one event per read" if self.read == "event" else f"reads of {self.read}"

    @property
    def title(self) -> str:
        """The work, the stream and the reads in one line."""
        return self.work if self.unit == "object" else f"{self.work}: {self.stream.name}, {self.reading}"

    @property
    def units(self) -> int:
        """How many units one run handles."""
        if self.unit == "object":
            return 1
        if self.unit in ("byte", "delta"):
            return len(self.stream.body if self.unit == "byte" else self.stream.frames)
        return len(self.stream.pieces) if self.is_joined else len(self.expected)

    @property
    def expected(self) -> list[str]:
        """The expected output of every contender."""
        if self.is_joined:
            return ["".join(self.stream.pieces)]
        if self.unit == "document":
            return self.stream.documents
        if self.unit == "delta":
            return [repr(json.loads(self.stream.body))]
        return list(self.stream.pieces) if self.unit == "chunk" else self.stream.payloads

    def shorten(self, count: int) -> "Group":
        """Return the group on a stream of at most ``count`` pieces; every contender is the same."""
        stream = self.stream.shortened(count) if len(self.stream.frames) > count else self.stream
        return replace(self, stream=stream)

    def effort(self, *, quick: bool) -> Effort:
        """Return how long to measure."""
        return _QUICK if quick else self.full

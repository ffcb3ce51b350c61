"""What a store of resumable streams is: an interface of six methods, and the values that they exchange."""

from __future__ import annotations

import time
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Literal, NamedTuple, Protocol

from ..framing import Block
from ..ids import Position

__all__ = (
    "FLUSH_SECONDS",
    "LEASE_SECONDS",
    "MAX_BLOCKS",
    "MAX_STREAM_SIZE",
    "TTL_SECONDS",
    "Append",
    "Created",
    "Outcome",
    "Page",
    "Status",
    "StreamStore",
    "new_epoch",
    "refuse",
    "take_up_to",
)

LEASE_SECONDS = 10.0
FLUSH_SECONDS = 0.05
TTL_SECONDS = 900.0
MAX_STREAM_SIZE = 4 << 20
MAX_BLOCKS = 256

Status = Literal["running", "finished", "failed", "stopped", "lost"]
"""How a stream is, or how it ended: ``failed`` with an error, ``lost`` with its writer."""

Outcome = Literal["stored", "stop", "fenced"]
"""What became of an :class:`Append`: stored; stored, and the stream is to be stopped; refused."""


class Created(NamedTuple):
    """The epoch of a stream, and whether it is a new one, which the caller is to write."""

    epoch: int
    fresh: bool


class Append(NamedTuple):
    """Records to be stored behind those before, and the stream's status after them.

    Without records it renews the writer's lease. The status ``lost`` is set by a follower that finds the lease
    expired: its records belong to the next epoch, so that no id of the lost writer is equal to one of theirs.
    """

    stream_id: str
    epoch: int
    block: Block | None = None
    status: Status = "running"

    @property
    def has_news(self) -> bool:
        """Whether followers have something to read: it does more than renew the lease."""
        return self.block is not None or self.status != "running"


@dataclass(frozen=True, slots=True)
class Page:
    """What a store has of a stream: its state, and the blocks behind a position.

    ``first`` is the position before the oldest record that is kept, ``last`` that of the newest one. A stream that is
    ``running`` is ``expired`` when its writer's lease has run out.
    """

    epoch: int
    status: Status
    meta: bytes
    first: Position
    last: Position
    expired: bool = False
    blocks: Sequence[Block] = ()


class StreamStore(Protocol):
    """Where the records of streams are kept, for the followers of all servers that share the store.

    A store decides which writer a stream has: an epoch is a token that grows with each one, and an append with
    another epoch than the stream's is refused. All times are of the store's clock.
    """

    lease: float
    """The seconds after which a writer that has not appended is lost; it renews its lease in time."""
    flush_interval: float
    """The seconds for which a server collects the records of all of its streams for one :meth:`append`."""

    async def create(self, stream_id: str, meta: bytes, *, replace: bool) -> Created:
        """Begin a stream under a new epoch, and drop what was stored under its id.

        Without ``replace``, a stream that exists stays as it is, and its epoch is returned.
        """

    async def append(self, appends: Sequence[Append]) -> Sequence[Outcome]:
        """Store records of several streams; return an outcome for each.

        An append that was stored before, and is sent again because its outcome was lost, is ``stored``.
        """

    async def read(self, stream_id: str, after: Position, *, limit: int, wait: float = 0.0) -> Page | None:
        """Return a page of up to about ``limit`` bytes, with one block at least, or ``None`` for an unknown stream.

        The first block may begin before ``after``. Where there are none, wait for up to ``wait`` seconds until
        there are, or until the stream ends or its lease does.
        """

    async def stop(self, stream_id: str) -> bool:
        """Ask the writer to stop, which learns it from its next append; return whether the stream is running."""

    async def delete(self, stream_id: str) -> None:
        """Drop a stream. Its writer, if it has one, is fenced."""

    async def aclose(self) -> None:
        """Release the store's connections and threads."""


def new_epoch(last: int) -> int:
    """Return the epoch after ``last``: the milliseconds since 1970, which grow over a restart of the store too.

    One more than an epoch is never used by another stream's generation: it is that of the records of a lost writer's
    end.
    """
    return max(last + 2, time.time_ns() // 1_000_000)


def refuse(append: Append, epoch: int, status: Status, last: int, *, expired: bool) -> Outcome | None:
    """Return the outcome of an append that changes nothing, or ``None`` for one that is to be stored.

    The others say what the stream is: ``last`` is the number of its writer's last record, and ``expired`` whether the
    lease has run out.
    """
    if append.epoch != epoch:
        return "fenced"
    if status != "running":
        return "stored" if status == append.status != "lost" else "fenced"
    block = append.block
    # A lost writer's end belongs to the next epoch, and follows whatever there is.
    has_gap = block is not None and block.epoch == epoch and block.last > last and block.first != last + 1
    return "fenced" if has_gap or (append.status == "lost" and not expired) else None


def take_up_to(blocks: Iterable[Block], limit: int) -> list[Block]:
    """Return the first blocks, until they have ``limit`` bytes."""
    taken, size = [], 0
    for block in blocks:
        taken.append(block)
        size += len(block.data)
        if size >= limit:
            break
    return taken

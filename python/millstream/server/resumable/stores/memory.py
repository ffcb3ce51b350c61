"""A store in the memory of one process, bounded."""

from __future__ import annotations

import threading
import time
from bisect import bisect_right
from collections import OrderedDict
from collections.abc import Sequence
from dataclasses import dataclass, field
from operator import attrgetter

from ..errors import StoreFullError
from ..framing import Block
from ..ids import Position
from .base import (
    FLUSH_SECONDS,
    LEASE_SECONDS,
    MAX_BLOCKS,
    MAX_STREAM_SIZE,
    TTL_SECONDS,
    Append,
    Created,
    Outcome,
    Page,
    Status,
    new_epoch,
    refuse,
    take_up_to,
)
from .waiting import Waiters, read_waiting

__all__ = ("MemoryStore",)

MAX_STREAMS = 10_000
MAX_SIZE = 256 << 20
MERGED_SIZE = 4096


@dataclass(slots=True)
class _Stream:
    epoch: int
    meta: bytes
    first: Position
    last: Position
    lease: float
    status: Status = "running"
    stop: bool = False
    size: int = 0
    blocks: list[Block] = field(default_factory=list)


class MemoryStore:
    """A store for a server of one process: the streams are lost with it.

    It keeps at most ``max_streams`` streams and ``max_size`` bytes. Those that ended longest ago are dropped first,
    and all ``ttl`` seconds after their end. A running stream keeps its latest ``max_stream_size`` bytes, fewer where
    running streams alone would exceed ``max_size``; only streams that run at once can fill the store, and another one
    raises :class:`StoreFullError`.
    """

    def __init__(
        self,
        *,
        ttl: float = TTL_SECONDS,
        lease: float = LEASE_SECONDS,
        max_streams: int = MAX_STREAMS,
        max_size: int = MAX_SIZE,
        max_stream_size: int = MAX_STREAM_SIZE,
        flush_interval: float = FLUSH_SECONDS,
    ) -> None:
        self.lease, self.flush_interval = lease, flush_interval
        self._ttl, self._max_streams = ttl, max_streams
        self._max_size, self._max_stream_size = max_size, max_stream_size
        self._merged_size = min(MERGED_SIZE, max_size // 16, max_stream_size // 16)
        self._lock = threading.Lock()
        self._waiters = Waiters()
        self._streams: dict[str, _Stream] = {}
        # When each stream ended, the oldest first.
        self._ended: OrderedDict[str, float] = OrderedDict()
        self._size = 0
        self._last_epoch = 0

    async def create(self, stream_id: str, meta: bytes, *, replace: bool) -> Created:
        """Begin a stream; see :meth:`StreamStore.create`."""
        with self._lock:
            now = time.monotonic()
            self._expire(now)
            found = self._streams.get(stream_id)
            if found is not None and not replace:
                return Created(found.epoch, False)
            self._drop(stream_id)
            self._make_room(now)
            self._last_epoch = epoch = new_epoch(self._last_epoch)
            start = Position(epoch, 0)
            self._streams[stream_id] = _Stream(epoch, meta, start, start, now + self.lease)
            self._size += len(meta)
        self._waiters.wake(stream_id)
        return Created(epoch, True)

    async def append(self, appends: Sequence[Append]) -> Sequence[Outcome]:
        """Store records; see :meth:`StreamStore.append`."""
        with self._lock:
            now = time.monotonic()
            outcomes = [self._append(append, now) for append in appends]
            self._shrink()
        for append in appends:
            if append.has_news:
                self._waiters.wake(append.stream_id)
        return outcomes

    async def read(self, stream_id: str, after: Position, *, limit: int, wait: float = 0.0) -> Page | None:
        """Return a page; see :meth:`StreamStore.read`."""

        async def read() -> Page | None:
            with self._lock:
                return self._page(stream_id, after, limit)

        return await read_waiting(self._waiters, stream_id, after, wait, read)

    async def stop(self, stream_id: str) -> bool:
        """Ask the writer to stop; see :meth:`StreamStore.stop`."""
        with self._lock:
            stream = self._streams.get(stream_id)
            if stream is None or stream.status != "running":
                return False
            stream.stop = True
            return True

    async def delete(self, stream_id: str) -> None:
        """Drop a stream; see :meth:`StreamStore.delete`."""
        with self._lock:
            self._drop(stream_id)
        self._waiters.wake(stream_id)

    async def aclose(self) -> None:
        """Drop all streams."""
        with self._lock:
            for stream_id in list(self._streams):
                self._drop(stream_id)
        self._waiters.wake_all()

    def _append(self, append: Append, now: float) -> Outcome:
        stream, block = self._streams.get(append.stream_id), append.block
        if stream is None:
            return "fenced"
        expired = stream.lease <= now
        if refused := refuse(append, stream.epoch, stream.status, stream.last.seq, expired=expired):
            return refused
        if block is not None and block.end > stream.last:
            self._keep(stream.blocks, block)
            stream.size += len(block.data)
            self._size += len(block.data)
            stream.last = block.end
            self._trim(stream, stream.size - self._max_stream_size)
        stream.lease, stream.status = now + self.lease, append.status
        if append.status != "running":
            self._ended[append.stream_id] = now
        return "stop" if stream.stop else "stored"

    def _keep(self, blocks: list[Block], block: Block) -> None:
        """Append a block, or make it a part of the one before: an object for each record is larger than the record."""
        if blocks and blocks[-1].epoch == block.epoch:
            before = blocks[-1]
            if len(before.data) + len(block.data) <= self._merged_size:
                blocks[-1] = Block(block.epoch, before.first, block.last, before.data + block.data)
                return
        blocks.append(block)

    def _page(self, stream_id: str, after: Position, limit: int) -> Page | None:
        now = time.monotonic()
        self._expire(now)
        stream = self._streams.get(stream_id)
        if stream is None:
            return None
        blocks: Sequence[Block] = ()
        if after < stream.last and limit > 0:
            begin = bisect_right(stream.blocks, after, key=attrgetter("end"))
            blocks = take_up_to(stream.blocks[begin : begin + MAX_BLOCKS], limit)
        expired = stream.status == "running" and stream.lease <= now
        return Page(stream.epoch, stream.status, stream.meta, stream.first, stream.last, expired, blocks)

    def _expire(self, now: float) -> None:
        while self._ended and next(iter(self._ended.values())) + self._ttl <= now:
            self._drop(next(iter(self._ended)))

    def _make_room(self, now: float) -> None:
        while len(self._streams) >= self._max_streams:
            # A stream whose writer is lost ends when a follower finds that out, or here.
            lost = (name for name, stream in self._streams.items() if stream.lease <= now)
            dropped = next(iter(self._ended), None) or next(lost, None)
            if dropped is None:
                raise StoreFullError
            self._drop(dropped)

    def _shrink(self) -> None:
        while self._size > self._max_size and self._ended:
            self._drop(next(iter(self._ended)))
        if self._size <= self._max_size:
            return
        running = sorted(self._streams.values(), key=lambda stream: -stream.size)
        for stream in running:
            self._trim(stream, self._size - self._max_size)

    def _trim(self, stream: _Stream, excess: int) -> None:
        """Drop the stream's oldest blocks, of ``excess`` bytes at least, but never the newest block."""
        size = count = 0
        while size < excess and count < len(stream.blocks) - 1:
            size += len(stream.blocks[count].data)
            count += 1
        if count:
            stream.first = stream.blocks[count - 1].end
            del stream.blocks[:count]
            stream.size -= size
            self._size -= size

    def _drop(self, stream_id: str) -> None:
        stream = self._streams.pop(stream_id, None)
        self._ended.pop(stream_id, None)
        if stream is not None:
            self._size -= stream.size + len(stream.meta)

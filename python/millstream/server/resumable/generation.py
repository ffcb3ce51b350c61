"""A stream that this process generates: a task reads it to its end, whoever follows."""

from __future__ import annotations

import asyncio
import contextlib
import logging
from collections import deque
from collections.abc import Callable
from typing import Any, Literal

from ...streaming.drive import adrive_records
from ...streaming.inputs import aclose_iterator
from ...streaming.relay import Pump
from .committer import Committer, committer_for
from .endings import error_records
from .errors import StoreUnavailableError, StreamStoppedError, WriterFencedError, WriterShutdownError
from .framing import Block, Numbering
from .ids import Position
from .stores.base import Append, Status, StreamStore

__all__ = ("Generation", "OnDisconnect", "running_generation", "running_generations")

RECENT_SIZE = 64 << 10
UNSTORED_SIZE = 1 << 20

OnDisconnect = Literal["continue", "stop"]

_logger = logging.getLogger("millstream.server")
_running: dict[tuple[int, asyncio.AbstractEventLoop, str], Generation] = {}


class Generation:
    """Reads a source in a task of its own, numbers its records, and keeps the latest for followers of this process.

    Followers get a record at once; the store gets it with the committer's next call. Records are kept in memory until
    they are stored, and :data:`RECENT_SIZE` bytes of them afterwards; a follower that is further behind reads the
    store. Where more than :data:`UNSTORED_SIZE` bytes wait for the store, the source waits.
    """

    def __init__(
        self,
        source: Any,
        store: StreamStore,
        stream_id: str,
        numbering: Numbering,
        epoch: int,
        on_disconnect: OnDisconnect,
    ) -> None:
        self.stream_id, self.epoch = stream_id, epoch
        self.error: BaseException | None = None
        self.ended = False
        """Whether there are no more records, and the store knows."""
        self.last_of_preface = 0
        self.failed_early = False
        """Whether it failed before the answer's first chunk."""
        self._source = source
        self._is_preface = getattr(source, "is_preface", None)
        self._numbering = numbering
        self._on_disconnect = on_disconnect
        self._followers = 0
        # The latest blocks, of which the last `_unstored` bytes are not stored yet; and those that no append has yet.
        self._recent: deque[Block] = deque()
        self._pending: list[Block] = []
        self._recent_size = self._unstored = 0
        self._first = 0
        self._stored = 0
        self._in_flight: Append | None = None
        self._status: Status = "running"
        self._reason: BaseException | None = None
        self._waiting: list[asyncio.Future[None]] = []
        self._room = asyncio.Event()
        self._is_pumped = False
        self.taps: dict[Callable[[Block], None], asyncio.Future[bool]] = {}
        """Functions that are called with each block, and the futures of those who wait for their end."""
        self._committer: Committer = committer_for(store)
        loop = asyncio.get_running_loop()
        # The committer keeps the store: no other one has its id.
        self._key = id(store), loop, stream_id
        _running[self._key] = self
        self._committer.add(self)
        self._began = False
        self.task = loop.create_task(self._run(), name=f"millstream-stream-{stream_id}")
        self.task.add_done_callback(self._abandon)

    # For followers.

    def read(self, seq: int, limit: int) -> tuple[bytes, int] | None:
        """Return the records after ``seq`` and the last one's number; ``None`` if they are in the store alone."""
        if seq < self._first:
            return None
        found: list[Block] = []
        for block in reversed(self._recent):
            if block.last <= seq:
                break
            found.append(block)
        parts: list[bytes] = []
        size = 0
        while found and size < limit:
            block = found.pop()
            parts.append(self._numbering.cut(block, seq) if block.first <= seq else block.data)
            size += len(parts[-1])
            seq = block.last
        return b"".join(parts), seq

    def is_at_end(self, position: Position | None) -> bool:
        """Return whether a follower has all records so far, and there will be more."""
        has_all = position is not None and position.epoch == self.epoch and position.seq == self._numbering.last
        return has_all and self._is_pumped and self._status == "running" and self.error is None

    async def wait(self) -> None:
        """Wait until there are more records, or the end."""
        future = asyncio.get_running_loop().create_future()
        self._waiting.append(future)
        await future

    async def wait_for_room(self) -> None:
        """Wait while too many records are not stored."""
        while self._unstored > UNSTORED_SIZE:
            self._room.clear()
            await self._room.wait()

    def join(self) -> None:
        """Count a follower."""
        self._followers += 1

    def leave(self) -> None:
        """Take note that a follower left; the last one may stop the stream."""
        self._followers -= 1
        if self._followers == 0 and self._on_disconnect == "stop":
            self.interrupt(StreamStoppedError())

    def interrupt(self, error: BaseException) -> None:
        """End the stream with ``error``, unless it is over."""
        if self.ended:
            return
        if isinstance(error, WriterFencedError | StoreUnavailableError):
            self._committer.remove(self)
            if self._status != "running":
                self._end()
                return
        if self._reason is None and self._status == "running":
            self._reason = error
            if self._began:
                self.task.cancel()

    # For the committer.

    def next_append(self) -> Append | None:
        """Return the records that are not stored, and the status at the end."""
        if self._in_flight is None and (self._pending or self._status != "running"):
            pending, self._pending = self._pending, []
            self._in_flight = Append(self.stream_id, self.epoch, _join(pending), self._status)
        return self._in_flight

    def heartbeat(self) -> Append:
        """Return an append without records."""
        return Append(self.stream_id, self.epoch)

    def stored(self, append: Append) -> None:
        """Take note that the append was stored."""
        if append is self._in_flight:
            self._in_flight = None
        if append.block is not None:
            self._stored = append.block.last
            self._unstored -= len(append.block.data)
            self._forget()
            if self._unstored <= UNSTORED_SIZE:
                self._room.set()
        if append.status != "running":
            self._committer.remove(self)
            self._end()

    # The task.

    async def _run(self) -> None:
        # A task that is cancelled before its first step never runs.
        self._began, error = True, self._reason
        try:
            if error is None:
                await self._read()
            else:
                await aclose_iterator(self._source)
        except asyncio.CancelledError as cancelled:
            error = self._reason
            if self.task.cancelling():
                self.task.uncancel()
                error = error or WriterShutdownError()
            error = error or cancelled
        except Exception as raised:
            error = raised
            _logger.info("the stream %s failed: %s", self.stream_id, type(raised).__name__)
        self._finish(error)
        while not self.ended:
            # Another cancellation, by a loop that ends, must not leave the end unrecorded: the committer gives up in
            # time.
            with contextlib.suppress(asyncio.CancelledError):
                await self.wait()

    async def _read(self) -> None:
        records, pump = self._open_source()
        try:
            async for data in records:
                self._take(data)
                await self.wait_for_room()
                if pump is not None:
                    pump.go()
        finally:
            try:
                if records is not self._source:
                    await records.aclose()
            finally:
                await aclose_iterator(self._source)
            # A traceback keeps this frame, and the frame would keep the processor, which has the exception.
            del records, pump

    def _open_source(self) -> tuple[Any, Pump | None]:
        """Return the records, and what takes most of them from the connection's callback, if the stream is ours."""
        open_parts = getattr(self._source, "_open_parts", None)
        if open_parts is None or (parts := open_parts()) is None:
            return self._source, None
        pump = Pump(_Sink(self))
        self._is_pumped = True
        source, processor = parts
        return adrive_records(source, processor, pump), pump

    def _take(self, data: bytes, *, from_callback: bool = False) -> None:
        block = self._numbering.add(data)
        if block is not None:
            if from_callback:
                for tap in tuple(self.taps):
                    tap(block)
            elif self.taps:
                # Another task's message must not be sent by a task: followers read this block step by step.
                self._release_taps()
        self._add(block)
        if self._is_preface is not None:
            if self._is_preface(data):
                self.last_of_preface = self._numbering.last
            else:
                self._is_preface = None

    def _finish(self, error: BaseException | None) -> None:
        """Record how the stream ended."""
        self.error = error
        # An error before the first chunk is raised to the first client, not sent.
        self._release_taps()
        try:
            self._add(self._numbering.close())
            if error is not None:
                self.failed_early = self._numbering.last <= self.last_of_preface
                self._add(self._numbering.add(self._failure(error)))
                self._add(self._numbering.close())
        except Exception:
            _logger.exception("the end of the stream %s was not recorded", self.stream_id)
        if error is None:
            self._status = "finished"
        else:
            self._status = "stopped" if isinstance(error, StreamStoppedError) else "failed"
        if isinstance(error, WriterFencedError | StoreUnavailableError):
            self._end()
        else:
            self._committer.notify(urgent=True)

    def _failure(self, error: BaseException) -> bytes:
        records: bytes = self._source.fail(error)
        if not records and self._numbering.is_sse:
            # A source of bytes does not know where its records end, but they are known here.
            records = error_records(None, "text/event-stream", error)
        return records

    def _add(self, block: Block | None) -> None:
        if block is not None:
            self._recent.append(block)
            self._pending.append(block)
            self._recent_size += len(block.data)
            self._unstored += len(block.data)
            self._committer.notify()
            self._wake()

    def _release_taps(self) -> None:
        """Let followers read on step by step."""
        taps, self.taps = self.taps, {}
        for future in taps.values():
            if not future.done():
                future.set_result(False)

    def _forget(self) -> None:
        recent = self._recent
        while self._recent_size > RECENT_SIZE and recent and recent[0].last <= self._stored:
            block = recent.popleft()
            self._recent_size -= len(block.data)
            self._first = block.last

    def _end(self) -> None:
        self.ended = True
        if _running.get(self._key) is self:
            del _running[self._key]
        self._wake()

    def _abandon(self, task: asyncio.Task[None]) -> None:
        """Leave a stream whose task never ran, in a loop that ends: its lease runs out."""
        if not self.ended:
            self._committer.remove(self)
            self._end()

    def _wake(self) -> None:
        waiting, self._waiting = self._waiting, []
        for future in waiting:
            if not future.done():
                future.set_result(None)


class _Sink:
    """Takes the records of a pump: it waits where the store does not keep up."""

    __slots__ = ("_generation", "is_pending")

    is_direct = True
    client = None

    def __init__(self, generation: Generation) -> None:
        self._generation = generation
        self.is_pending = False

    def post(self, records: bytes) -> bool:
        """Take records; return ``False`` if :meth:`finish` is to be called."""
        self._generation._take(records, from_callback=True)
        self.is_pending = self._generation._unstored > UNSTORED_SIZE
        return not self.is_pending

    async def finish(self) -> None:
        """Wait until there is room for more."""
        await self._generation.wait_for_room()
        self.is_pending = False


def running_generation(store: StreamStore, stream_id: str) -> Generation | None:
    """Return the generation of a stream, if it runs in this event loop."""
    return _running.get((id(store), asyncio.get_running_loop(), stream_id))


def running_generations(store: StreamStore) -> list[Generation]:
    """Return the generations of the store's streams that run in this event loop."""
    place = id(store), asyncio.get_running_loop()
    return [generation for key, generation in _running.items() if key[:2] == place]


def _join(blocks: list[Block]) -> Block | None:
    if not blocks:
        return None
    data = blocks[0].data if len(blocks) == 1 else b"".join([block.data for block in blocks])
    return Block(blocks[0].epoch, blocks[0].first, blocks[-1].last, data)

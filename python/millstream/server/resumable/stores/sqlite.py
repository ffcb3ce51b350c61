"""A store in a file of SQLite, for the worker processes of one machine."""

from __future__ import annotations

import asyncio
import os
import sqlite3
import time
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager, suppress
from functools import partial
from typing import TYPE_CHECKING, TypeVar

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
    new_epoch,
    refuse,
    take_up_to,
)
from .waiting import Waiters, read_waiting

if TYPE_CHECKING:
    from collections.abc import Iterator

__all__ = ("SQLiteStore",)

POLL_SECONDS = 0.025
BUSY_SECONDS = 5.0
MAX_PURGED = 20
IDLE_POLLS = 40

Result = TypeVar("Result")

_SCHEMA = """
CREATE TABLE IF NOT EXISTS streams (
    id TEXT PRIMARY KEY, epoch INTEGER NOT NULL, status TEXT NOT NULL, meta BLOB NOT NULL,
    first INTEGER NOT NULL, last INTEGER NOT NULL, size INTEGER NOT NULL,
    lease REAL NOT NULL, expires REAL NOT NULL, stop INTEGER NOT NULL, revision INTEGER NOT NULL
) WITHOUT ROWID;
CREATE INDEX IF NOT EXISTS streams_revision ON streams (revision);
CREATE INDEX IF NOT EXISTS streams_expires ON streams (expires);
CREATE TABLE IF NOT EXISTS blocks (
    stream TEXT NOT NULL, epoch INTEGER NOT NULL, first INTEGER NOT NULL, last INTEGER NOT NULL, data BLOB NOT NULL,
    PRIMARY KEY (stream, epoch, last)
) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS counter (revision INTEGER NOT NULL);
INSERT INTO counter SELECT 0 WHERE NOT EXISTS (SELECT * FROM counter);
"""


class SQLiteStore:
    """A store in the file ``path``, which several processes of one machine may share.

    Calls run in two threads of the store, one that writes and one that reads, so that the event loop never waits for
    a disk. The file has a write-ahead log; what was appended survives the end of the process, not always that of the
    machine. A stream is dropped ``ttl`` seconds after its last record, and keeps its latest ``max_stream_size``
    bytes. Followers learn of other processes' records within ``poll_interval``.
    """

    def __init__(
        self,
        path: str | os.PathLike[str],
        *,
        ttl: float = TTL_SECONDS,
        lease: float = LEASE_SECONDS,
        max_stream_size: int = MAX_STREAM_SIZE,
        flush_interval: float = FLUSH_SECONDS,
        poll_interval: float = POLL_SECONDS,
    ) -> None:
        self.lease, self.flush_interval = lease, flush_interval
        self._path, self._ttl, self._max_stream_size = os.fspath(path), ttl, max_stream_size
        self._poll_interval = poll_interval
        self._waiters = Waiters()
        self._writer, self._reader = _Thread(self._path, "write"), _Thread(self._path, "read")
        self._watcher: asyncio.Task[None] | None = None

    async def create(self, stream_id: str, meta: bytes, *, replace: bool) -> Created:
        """Begin a stream; see :meth:`StreamStore.create`."""
        return await self._writer.call(partial(self._create, stream_id, meta, replace))

    async def append(self, appends: Sequence[Append]) -> Sequence[Outcome]:
        """Store records in one transaction; see :meth:`StreamStore.append`."""
        return await self._writer.call(partial(self._append_all, appends))

    async def read(self, stream_id: str, after: Position, *, limit: int, wait: float = 0.0) -> Page | None:
        """Return a page; see :meth:`StreamStore.read`."""

        async def read() -> Page | None:
            if wait > 0:
                self._watch()
            return await self._reader.call(partial(self._page, stream_id, after, limit))

        return await read_waiting(self._waiters, stream_id, after, wait, read)

    async def stop(self, stream_id: str) -> bool:
        """Ask the writer to stop; see :meth:`StreamStore.stop`."""

        def stop(database: sqlite3.Connection) -> bool:
            with _transaction(database):
                command = "UPDATE streams SET stop = 1 WHERE id = ? AND status = 'running'"
                return database.execute(command, (stream_id,)).rowcount > 0

        return await self._writer.call(stop)

    async def delete(self, stream_id: str) -> None:
        """Drop a stream; see :meth:`StreamStore.delete`."""

        def delete(database: sqlite3.Connection) -> None:
            with _transaction(database):
                _drop(database, stream_id)

        await self._writer.call(delete)
        self._waiters.wake(stream_id)

    async def aclose(self) -> None:
        """Close the file."""
        if self._watcher is not None:
            self._watcher.cancel()
        self._waiters.wake_all()
        await self._writer.aclose()
        await self._reader.aclose()

    def _create(self, stream_id: str, meta: bytes, replace: bool, database: sqlite3.Connection) -> Created:
        now = time.time()
        with _transaction(database):
            old = database.execute("SELECT id FROM streams WHERE expires < ? LIMIT ?", (now, MAX_PURGED)).fetchall()
            for (name,) in old:
                _drop(database, name)
            found = database.execute("SELECT epoch FROM streams WHERE id = ?", (stream_id,)).fetchone()
            if found is not None and not replace:
                return Created(found[0], False)
            _drop(database, stream_id)
            epoch = new_epoch(0 if found is None else found[0])
            database.execute(
                "INSERT INTO streams VALUES (?, ?, 'running', ?, 0, 0, 0, ?, ?, 0, ?)",
                (stream_id, epoch, meta, now + self.lease, now + self.lease + self._ttl, _next_revision(database)),
            )
        return Created(epoch, True)

    def _append_all(self, appends: Sequence[Append], database: sqlite3.Connection) -> list[Outcome]:
        with _transaction(database):
            revision = _next_revision(database) if any(append.has_news for append in appends) else 0
            return [self._append(append, revision, database) for append in appends]

    def _append(self, append: Append, revision: int, database: sqlite3.Connection) -> Outcome:
        now, block = time.time(), append.block
        query = "SELECT epoch, status, last, lease, stop, first, size, revision FROM streams WHERE id = ?"
        found = database.execute(query, (append.stream_id,)).fetchone()
        if found is None:
            return "fenced"
        epoch, status, last, lease, stop, first, size, old_revision = found
        if refused := refuse(append, epoch, status, last, expired=lease <= now):
            return refused
        if block is not None and block.end > (epoch, last):
            command = "INSERT INTO blocks VALUES (?, ?, ?, ?, ?)"
            database.execute(command, (append.stream_id, *block))
            # A lost writer's end belongs to the next epoch: `last` stays that of the writer.
            last = block.last if block.epoch == epoch else last
            first, size = self._trimmed(database, append.stream_id, first, size + len(block.data))
        until, revision = now + self.lease, revision if append.has_news else old_revision
        database.execute(
            "UPDATE streams SET status = ?, last = ?, first = ?, size = ?, lease = ?, expires = ?, revision = ?"
            " WHERE id = ?",
            (append.status, last, first, size, until, until + self._ttl, revision, append.stream_id),
        )
        return "stop" if stop else "stored"

    def _trimmed(self, database: sqlite3.Connection, stream_id: str, first: int, size: int) -> tuple[int, int]:
        """Drop the oldest blocks of a stream that is too large; return its first position and its size."""
        while size > self._max_stream_size:
            query = "SELECT epoch, last, length(data) FROM blocks WHERE stream = ? ORDER BY epoch, last LIMIT 2"
            oldest = database.execute(query, (stream_id,)).fetchall()
            if len(oldest) < 2:
                break
            epoch, first, length = oldest[0]
            command = "DELETE FROM blocks WHERE stream = ? AND epoch = ? AND last = ?"
            database.execute(command, (stream_id, epoch, first))
            size -= length
        return first, size

    def _page(self, stream_id: str, after: Position, limit: int, database: sqlite3.Connection) -> Page | None:
        now = time.time()
        database.execute("BEGIN")
        try:
            query = "SELECT epoch, status, meta, first, last, lease, expires FROM streams WHERE id = ?"
            found = database.execute(query, (stream_id,)).fetchone()
            if found is None or found[6] < now:
                return None
            epoch, status, meta, first, last, lease, _ = found
            end = Position(epoch, last)
            if status == "lost":
                query = "SELECT epoch, last FROM blocks WHERE stream = ? ORDER BY epoch DESC, last DESC LIMIT 1"
                end = Position(*(database.execute(query, (stream_id,)).fetchone() or end))
            blocks: list[Block] = []
            if limit > 0:
                query = (
                    "SELECT epoch, first, last, data FROM blocks WHERE stream = ? AND (epoch, last) > (?, ?)"
                    " ORDER BY epoch, last LIMIT ?"
                )
                rows = database.execute(query, (stream_id, *after, MAX_BLOCKS))
                blocks = take_up_to((Block(*row) for row in rows), limit)
            expired = status == "running" and lease <= now
            return Page(epoch, status, meta, Position(epoch, first), end, expired, blocks)
        finally:
            database.execute("COMMIT")

    def _watch(self) -> None:
        watcher = self._watcher
        if watcher is None or watcher.done() or watcher.get_loop() is not asyncio.get_running_loop():
            self._watcher = asyncio.create_task(self._wake_followers(), name="millstream-sqlite-watcher")

    async def _wake_followers(self) -> None:
        """Poll the number that grows with each commit; where it has grown, wake the followers of changed streams."""
        version = revision = idle = 0
        while idle < IDLE_POLLS:
            try:
                version, changed, last = await self._reader.call(partial(_changes, version, revision))
            except sqlite3.OperationalError:  # it was locked for too long
                changed = []
            else:
                if revision == 0:
                    self._waiters.wake_all()  # they may have read before the first look
                revision = last
            for stream_id in changed:
                self._waiters.wake(stream_id)
            await asyncio.sleep(self._poll_interval)
            idle = 0 if self._waiters else idle + 1


class _Thread:
    """A thread with a connection of its own, which it opens when it is first used."""

    def __init__(self, path: str, name: str) -> None:
        self._path = path
        self._executor = ThreadPoolExecutor(1, f"millstream-sqlite-{name}")
        self._database: sqlite3.Connection | None = None

    async def call(self, function: Callable[[sqlite3.Connection], Result]) -> Result:
        return await asyncio.get_running_loop().run_in_executor(self._executor, self._run, function)

    def _run(self, function: Callable[[sqlite3.Connection], Result]) -> Result:
        if self._database is None:
            self._database = _connect(self._path)
        return function(self._database)

    async def aclose(self) -> None:
        def close() -> None:
            if self._database is not None:
                self._database.close()

        loop = asyncio.get_running_loop()
        with suppress(RuntimeError):  # it is closed already
            await loop.run_in_executor(self._executor, close)
        await loop.run_in_executor(None, self._executor.shutdown)


def _connect(path: str) -> sqlite3.Connection:
    database = sqlite3.connect(path, timeout=BUSY_SECONDS, isolation_level=None, check_same_thread=False)
    deadline = time.monotonic() + BUSY_SECONDS
    while True:
        try:
            # The first process that changes the mode locks the others out, and they get no turn by waiting in SQLite.
            if database.execute("PRAGMA journal_mode").fetchone()[0] != "wal":
                database.execute("PRAGMA journal_mode = WAL")
            database.execute("PRAGMA synchronous = NORMAL")
            database.executescript(f"BEGIN IMMEDIATE; {_SCHEMA} COMMIT;")
        except sqlite3.OperationalError:
            if time.monotonic() > deadline:
                raise
            time.sleep(0.01)
        else:
            return database


@contextmanager
def _transaction(database: sqlite3.Connection) -> Iterator[None]:
    database.execute("BEGIN IMMEDIATE")
    try:
        yield
    except BaseException:
        database.execute("ROLLBACK")
        raise
    database.execute("COMMIT")


def _drop(database: sqlite3.Connection, stream_id: str) -> None:
    database.execute("DELETE FROM blocks WHERE stream = ?", (stream_id,))
    database.execute("DELETE FROM streams WHERE id = ?", (stream_id,))


def _next_revision(database: sqlite3.Connection) -> int:
    number: int = database.execute("UPDATE counter SET revision = revision + 1 RETURNING revision").fetchone()[0]
    return number


def _changes(version: int, revision: int, database: sqlite3.Connection) -> tuple[int, list[str], int]:
    """Return the version of the file, and the streams that changed after ``revision``, with the latest revision."""
    now = database.execute("PRAGMA data_version").fetchone()[0]
    if now == version:
        return version, [], revision
    last = database.execute("SELECT revision FROM counter").fetchone()[0]
    if revision == 0:
        return now, [], last
    rows = database.execute("SELECT id FROM streams WHERE revision > ?", (revision,)).fetchall()
    return now, [row[0] for row in rows], last

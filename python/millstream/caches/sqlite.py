"""``SQLiteCache``: answers in a file, which threads and processes share."""

from __future__ import annotations

import hashlib
import logging
import os
import time
import weakref
from threading import Lock
from types import TracebackType
from typing import TYPE_CHECKING, Any, Self

from ..errors import MillstreamError
from ..transport.running import run_in_thread
from .base import RETURN_VAL_TYPE, BaseCache
from .stored_answers import dump_answer, load_answer

if TYPE_CHECKING:
    import sqlite3

__all__ = ("SQLiteCache",)

logger = logging.getLogger("millstream")

# How long, in seconds, a statement waits for another process that writes.
_BUSY_SECONDS = 10.0
_SETUP = (
    "PRAGMA journal_mode = WAL",
    "PRAGMA synchronous = NORMAL",
    "CREATE TABLE IF NOT EXISTS millstream_answers "
    "(key BLOB PRIMARY KEY, answer TEXT NOT NULL, kept_at REAL NOT NULL) WITHOUT ROWID",
)
_LOOKUP = "SELECT answer FROM millstream_answers WHERE key = ? AND kept_at > ?"
_UPDATE = "INSERT OR REPLACE INTO millstream_answers (key, answer, kept_at) VALUES (?, ?, ?)"
# The connections of the parent process: closing one in a child could disturb the parent.
_inherited: list[Any] = []
_caches: weakref.WeakSet[SQLiteCache] = weakref.WeakSet()


class SQLiteCache(BaseCache):
    """A cache in a file of SQLite, for all threads, and for all processes that use the same file.

    For example::

        from millstream.globals import set_llm_cache

        set_llm_cache(SQLiteCache(".millstream.db"))

    ``database_path`` is made if it does not exist. Answers that are older than ``ttl`` seconds are not returned, and
    are deleted when the file is opened; by default all are kept. The file has each answer as JSON, with all parts of
    its message, and a hash of the prompt and of the model's parameters.

    A call never fails because of the cache. Where the file cannot be read or written, or a row is broken, there is no
    answer, or none is kept, and the logger ``millstream`` has a warning. The constructor and :meth:`clear` raise
    :class:`~millstream.errors.MillstreamError` if the file cannot be opened, or is not a database.

    :meth:`close` closes the file, as the end of ``with`` does; the next use opens it again. The async methods use a
    thread of the event loop's executor.
    """

    def __init__(self, database_path: str | os.PathLike[str] = ".millstream.db", *, ttl: float | None = None) -> None:
        if ttl is not None and not ttl > 0:
            raise ValueError("ttl must be greater than 0")
        self._path = os.fspath(database_path)
        self._ttl = ttl
        self._lock = Lock()
        self._connection: sqlite3.Connection | None = None
        self._finalizer: weakref.finalize[Any, Any] | None = None
        _caches.add(self)
        self._run("opened", "DELETE FROM millstream_answers WHERE kept_at <= ?", self._oldest())

    def __enter__(self) -> Self:
        """Return the cache; the file is closed at the end of ``with``."""
        return self

    def __exit__(
        self, cls: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        """Close the file."""
        self.close()

    def __repr__(self) -> str:
        return (
            f"SQLiteCache({self._path!r})" if self._ttl is None else f"SQLiteCache({self._path!r}, ttl={self._ttl!r})"
        )

    def __reduce__(self) -> tuple[Any, ...]:
        # Another process opens the file itself.
        return _reopen, (type(self), self._path, self._ttl)

    def lookup(self, prompt: str, llm_string: str) -> RETURN_VAL_TYPE | None:
        """Return the answer, or ``None``."""
        try:
            rows = self._run("read", _LOOKUP, _hash(prompt, llm_string), self._oldest())
            return load_answer(rows[0][0]) if rows else None
        except (MillstreamError, ValueError) as error:
            logger.warning("no answer is taken from the cache: %s", error)
            return None

    def update(self, prompt: str, llm_string: str, return_val: RETURN_VAL_TYPE) -> None:
        """Keep ``return_val``."""
        try:
            self._run("written", _UPDATE, _hash(prompt, llm_string), dump_answer(return_val), time.time())
        except (MillstreamError, ValueError, OverflowError) as error:
            logger.warning("an answer is not kept in the cache: %s", error)

    def clear(self, **kwargs: Any) -> None:
        """Remove all answers."""
        self._run("cleared", "DELETE FROM millstream_answers")

    async def alookup(self, prompt: str, llm_string: str) -> RETURN_VAL_TYPE | None:
        """Return the answer, or ``None``."""
        return await run_in_thread(self.lookup, prompt, llm_string)

    async def aupdate(self, prompt: str, llm_string: str, return_val: RETURN_VAL_TYPE) -> None:
        """Keep ``return_val``."""
        await run_in_thread(self.update, prompt, llm_string, return_val)

    async def aclear(self, **kwargs: Any) -> None:
        """Remove all answers."""
        await run_in_thread(self.clear)

    def close(self) -> None:
        """Close the file; the next use opens it again."""
        with self._lock:
            finalizer, self._finalizer, self._connection = self._finalizer, None, None
            if finalizer is not None:
                finalizer()

    def _oldest(self) -> float:
        """Return the time before which answers are too old."""
        return -1.0 if self._ttl is None else time.time() - self._ttl

    def _run(self, done: str, statement: str, *values: Any) -> list[Any]:
        """Run one statement, and return its rows."""
        import sqlite3

        try:
            with self._lock:
                return self._open().execute(statement, values).fetchall()
        except sqlite3.Error as error:
            raise MillstreamError(
                f"the cache {self._path} cannot be {done}: {error}; name another file, or delete this one"
            ) from error

    def _open(self) -> sqlite3.Connection:
        """Return the connection of this process."""
        if self._connection is not None:
            return self._connection
        import sqlite3

        # The lock lets one thread at a time use it.
        connection = sqlite3.connect(self._path, timeout=_BUSY_SECONDS, isolation_level=None, check_same_thread=False)
        try:
            for statement in _SETUP:
                connection.execute(statement)
        except BaseException:
            connection.close()
            raise
        self._connection = connection
        self._finalizer = weakref.finalize(self, connection.close)
        return connection

    def _forget(self) -> None:
        """Drop the connection of the parent process, and a lock that another thread may have held there."""
        self._lock = Lock()
        finalizer, self._finalizer, connection, self._connection = self._finalizer, None, self._connection, None
        if finalizer is not None:
            finalizer.detach()
            _inherited.append(connection)


def _forget_after_fork() -> None:
    for cache in tuple(_caches):
        cache._forget()


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_forget_after_fork)


def _reopen(cls: type[SQLiteCache], path: str, ttl: float | None) -> SQLiteCache:
    return cls(path, ttl=ttl)


def _hash(prompt: str, llm_string: str) -> bytes:
    digest = hashlib.sha256()
    for part in (prompt, llm_string):
        data = part.encode("utf-8", "surrogatepass")
        digest.update(len(data).to_bytes(8, "big") + data)
    return digest.digest()

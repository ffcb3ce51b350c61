"""What the mock server has seen, readable and waitable from any thread."""

import asyncio
import threading
from collections import deque
from collections.abc import Callable, Iterator
from concurrent.futures import Future
from dataclasses import dataclass
from typing import Any, Literal

__all__ = ("Connection", "Connections", "RecordedRequest", "State")

# Records of the latest ones are kept; the counts go on.
_KEPT_RECORDS = 10_000


@dataclass(slots=True)
class RecordedRequest:
    """One request as it arrived, and how far its answer went.

    ``headers`` has names in lower case, ``body`` is the parsed JSON (``None`` where there is none),
    ``data`` the body's bytes. ``pieces_sent`` counts the pieces so far, from just before each is
    written; ``answered`` is ``True`` from just before the answer's proper end is written, so who
    has read to the end finds both final. ``over`` is ``True`` once nothing more will be sent, faults
    included.
    """

    number: int
    connection_id: int
    method: str
    path: str
    headers: dict[str, str]
    body: Any
    data: bytes
    pieces_sent: int = 0
    answered: bool = False
    over: bool = False


@dataclass(slots=True)
class Connection:
    """One connection: how many requests came over it, and who closed it (``None`` while it is open).

    ``bytes_sent`` counts what the kernel has taken of the responses, to the byte whenever the
    connection is not ``blocked``; it is while the server has more to send and the client does not
    read, so that neither end's buffer has room.
    """

    id: int
    requests: int = 0
    closed_by: Literal["client", "server"] | None = None
    bytes_sent: int = 0
    blocked: bool = False

    @property
    def closed(self) -> bool:
        """Whether the connection is closed."""
        return self.closed_by is not None


class Connections:
    """The connections that the server accepted: ``opened`` and ``closed`` count them, iterating gives the records."""

    def __init__(self) -> None:
        self.opened = 0
        self.closed = 0
        self._records: dict[int, Connection] = {}

    @property
    def open(self) -> int:
        """How many are open now."""
        return self.opened - self.closed

    def __len__(self) -> int:
        """Return how many were opened."""
        return self.opened

    def __iter__(self) -> Iterator[Connection]:
        """Iterate over the records, oldest first."""
        return iter(tuple(self._records.values()))

    def __getitem__(self, connection_id: int) -> Connection:
        """Return the record of one connection; ids count from 1."""
        return self._records[connection_id]

    def _open(self) -> Connection:
        self.opened += 1
        self._records.pop(self.opened - _KEPT_RECORDS, None)
        record = self._records[self.opened] = Connection(self.opened)
        return record


class State:
    """The records, and those who wait for a change in them. Only the server's own thread changes it."""

    def __init__(self) -> None:
        self.connections = Connections()
        self.requests: deque[RecordedRequest] = deque(maxlen=_KEPT_RECORDS)
        self.requests_seen = 0
        self.error: BaseException | None = None
        self._lock = threading.Lock()
        self._waiters: list[tuple[Callable[[], bool], Future[None]]] = []

    def open(self) -> Connection:
        """Record a new connection."""
        record = self.connections._open()
        self.changed()
        return record

    def close(self, record: Connection, by: Literal["client", "server"]) -> None:
        """Record that ``record`` is closed."""
        record.closed_by = by
        self.connections.closed += 1
        self.changed()

    def add(self, request: RecordedRequest) -> None:
        """Record a request."""
        self.requests_seen += 1
        self.connections[request.connection_id].requests += 1
        self.requests.append(request)
        self.changed()

    def changed(self) -> None:
        """Let those go on whose condition holds now."""
        if not self._waiters:
            return
        with self._lock:
            self._waiters = [waiter for waiter in self._waiters if not _is_met(*waiter)]

    def wait(self, condition: Callable[[], bool], timeout: float, what: str) -> None:
        """Block until ``condition`` holds; raise :class:`TimeoutError` after ``timeout`` seconds."""
        future = self._waiter(condition)
        try:
            future.result(timeout)
        except TimeoutError:
            raise TimeoutError(f"not within {timeout} s: {what}") from None
        finally:
            self._forget(future)

    async def await_(self, condition: Callable[[], bool], timeout: float, what: str) -> None:
        """:meth:`wait` for async code."""
        future = self._waiter(condition)
        try:
            # asyncio.wait leaves the future alone when time is up, so no late result hits a closed loop.
            done, _ = await asyncio.wait([asyncio.wrap_future(future)], timeout=timeout)
        finally:
            self._forget(future)
        if not done:
            raise TimeoutError(f"not within {timeout} s: {what}")

    def _waiter(self, condition: Callable[[], bool]) -> Future[None]:
        future: Future[None] = Future()
        # Registered before it is looked at: a change in between is not missed, only seen twice.
        with self._lock:
            if not _is_met(condition, future):
                self._waiters.append((condition, future))
        return future

    def _forget(self, future: Future[None]) -> None:
        with self._lock:
            self._waiters = [waiter for waiter in self._waiters if waiter[1] is not future]


def _is_met(condition: Callable[[], bool], future: Future[None]) -> bool:
    """Return whether ``condition`` need not be looked at again, after telling ``future`` what came of it."""
    try:
        if not condition():
            return False
    except Exception as error:
        # A mistake in the condition is its author's, not the server's.
        future.set_exception(error)
    else:
        future.set_result(None)
    return True

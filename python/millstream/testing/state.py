"""The records of the mock server, which any thread may read and wait for."""

import asyncio
import threading
from collections import deque
from collections.abc import Callable, Iterator
from concurrent.futures import Future
from dataclasses import dataclass
from typing import Any, Literal

__all__ = ("Connection", "Connections", "RecordedRequest", "State")

# Maximum number of records; older ones are dropped, but still counted.
_KEPT_RECORDS = 10_000


@dataclass(slots=True)
class RecordedRequest:
    """One request, and the progress of its response.

    ``headers`` has names in lower case, ``body`` is the parsed JSON (``None`` if there is none), ``data``
    the body's bytes, ``query`` what follows the question mark of the URL. ``pieces_sent`` is incremented
    just before each piece is written, and ``answered`` is set just before the end of a complete response
    is written, so a client that has read to the end finds both final. ``over`` is set when nothing more
    will be sent, by faults neither. ``status`` is that of the response, ``None`` if no head was sent, and
    ``seconds`` is the time from the request to the end of the response. ``left`` is set if the client has closed
    the connection before that.
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
    query: str = ""
    status: int | None = None
    seconds: float | None = None
    left: bool = False


@dataclass(slots=True)
class Connection:
    """One connection: its number of requests, and which side closed it (``None`` while it is open).

    ``bytes_sent`` counts the bytes of the responses that the kernel has accepted; it is exact unless the
    connection is ``blocked``. It is ``blocked`` while the server has more to send, the client does not
    read, and the buffers of both ends are full.
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
    """The connections that the server accepted: ``opened`` and ``closed`` count them, iteration yields the records."""

    def __init__(self) -> None:
        self.opened = 0
        self.closed = 0
        self._records: dict[int, Connection] = {}

    @property
    def open(self) -> int:
        """The number of open connections."""
        return self.opened - self.closed

    def __len__(self) -> int:
        """Return the number of connections opened so far."""
        return self.opened

    def __iter__(self) -> Iterator[Connection]:
        """Iterate over the records, oldest first."""
        return iter(tuple(self._records.values()))

    def __getitem__(self, connection_id: int) -> Connection:
        """Return the record of one connection; ids count from 1."""
        return self._records[connection_id]

    def _open(self) -> Connection:
        number = self.opened + 1
        self._records.pop(number - _KEPT_RECORDS, None)
        record = self._records[number] = Connection(number)
        # Counted last: the record of a connection that is counted can be read, in any thread.
        self.opened = number
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
        # Under the lock of the waiters, who find a closed connection counted.
        with self._lock:
            self.connections.closed += 1
            record.closed_by = by
        self.changed()

    def add(self, request: RecordedRequest) -> None:
        """Record a request."""
        with self._lock:
            self.requests_seen += 1
            self.connections[request.connection_id].requests += 1
            self.requests.append(request)
        self.changed()

    def changed(self) -> None:
        """Wake the waiters whose condition holds now."""
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
            # asyncio.wait does not cancel the future after the timeout, so no late result reaches a closed loop.
            done, _ = await asyncio.wait([asyncio.wrap_future(future)], timeout=timeout)
        finally:
            self._forget(future)
        if not done:
            raise TimeoutError(f"not within {timeout} s: {what}")

    def _waiter(self, condition: Callable[[], bool]) -> Future[None]:
        future: Future[None] = Future()
        # Registered before the first check: ``changed`` skips an empty list without taking the lock, and would
        # miss a change between a check and the registration after it.
        with self._lock:
            self._waiters.append((condition, future))
            if _is_met(condition, future):
                self._waiters.pop()
        return future

    def _forget(self, future: Future[None]) -> None:
        with self._lock:
            self._waiters = [waiter for waiter in self._waiters if waiter[1] is not future]


def _is_met(condition: Callable[[], bool], future: Future[None]) -> bool:
    """Check ``condition``, and set ``future`` if it holds or raises; return whether it did."""
    try:
        if not condition():
            return False
    except Exception as error:
        # An error in the condition is raised in the waiting test, not in the server.
        future.set_exception(error)
    else:
        future.set_result(None)
    return True

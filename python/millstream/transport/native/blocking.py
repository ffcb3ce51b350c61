"""Exchanges and pool of sync code: blocking sockets, shared by the threads of the process."""

from __future__ import annotations

import queue
import time
from collections.abc import Callable, Iterator
from math import inf
from typing import TYPE_CHECKING

from ...errors import APIConnectionError, APITimeoutError
from ...streaming.workers import running_worker
from .. import Request
from ..watchdog import call_later, shut_down
from .blocking_connection import Connection
from .exchange import READ_SIZE, Exchange, connect_error, read_error, redirect_request, timeout_error, unsolicited_error
from .origins import Origin, read_request_url, read_url
from .pool import PARKED_SECONDS, SETTLING_SECONDS, Limits, Pool
from .racing import open_socket
from .tls import default_context

if TYPE_CHECKING:
    import ssl

    from ...streaming.workers import ThreadBody
    from .exchange import HTTPConnection

__all__ = ("Response", "SocketPool")

# Maximum number of bytes that ``drain`` reads.
_DRAINED_SIZE = 262_144


class SocketPool(Pool[Connection]):
    """The connections of the process, for all of its threads."""

    def __init__(self, limits: Limits, ssl_context: ssl.SSLContext | None) -> None:
        super().__init__(limits)
        self._ssl_context = ssl_context
        # One item for each free place under ``max_connections``. Not a semaphore: its lock would deadlock if a
        # destructor released a place while the same thread held that lock; a SimpleQueue is reentrant.
        self._turns: queue.SimpleQueue[None] | None = None
        if limits.max_connections is not None:
            self._turns = queue.SimpleQueue()
            for _ in range(limits.max_connections):
                self._turns.put(None)

    def send(self, request: Request) -> Response:
        """Send ``request`` and return when the response's head has arrived; follow one redirect."""
        target = read_request_url(request.url)
        response = Response(request, target, time.monotonic())
        response.begin(self, target.origin)
        if (again := redirect_request(request, response)) is not None:
            response.drain()
            response.close()
            response = Response(again, read_url(again.url), time.monotonic())
            response.begin(self, target.origin)
        return response

    def enter(self, response: Response) -> None:
        """Wait for a free place under ``max_connections``; call :meth:`leave` after the exchange."""
        if self._turns is None:
            return
        seconds = min(response.waits.pool, response.end_by - time.monotonic())
        try:
            self._turns.get(timeout=None if seconds == inf else max(seconds, 0))
        except queue.Empty:
            limit = self.limits.max_connections
            raise timeout_error(response, response.waits.pool, f"none of {limit} connections became free") from None

    def leave(self) -> None:
        """End an exchange, and free its place."""
        if self._turns is not None:
            self._turns.put(None)

    def reuse(self, origin: Origin) -> Connection | None:
        """Return an existing connection that can be used, if there is one."""
        connection = self.take(origin, time.monotonic()) or self._reuse_parked(origin)
        if connection is not None:
            connection.is_reused = True
        return connection

    def _reuse_parked(self, origin: Origin) -> Connection | None:
        """Return a parked connection whose body has ended, or ends in a moment; the others stay parked."""
        seconds = SETTLING_SECONDS
        for connection in self.parked(origin):
            framing = connection.framing
            if framing is None or not self.unpark(connection):
                continue
            try:
                # Wait for the connection parked first; only look at the others.
                waited, seconds = seconds, 0.0
                if connection.settle(framing, waited):
                    connection.framing = None
                    return connection
            except BaseException:
                connection.abort()
                raise
            self._park_again(connection, framing)
        return None

    def _park_again(self, connection: Connection, framing: HTTPConnection) -> None:
        """Park ``connection`` again, or close it if its body was broken or its time is over."""
        is_late = time.monotonic() >= connection.parked_since + PARKED_SECONDS
        if framing.ended or framing.failure is not None or is_late:
            connection.abort()
        else:
            self.park(connection)

    def connect(self, origin: Origin, response: Response) -> Connection:
        """Open a connection."""
        if self._turns is not None and self.limits.max_connections is not None:
            self.make_room(self.limits.max_connections - self._turns.qsize())
        seconds = min(response.waits.connect, response.end_by - time.monotonic())
        context = (self._ssl_context or default_context()) if origin.tls else None
        try:
            return Connection(origin, open_socket(origin, context, time.monotonic() + seconds))
        except TimeoutError as error:
            raise response.connect_timeout_error(seconds, origin) from error
        except (OSError, UnicodeError) as error:
            raise connect_error(error, f"no connection to {origin}: ") from error

    def rest(self, connection: Connection) -> None:
        """Keep an idle connection."""
        self.put(connection, time.monotonic())

    def wait_for_end(self, connection: Connection, framing: HTTPConnection) -> None:
        """Park ``connection``, whose body has not ended yet, for a second."""
        connection.framing = framing
        connection.parked_since = time.monotonic()
        self.park(connection)
        call_later(self._give_up_later(connection, framing))

    def _give_up_later(self, connection: Connection, framing: HTTPConnection) -> Callable[[], None]:
        def give_up() -> None:
            # The connection may have been used since, and be parked for another body.
            if connection.framing is not framing or not self.unpark(connection):
                return
            if connection.settle(framing, 0):
                connection.framing = None
                self.rest(connection)
            else:
                connection.abort()

        return give_up


class Response(Exchange):
    """A response for sync code; see :class:`~millstream.transport.Response`."""

    __slots__ = ("_connection", "_is_interrupted", "_pool", "_rest", "_waits", "_worker")

    _connection: Connection | None
    _pool: SocketPool
    # The worker whose thread this is, if it is one: it may be stopped while the thread waits for data.
    _worker: ThreadBody | None

    def begin(self, pool: SocketPool, origin: Origin) -> None:
        """Send the request, and wait for the response's head."""
        self._pool = pool
        self._connection = None
        self._rest = b""
        self._worker = running_worker()
        self._waits = self._is_interrupted = False
        pool.enter(self)
        try:
            if self._worker is not None:
                self._worker.on_stop(self._interrupt)
            connection = pool.reuse(origin)
            if connection is not None:
                self._connection = connection
                if self._head(connection):
                    return
                # The connection was stale, and the request may be sent again: see ``may_send_again``.
                connection.abort()
                self._waits = False
                self.restart()
            self._connection = connection = pool.connect(origin, self)
            if self._is_interrupted:
                raise GeneratorExit
            if connection.has_spoken():
                raise unsolicited_error()
            self._head(connection)
        except BaseException:
            self._connection, connection = None, self._connection
            if connection is not None:
                connection.abort()
            self._leave()
            if self._is_interrupted:
                raise GeneratorExit from None
            raise

    def __iter__(self) -> Iterator[bytes]:
        """Read the body."""
        framing = self.framing
        while (connection := self._connection) is not None:
            if self._content is not None and (piece := self.read_decoded()) is not None:
                self._check_time()
                yield piece
                continue
            if framing.ended:
                return
            if framing.failure is not None:
                raise read_error(framing.failure)
            data, self._rest = self._rest, b""
            data = data or (self._receive(connection) if self._worker is None else self._receive_in(connection))
            if not data:
                framing.close()
            else:
                # An empty item is yielded too: the consumer may have to check its own deadline.
                yield data if self._through else self.feed_body(data)

    def drain(self) -> None:
        """Read the data that has arrived already; if the body has not ended, :meth:`close` parks the connection."""
        self._is_drained = True
        connection, framing = self._connection, self.framing
        if connection is None:
            return
        framing.feed(self._rest)
        self._rest = b""
        left = _DRAINED_SIZE
        try:
            while not framing.ended and framing.failure is None and left > 0:
                if (data := connection.look()) is None:
                    return
                if not data:
                    return framing.close()
                framing.feed(data)
                left -= len(data)
        except OSError:
            framing.close()

    def close(self) -> None:
        """Return the connection to the pool if the body has ended, else close or park it, at once."""
        connection, self._connection = self._connection, None
        if connection is None:
            return
        framing = self.framing
        if framing.reusable and not self._rest:
            self._pool.rest(connection)
        elif self._is_drained and not framing.ended and framing.failure is None:
            self._pool.wait_for_end(connection, framing)
        else:
            connection.abort()
        self._leave()

    def _leave(self) -> None:
        self._pool.leave()
        if self._worker is not None:
            self._worker.forget(self._interrupt)
            self._worker = None

    def _interrupt(self) -> bool:
        """End the connection, in the thread that stops the worker; return whether the worker's thread waits for it."""
        self._is_interrupted = True
        if (connection := self._connection) is not None:
            shut_down(connection.socket)
        return self._waits

    def _head(self, connection: Connection) -> bool:
        """Send the request and read the head; return ``False`` if the connection was stale."""
        is_seen = False
        waits = self.waits
        sent_at = time.monotonic()
        unsent = self._send(connection)
        deadline = min(time.monotonic() + waits.head, self.end_by)
        self._waits = self._worker is not None
        while True:
            try:
                data = connection.receive(deadline - time.monotonic())
            except TimeoutError:
                failure = self._timeout_error("the head did not come", waits.head)
                raise failure from failure.__cause__
            except OSError as error:
                if connection.is_reused and not is_seen and self.may_send_again(time.monotonic() - sent_at):
                    return False
                raise connect_error(error) from error
            if not data:
                if connection.is_reused and not is_seen and self.may_send_again(time.monotonic() - sent_at):
                    return False
                if unsent is not None:
                    raise connect_error(unsent)
                self.framing.close()
                raise connect_error(self.framing.failure)
            is_seen = True
            rest = self.feed_head(data)
            if rest is not None:
                self._rest = rest
                self.limit_error(time.monotonic())
                connection.wait_for(waits.idle)
                self._waits = False
                return True

    def _send(self, connection: Connection) -> OSError | None:
        """Send the request; return the error if the server closed, since it may have sent a response before that."""
        connection.wait_for(min(self.waits.write, self.end_by - time.monotonic()))
        try:
            connection.socket.sendall(self.payload)
        except TimeoutError:
            failure = self._timeout_error("the request could not be sent", self.waits.write)
            raise failure from failure.__cause__
        except OSError as error:
            return error
        return None

    def _receive(self, connection: Connection) -> bytes:
        try:
            if self.end_by == inf:
                return connection.socket.recv(READ_SIZE)
            self._check_time()
            return connection.receive(min(self.waits.idle, self.end_by - time.monotonic()))
        except TimeoutError:
            failure = self._timeout_error("nothing arrived", self.waits.idle)
            raise failure from failure.__cause__
        except OSError as error:
            raise read_error(error) from error

    def _receive_in(self, connection: Connection) -> bytes:
        """Receive in the thread of a worker; raise :class:`GeneratorExit` if it is stopped meanwhile."""
        self._waits = True
        try:
            data = self._receive(connection)
        except APIConnectionError:
            if not self._is_interrupted:
                raise
            data = b""
        self._waits = False
        if self._is_interrupted:
            raise GeneratorExit
        return data

    def _check_time(self) -> None:
        """Raise if the total time is over, although data keeps arriving."""
        if self.end_by < inf and time.monotonic() >= self.end_by:
            raise self.total_timeout_error()

    def _timeout_error(self, what: str, seconds: float) -> APITimeoutError:
        # A wait may end a little before its deadline.
        if time.monotonic() + 0.001 >= self.end_by:
            return self.total_timeout_error()
        return timeout_error(self, seconds, what)

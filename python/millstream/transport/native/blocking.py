"""Connections, exchanges and pool of sync code: blocking sockets, shared by the threads of the process."""

from __future__ import annotations

import contextlib
import queue
import socket
import time
from collections.abc import Callable, Iterator
from math import inf
from os import getpid
from typing import TYPE_CHECKING

from ...errors import APITimeoutError
from .. import Request
from ..watchdog import call_later, shut_down
from .exchange import READ_SIZE, Exchange, connect_error, read_error, redirect_request, timeout_error, unsolicited_error
from .origins import Origin, read_request_url, read_url
from .pool import PARKED_SECONDS, SETTLING_SECONDS, Limits, Pool
from .racing import connect
from .tls import check_protocol, default_context

if TYPE_CHECKING:
    import ssl

    from .exchange import HTTPConnection

__all__ = ("Response", "SocketPool")

# Maximum number of bytes that ``drain`` reads.
_DRAINED_SIZE = 262_144


class Connection:
    """One connected socket."""

    __slots__ = ("_pid", "framing", "idle_since", "is_reused", "origin", "parked_since", "socket")

    def __init__(self, origin: Origin, sock: socket.socket) -> None:
        self.origin = origin
        self.socket = sock
        self.framing: HTTPConnection | None = None
        self.idle_since = self.parked_since = 0.0
        self.is_reused = False
        self._pid = getpid()

    def receive(self, seconds: float) -> bytes:
        """Return the next data, empty at the end; raises :class:`TimeoutError` after ``seconds``."""
        self.wait_for(seconds)
        return self.socket.recv(READ_SIZE)

    def wait_for(self, seconds: float) -> None:
        """Set the timeout of the socket, above zero: a timeout of zero would make it non-blocking."""
        self.socket.settimeout(None if seconds == inf else max(seconds, 0.0001))

    def look(self) -> bytes | None:
        """Read without blocking: return data, empty at the end, or ``None`` if there is nothing yet."""
        self.socket.setblocking(False)
        try:
            return self.socket.recv(READ_SIZE)
        except BlockingIOError:
            return None
        except OSError as error:
            # The exceptions of TLS for "not now", by name: importing ssl is expensive, and plain HTTP does not need it.
            if type(error).__name__ in ("SSLWantReadError", "SSLWantWriteError"):
                return None
            raise

    def settle(self, framing: HTTPConnection, seconds: float) -> bool:
        """Wait for the end of a body; return whether it came, and the connection can be used."""
        deadline = time.monotonic() + seconds
        try:
            while not framing.ended and framing.failure is None:
                left = deadline - time.monotonic()
                data = self.look() if left <= 0 else self.receive(left)
                if not data:
                    if data is not None:
                        framing.close()
                    break
                framing.feed(data)
        except TimeoutError:
            return False
        except OSError:
            framing.close()
        return framing.reusable and self.is_sound()

    def is_sound(self) -> bool:
        """Return whether an exchange may begin: the peer has neither closed the connection nor sent anything."""
        try:
            return self.look() is None
        except OSError:
            return False

    def has_spoken(self) -> bool:
        """Return whether the peer has sent data before the request."""
        try:
            return bool(self.look())
        except OSError:
            return False

    def abort(self) -> None:
        """Close the socket; shut down first, so that the server notices it even if a child process has a copy."""
        if getpid() == self._pid:
            shut_down(self.socket)
        with contextlib.suppress(OSError):
            self.socket.close()


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
            return Connection(origin, _open_socket(origin, context, time.monotonic() + seconds))
        except TimeoutError as error:
            raise timeout_error(response, seconds, f"no connection to {origin}") from error
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


def _open_socket(origin: Origin, context: ssl.SSLContext | None, deadline: float) -> socket.socket:
    """Return a connected socket, with TLS for https."""
    sock = connect(origin.host, origin.port, deadline)
    try:
        if context is None:
            return sock
        _limit(sock, deadline)
        sock = context.wrap_socket(sock, server_hostname=origin.host)
        check_protocol(sock)
    except BaseException:
        sock.close()
        raise
    return sock


def _limit(sock: socket.socket, deadline: float) -> None:
    left = deadline - time.monotonic()
    if left <= 0:
        raise TimeoutError("timed out")
    sock.settimeout(None if left == inf else left)


class Response(Exchange):
    """A response for sync code; see :class:`~millstream.transport.Response`."""

    __slots__ = ("_connection", "_pool", "_rest")

    _connection: Connection | None
    _pool: SocketPool

    def begin(self, pool: SocketPool, origin: Origin) -> None:
        """Send the request, and wait for the response's head."""
        self._pool = pool
        self._connection = None
        self._rest = b""
        pool.enter(self)
        try:
            connection = pool.reuse(origin)
            if connection is not None:
                self._connection = connection
                if self._head(connection):
                    return
                # The connection was stale, and the request may be sent again: see ``may_send_again``.
                connection.abort()
                self.restart()
            self._connection = connection = pool.connect(origin, self)
            if connection.has_spoken():
                raise unsolicited_error()
            self._head(connection)
        except BaseException:
            self._connection, connection = None, self._connection
            if connection is not None:
                connection.abort()
            pool.leave()
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
            data = data or self._receive(connection)
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
        self._pool.leave()

    def _head(self, connection: Connection) -> bool:
        """Send the request and read the head; return ``False`` if the connection was stale."""
        is_seen = False
        waits = self.waits
        sent_at = time.monotonic()
        unsent = self._send(connection)
        deadline = min(time.monotonic() + waits.head, self.end_by)
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

    def _check_time(self) -> None:
        """Raise if the total time is over, although data keeps arriving."""
        if self.end_by < inf and time.monotonic() >= self.end_by:
            raise self.total_timeout_error()

    def _timeout_error(self, what: str, seconds: float) -> APITimeoutError:
        # A wait may end a little before its deadline.
        if time.monotonic() + 0.001 >= self.end_by:
            return self.total_timeout_error()
        return timeout_error(self, seconds, what)

"""Exchanges over the connections of an event loop."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial
from math import inf
from typing import TYPE_CHECKING, Any, Protocol

from ...errors import APITimeoutError
from .exchange import Exchange, connect_error, read_error, timeout_error, unsolicited_error
from .relay import Relay

if TYPE_CHECKING:
    from .asyncio_connection import Connection
    from .origins import Origin

__all__ = ("AsyncResponse",)

# Two arguments of a relay: the functions that make the records, and those that send them.
RelayParts = tuple[tuple[Any, ...], tuple[Any, ...]]


class ResponsePool(Protocol):
    """What a response needs of its pool."""

    now: Callable[[], float]

    async def enter(self, response: AsyncResponse) -> None:
        """Wait for a free place under ``max_connections``."""

    def leave(self) -> None:
        """End an exchange."""

    async def reuse(self, origin: Origin) -> Connection | None:
        """Return an existing connection that can be used, if there is one."""

    async def connect(self, origin: Origin, response: AsyncResponse) -> Connection:
        """Open a connection."""


class Consumer(Protocol):
    """What takes data in the loop's callback, in one of two ways."""

    def make_take(self) -> Callable[[bytes], bool]:
        """Return the function that takes data, and returns whether to go on."""

    def make_relay_parts(self) -> RelayParts | None:
        """Return the arguments of a :class:`Relay`, which does the same in the core; ``None`` if it cannot."""


class AsyncResponse(Exchange):
    """A response for async code; see :class:`~millstream.transport.AsyncResponse`."""

    __slots__ = ("_connection", "_pool")

    _connection: Connection | None
    _pool: ResponsePool

    async def begin(self, pool: ResponsePool, origin: Origin) -> None:
        """Send the request, and wait for the response's head."""
        self._pool = pool
        self._connection = None
        await pool.enter(self)
        try:
            connection = await pool.reuse(origin)
            if connection is not None:
                self._connection = connection
                if await self._head(connection):
                    return
                # The connection was stale, and the request may be sent again: see ``may_send_again``.
                connection.abort()
                self.restart()
            self._connection = connection = await pool.connect(origin, self)
            if connection.reads:
                raise unsolicited_error()
            await self._head(connection)
        except BaseException:
            self._connection, connection = None, self._connection
            if connection is not None:
                connection.abort()
            pool.leave()
            raise

    async def _head(self, connection: Connection) -> bool:
        """Send the request and read the head; return ``False`` if the connection was stale."""
        is_seen = False
        waits, now = self.waits, self._pool.now
        connection.send(self.payload)
        sent_at = now()
        deadline = min(sent_at + (waits.write if connection.is_writing else waits.head), self.end_by)
        is_sent = not connection.is_writing
        while True:
            if connection.reads:
                is_seen = True
                data = self.feed_head(connection.take())
                if data is not None:
                    if data:
                        connection.reads.insert(0, data)
                    self.limit_error(now())
                    return True
                continue
            if connection.is_lost:
                if connection.is_reused and not is_seen and self.may_send_again(now() - sent_at):
                    return False
                self._close(connection)
            if not is_sent and not connection.is_writing:
                is_sent = True
                deadline = min(now() + waits.head, self.end_by)
            if await connection.wait_for_change(deadline) and not connection.has_news():
                if is_sent:
                    raise self._timeout_error(deadline, waits.head, "the head did not come")
                raise self._timeout_error(deadline, waits.write, "the request could not be sent")

    async def read(self) -> Sequence[bytes]:
        """Wait for data, and return all that has arrived, as one item; empty at the end."""
        framing = self.framing
        while (connection := self._connection) is not None:
            if self.end_by < inf and self._pool.now() >= self.end_by:
                raise self.total_timeout_error()
            if self._content is not None and (piece := self.read_decoded()) is not None:
                return (piece,)
            if framing.ended:
                return ()
            if framing.failure is not None:
                raise read_error(framing.failure)
            if not connection.reads:
                if connection.is_lost:
                    self._close(connection)
                    continue
                deadline = self._pool.now() + self.waits.idle
                if deadline > self.end_by:
                    deadline = self.end_by
                if await connection.wait_for_change(deadline) and not connection.has_news():
                    raise self._timeout_error(deadline, self.waits.idle, "nothing arrived")
                if not connection.reads:
                    continue
            data = connection.take()
            # An empty item is returned too: the consumer may have to check its own deadline.
            return (data if self._through else self.feed_body(data),)
        return ()

    async def read_into(self, consumer: Consumer) -> Sequence[bytes]:
        """Let ``consumer`` take all data as it arrives, in the loop's callback, until it does not go on.

        Returns an empty sequence then, and at the end, and raises what :meth:`read` does. Data that has arrived
        already is returned, as :meth:`read` does: the task never takes it. Where a decoder reads the framing,
        a :class:`Relay` takes the data in the core.
        """
        connection = self._connection
        # Empty, or the exception that the task is to raise, if there is one.
        stopped: list[Exception | None] = []
        stop: Any = None
        try:
            if connection is not None and self._awaits_data(connection):
                stop = partial(_stop, connection, stopped)
                now, idle, end_by = self._pool.now, self.waits.idle, self.end_by
                if self._through and (parts := consumer.make_relay_parts()) is not None:
                    waits = now, idle, end_by
                    connection.begin_relay(Relay(connection, connection.view, self.framing, waits, *parts, stop))
                    # The wait may take as long as the stream.
                    del parts, waits
                else:
                    connection.sink = self._make_sink(connection, consumer.make_take(), stop)
                if await connection.wait_for_change(min(now() + idle, end_by)) and not connection.has_news():
                    raise self._timeout_error(connection.deadline, idle, "nothing arrived")
                for error in stopped:
                    if error is not None:
                        raise error
                    return ()
            return await self.read()
        finally:
            if connection is not None:
                connection.end_sink()
            # A traceback keeps this frame, which would keep the exception, and the processor that has it.
            error = stop = None
            del consumer, stopped

    def _awaits_data(self, connection: Connection) -> bool:
        """Return whether nothing has arrived, and more is to come, of a body that is not compressed."""
        framing = self.framing
        is_over = framing.ended or framing.failure is not None or connection.has_news()
        return not is_over and self._content is None and self._pool.now() < self.end_by

    def _make_sink(
        self, connection: Connection, take: Callable[[bytes], bool], stop: Callable[[Exception | None], None]
    ) -> Callable[[bytes], None]:
        """Return the function that passes data on to ``take``, and moves the deadline on."""
        framing, now, idle = self.framing, self._pool.now, self.waits.idle
        end_by, through = self.end_by, self._through

        def feed(data: bytes) -> None:
            time = now()
            if time >= end_by:
                connection.reads.append(data)
                return connection.wake()
            connection.deadline = time + idle if time + idle < end_by else end_by
            try:
                goes_on = take(data if through else self.feed_body(data))
            except Exception as error:
                return stop(error)
            if not goes_on:
                stop(None)
            elif framing.ended or framing.failure is not None:
                connection.wake()

        return feed

    async def adrain(self) -> None:
        """Let the connection wait for the body's end after :meth:`aclose`, without waiting here."""
        self._is_drained = True

    async def aclose(self) -> None:
        """Release the connection, at once."""
        connection, self._connection = self._connection, None
        if connection is not None:
            connection.release(self.framing, is_drained=self._is_drained)
            self._pool.leave()

    def _close(self, connection: Connection) -> None:
        """Handle the end of the connection; raise unless it ends the body."""
        build_error = read_error if self.status else connect_error
        if connection.error is not None:
            raise build_error(connection.error)
        self.framing.close()
        if not self.framing.ended:
            raise build_error(self.framing.failure)

    def _timeout_error(self, deadline: float, seconds: float, what: str) -> APITimeoutError:
        if deadline == self.end_by:
            return self.total_timeout_error()
        return timeout_error(self, seconds, what)


def _stop(connection: Connection, stopped: list[Exception | None], error: Exception | None) -> None:
    """End the work in the loop's callback: the task raises ``error``, or waits for its client."""
    stopped.append(error)
    connection.pause()
    connection.wake()

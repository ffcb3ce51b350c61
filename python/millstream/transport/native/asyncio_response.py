"""The driver for event loops: exchanges over connections of the running loop, responses that are awaited."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from math import inf
from typing import TYPE_CHECKING, Protocol

from ...errors import APITimeoutError
from .exchange import Exchange, before, late, unasked, while_reading

if TYPE_CHECKING:
    from .asyncio_connection import Connection
    from .origins import Origin

__all__ = ("AsyncResponse",)


class ResponsePool(Protocol):
    """The pool of a loop, as a response sees it."""

    now: Callable[[], float]

    async def enter(self, response: AsyncResponse) -> None:
        """Wait until there may be one more exchange."""

    def leave(self) -> None:
        """Take note that an exchange is over."""

    async def reuse(self, origin: Origin) -> Connection | None:
        """Return a connection that is there already, if one can serve."""

    async def connect(self, origin: Origin, response: AsyncResponse) -> Connection:
        """Return a new connection."""


class AsyncResponse(Exchange):
    """A response over a connection of the running loop; see :class:`~millstream.transport.AsyncResponse`."""

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
                # Stale, and safe to be sent again: see may_send_again.
                connection.abort()
                self.restart()
            self._connection = connection = await pool.connect(origin, self)
            if connection.reads:
                raise unasked()
            await self._head(connection)
        except BaseException:
            self._connection, connection = None, self._connection
            if connection is not None:
                connection.abort()
            pool.leave()
            raise

    async def _head(self, connection: Connection) -> bool:
        """Send the request and read the head; ``False`` if the connection was a stale one."""
        is_seen = False
        waits, now = self.waits, self._pool.now
        connection.send(self.payload)
        sent_at = now()
        deadline = min(sent_at + (waits.write if connection.writes else waits.head), self.end_by)
        is_sent = not connection.writes
        while True:
            if connection.reads:
                is_seen = True
                data = self.begins(connection.take())
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
            if not is_sent and not connection.writes:
                is_sent = True
                deadline = min(now() + waits.head, self.end_by)
            if await connection.arrival(deadline) and connection.is_sound():
                if is_sent:
                    raise self._late(deadline, waits.head, "the head did not come")
                raise self._late(deadline, waits.write, "the request could not be sent")

    async def read(self) -> Sequence[bytes]:
        """Wait until something has arrived, and return all that has, as one item; empty at the end."""
        framing = self.framing
        while (connection := self._connection) is not None:
            if self.end_by < inf and self._pool.now() >= self.end_by:
                raise self.overdue()
            if self._content is not None and (piece := self.more()) is not None:
                return (piece,)
            if framing.ended:
                return ()
            if framing.failure is not None:
                raise while_reading(framing.failure)
            if not connection.reads:
                if connection.is_lost:
                    self._close(connection)
                    continue
                deadline = self._pool.now() + self.waits.idle
                if deadline > self.end_by:
                    deadline = self.end_by
                if await connection.arrival(deadline) and connection.is_sound():
                    raise self._late(deadline, self.waits.idle, "nothing arrived")
                if not connection.reads:
                    continue
            data = connection.take()
            # Also what brings nothing of the body is handed out: the consumer has a clock to look at.
            return (data if self._through else self.unframed(data),)
        return ()

    async def adrain(self) -> None:
        """Have the connection wait for the body's end, once this response is let go: nobody waits here."""
        self._is_drained = True

    async def aclose(self) -> None:
        """Let the response go, at once."""
        connection, self._connection = self._connection, None
        if connection is not None:
            connection.let_go(self.framing, is_drained=self._is_drained)
            self._pool.leave()

    def _close(self, connection: Connection) -> None:
        """Take note that nothing more will come; raise where that is not how a body ends."""
        wrong = while_reading if self.status else before
        if connection.error is not None:
            raise wrong(connection.error)
        self.framing.close()
        if not self.framing.ended:
            raise wrong(self.framing.failure)

    def _late(self, deadline: float, seconds: float, what: str) -> APITimeoutError:
        if deadline == self.end_by:
            return self.overdue()
        return late(self, seconds, what)

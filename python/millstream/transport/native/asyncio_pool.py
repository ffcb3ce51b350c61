"""The connections of one event loop: opened, kept, and closed with it."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import AsyncGenerator, Callable
from contextvars import Context
from math import inf
from time import monotonic
from typing import TYPE_CHECKING, TypeVar
from weakref import ref

from ..._context import InContext
from .. import Request
from .asyncio_connection import Connection
from .asyncio_response import AsyncResponse
from .connecting import connect
from .exchange import READ_SIZE, connect_error, redirect_request, timeout_error
from .origins import Origin, read_request_url, read_url
from .pool import SETTLING_SECONDS, Limits, Pool
from .time_limit import TimeLimit
from .tls import check_protocol, default_context

if TYPE_CHECKING:
    import ssl

__all__ = ("LoopPool",)

T = TypeVar("T")


class LoopPool(Pool[Connection]):
    """The connections of one event loop, the buffer they read into, and the requests that wait for a free place."""

    def __init__(self, loop: asyncio.AbstractEventLoop, limits: Limits, ssl_context: ssl.SSLContext | None) -> None:
        super().__init__(limits)
        self.loop = loop
        # The same clock as asyncio's own, at half the cost.
        self.now = monotonic if isinstance(loop, asyncio.BaseEventLoop) else loop.time
        self.view = memoryview(bytearray(READ_SIZE))
        # An empty context for callbacks: connections outlive requests, and must not keep users' variables alive.
        self.context = Context()
        self.connections: set[Connection] = set()
        # Set in a child process after a fork: it prevents this process from closing the parent's sockets.
        self.is_inherited = False
        self._ssl_context = ssl_context
        self._active = 0
        self._waiters: deque[asyncio.Future[bool]] = deque()
        # Weak: a strong reference would keep the timer, and with it its ``_LoopFinalizer``, alive.
        self._sweeper: Callable[[], asyncio.TimerHandle | None] | None = None
        self._keeper: AsyncGenerator[None, None] | None = None

    async def start(self, pools: dict[asyncio.AbstractEventLoop, LoopPool]) -> None:
        """Add this pool to ``pools`` until the loop shuts down its async generators, shortly before it closes."""
        pools[self.loop] = self
        self._keeper = _close_at_loop_shutdown(self, pools)
        await anext(self._keeper)

    async def send(self, request: Request) -> AsyncResponse:
        """Send ``request`` and return when the response's head has arrived; follow one redirect."""
        target = read_request_url(request.url)
        response = AsyncResponse(request, target, self.now())
        await response.begin(self, target.origin)
        if (again := redirect_request(request, response)) is not None:
            await response.adrain()
            await response.aclose()
            response = AsyncResponse(again, read_url(again.url), self.now())
            await response.begin(self, target.origin)
        return response

    async def enter(self, response: AsyncResponse) -> None:
        """Wait for a free place under ``max_connections``; call :meth:`leave` after the exchange."""
        limit = self.limits.max_connections
        if limit is None or self._active < limit:
            self._active += 1
            return
        deadline = min(self.now() + response.waits.pool, response.end_by)
        turn: asyncio.Future[bool] = self.loop.create_future()
        self._waiters.append(turn)
        timer = None if deadline == inf else self.loop.call_at(deadline, _time_out_turn, turn, context=self.context)
        try:
            is_ours = await turn
        except BaseException:
            # Cancelled, perhaps after the place was assigned: pass it on.
            if turn.done() and not turn.cancelled() and turn.result():
                self.leave()
            raise
        finally:
            if timer is not None:
                timer.cancel()
        if not is_ours:
            raise timeout_error(response, response.waits.pool, f"none of {limit} connections became free")

    def leave(self) -> None:
        """End an exchange; its place goes to the request that has waited longest."""
        while self._waiters and not self.loop.is_closed():
            turn = self._waiters.popleft()
            if not turn.done():
                turn.set_result(True)
                return
        self._active -= 1

    async def reuse(self, origin: Origin) -> Connection | None:
        """Return an existing connection that can be used, if there is one."""
        connection = self.take(origin, self.now()) or await self._reuse_parked(origin)
        if connection is not None:
            connection.use()
        return connection

    async def _reuse_parked(self, origin: Origin) -> Connection | None:
        """Wait a moment for the end of a parked connection's body; the other connections stay parked."""
        # The connection parked first ends first. Others that end become idle by themselves.
        for connection in self.parked(origin)[:1]:
            if self.unpark(connection) and await connection.settle(self.now() + SETTLING_SECONDS):
                return connection
            return self.take(origin, self.now())
        return None

    async def connect(self, origin: Origin, response: AsyncResponse) -> Connection:
        """Open a connection."""
        self.make_room(self._active)
        seconds = max(0.0, min(response.waits.connect, response.end_by - self.now()))
        tls = (self._ssl_context or default_context()) if origin.tls else None
        connection = Connection(self, origin)
        self.connections.add(connection)
        try:
            await self._open_in_time(connection, tls, seconds)
        except BaseException as error:
            connection.abort()
            if isinstance(error, TimeoutError):
                raise response.connect_timeout_error(seconds, origin) from error
            if isinstance(error, OSError | UnicodeError):
                raise connect_error(error, f"no connection to {origin}: ") from error
            raise
        return connection

    def rest(self, connection: Connection) -> None:
        """Keep an idle connection, and schedule its closing."""
        self.put(connection, self.now())
        if self._sweeper is None and not self.is_closed:
            self._sweep_in(self.limits.idle_seconds)

    def close(self) -> None:
        """Close all connections of the loop, including those in use."""
        super().close()
        sweeper = None if self._sweeper is None else self._sweeper()
        if sweeper is not None:
            sweeper.cancel()
        self._sweeper = None
        for connection in tuple(self.connections):
            connection.abort()

    async def aclose(self) -> None:
        """Close the pool while the loop keeps running."""
        keeper, self._keeper = self._keeper, None
        if keeper is not None:
            await keeper.aclose()
        self.close()

    async def _open_in_time(self, connection: Connection, tls: ssl.SSLContext | None, seconds: float) -> None:
        async with asyncio.timeout(None) as timeout:
            limit = None if seconds == inf else TimeLimit(self.loop, timeout, seconds, self.context)
            try:
                await InContext(self.context, self._open(connection, tls))
            finally:
                if limit is not None:
                    limit.stop()

    async def _open(self, connection: Connection, tls: ssl.SSLContext | None) -> None:
        origin = connection.origin
        sock = await connect(self.loop, origin.host, origin.port)
        try:
            transport, _ = await self.loop.create_connection(
                lambda: connection, sock=sock, ssl=tls, server_hostname=origin.host if origin.tls else None
            )
        except BaseException:
            # The loop's transport would close the socket in a later turn.
            sock.close()
            raise
        connection.socket = sock
        if origin.tls:
            check_protocol(transport.get_extra_info("ssl_object"))

    def _sweep_in(self, seconds: float) -> None:
        timer = self.loop.call_later(seconds, self._sweep_idle, _LoopFinalizer(self), context=self.context)
        self._sweeper = ref(timer) if isinstance(self.loop, asyncio.BaseEventLoop) else lambda: timer

    def _sweep_idle(self, end: _LoopFinalizer) -> None:
        self._sweeper = None
        now = self.now()
        if (due := self.sweep(now)) is not None:
            self._sweep_in(max(0.0, due - now))


class _LoopFinalizer:
    """Closes the pool when its loop is closed without shutting down async generators, as ``loop.close()`` alone does.

    It is an argument of the timer that closes idle connections. A closed loop drops its timers, and with them
    the last reference to this object.
    """

    __slots__ = ("_pool",)

    def __init__(self, pool: LoopPool) -> None:
        self._pool = pool

    def __del__(self) -> None:
        loop = self._pool.loop
        # uvloop closes its sockets itself.
        if loop.is_closed() and isinstance(loop, asyncio.BaseEventLoop) and not self._pool.is_inherited:
            self._pool.close()


def _time_out_turn(turn: asyncio.Future[bool]) -> None:
    if not turn.done():
        turn.set_result(False)


async def _close_at_loop_shutdown(
    pool: LoopPool, pools: dict[asyncio.AbstractEventLoop, LoopPool]
) -> AsyncGenerator[None, None]:
    # asyncio closes open async generators before it closes the loop: the only moment at which idle
    # connections can be closed without an explicit call.
    try:
        yield
    finally:
        if pools.get(pool.loop) is pool:
            del pools[pool.loop]
        pool.close()

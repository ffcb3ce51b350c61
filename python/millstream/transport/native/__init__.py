"""The native transport: HTTP/1.1, parsed by the Rust core, over the event loop's sockets or blocking ones.

======================  ==========================================================================
``origins``             parses URLs
``tls``                 creates TLS contexts
``exchange``            one request and its response, without I/O: shared by async and sync code
``content_coding``      decompresses bodies
``pool``                idle and parked connections: shared by async and sync code
``asyncio_connection``  a connection as ``asyncio.BufferedProtocol``, for asyncio and uvloop
``asyncio_response``    the exchanges over it
``asyncio_pool``        the connections of one event loop
``blocking_connection`` a connection of sync code: a blocking socket
``blocking``            the exchanges and the pool of sync code
``unread``              looks at what a loop has not read yet
``time_limit``          a time limit that a blocked loop does not make expire
``addresses``           the addresses of a host, and one attempt to connect
``connecting``          races these attempts (RFC 8305) in an event loop
``racing``              races them in sync code
======================  ==========================================================================

Begin with ``exchange``, then ``asyncio_response``: its ``begin``, ``read`` and ``aclose`` are the life of a
request.

Timeouts are those of the request: ``connect`` for a new connection (TLS included), ``write`` until the
request is sent, ``pool`` for a free place if ``max_connections`` are in use, ``read`` for the
response's head and, with ``idle``, for the time between two reads of its body; ``total`` for
everything together.

If a consumer stops reading, its socket is paused once 65,536 bytes are unread. Each stream buffers at
most that much and two reads of the same size.
"""

from __future__ import annotations

import atexit
import os
import weakref
from collections.abc import Iterable
from typing import TYPE_CHECKING

from .. import Request
from .origins import read_url
from .pool import Limits

if TYPE_CHECKING:
    import asyncio
    import ssl

    from .asyncio_pool import LoopPool
    from .asyncio_response import AsyncResponse
    from .blocking import Response, SocketPool

__all__ = ("Limits", "NativeTransport", "close_idle", "idle_descriptors")

_POOL = "pool"
# This flag keeps streams in later exit handlers from leaving connections in a pool that was already closed.
_is_exiting = False
_transports: weakref.WeakSet[NativeTransport] = weakref.WeakSet()
_inherited: list[object] = []


class NativeTransport:
    """Sends requests over connections of its own: a pool for sync code, and one for each event loop.

    Models share one such transport. One with an ``ssl_context`` (for your own certificate, say) or with
    ``limits`` is passed to a model as ``http_client``, and closed by its owner; the pool of a loop is closed
    with the loop as well. ::

        context = ssl.create_default_context(cafile="ca.pem")
        llm = OpenAI(http_client=NativeTransport(ssl_context=context))

    For proxies, HTTP/2 and Unix sockets see :mod:`millstream.transport.httpx2`.
    """

    def __init__(self, *, ssl_context: ssl.SSLContext | None = None, limits: Limits | None = None) -> None:
        self._ssl_context = ssl_context
        self._limits = limits or Limits()
        self._sync: dict[str, SocketPool] = {}
        self._loops: dict[asyncio.AbstractEventLoop, LoopPool] = {}
        _transports.add(self)

    def open(self, request: Request) -> Response:
        """Send ``request`` and return once the response's head has arrived, whatever its status.

        A redirect to the same origin that keeps the method (307, 308) is followed, once.
        """
        pool = self._sync.get(_POOL)
        if pool is None:
            from .blocking import SocketPool

            limits = self._limits._replace(max_idle=0) if _is_exiting else self._limits
            # Several threads may create a pool; ``setdefault`` keeps one of them.
            pool = self._sync.setdefault(_POOL, SocketPool(limits, self._ssl_context))
        return pool.send(request)

    async def aopen(self, request: Request) -> AsyncResponse:
        """:meth:`open` for async code."""
        import asyncio

        loop = asyncio.get_running_loop()
        pool = self._loops.get(loop)
        if pool is None or pool.is_closed:
            pool = await self._pool_for(loop)
        return await pool.send(request)

    def close(self) -> None:
        """Close the connections of sync code."""
        pool = self._sync.pop(_POOL, None)
        if pool is not None:
            pool.close()

    async def aclose(self) -> None:
        """Close the connections of the running loop."""
        import asyncio

        pool = self._loops.pop(asyncio.get_running_loop(), None)
        if pool is not None:
            await pool.aclose()

    async def _pool_for(self, loop: asyncio.AbstractEventLoop) -> LoopPool:
        from .asyncio_pool import LoopPool

        for old in [old for old in list(self._loops) if old.is_closed()]:
            self._loops.pop(old, None)
        pool = LoopPool(loop, self._limits, self._ssl_context)
        await pool.start(self._loops)
        return pool

    def _pools(self, *, of_loop: bool = False) -> Iterable[SocketPool | LoopPool]:
        """Return the pool of sync code, or that of the running loop, if it exists."""
        if not of_loop:
            return tuple(self._sync.values())
        import asyncio

        try:
            pool = self._loops.get(asyncio.get_running_loop())
        except RuntimeError:
            return ()
        return () if pool is None else (pool,)

    def _forget(self) -> None:
        """Drop the connections of the parent process, in a child.

        The parent goes on using them, so the child must neither send nor shut anything down. Blocking sockets
        are closed, which ends only this process's descriptors (see ``Connection.abort``, which compares process
        ids). An event loop's epoll instance is shared with the parent: unregistering a socket here would
        unregister it there. So the pools of loops are kept, unused, in ``_inherited``, and no destructor runs.
        """
        sync = self._sync.pop(_POOL, None)
        loops, self._loops = self._loops, {}
        _inherited.append(loops)
        for pool in loops.values():
            pool.is_inherited = True
        if sync is not None:
            sync.close()


def close_idle(url: str | None, *, of_loop: bool = False) -> None:
    """Close the idle connections of sync code, or of the running loop: those to ``url``'s origin, or all."""
    origin = None if url is None else read_url(url).origin
    for transport in tuple(_transports):
        for pool in transport._pools(of_loop=of_loop):
            pool.close_idle(origin)


def idle_descriptors() -> set[int]:
    """Return the file descriptors of the idle connections of all pools."""
    pools = [pool for one in tuple(_transports) for pool in (*one._pools(), *tuple(one._loops.values()))]
    sockets = [connection.socket for pool in pools for connection in pool.unused_connections()]
    return {sock.fileno() for sock in sockets if sock is not None}


def _close_all() -> None:
    global _is_exiting
    _is_exiting = True
    for transport in tuple(_transports):
        transport.close()


def _forget_after_fork() -> None:
    for transport in tuple(_transports):
        transport._forget()


atexit.register(_close_all)
if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_forget_after_fork)

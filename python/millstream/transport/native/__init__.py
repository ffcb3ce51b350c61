"""The native transport: HTTP/1.1 over the loop's own sockets and over blocking ones, framed by the Rust core.

==================  ==============================================================================
``origins``         from a URL to where it points
``tls``             TLS contexts
``exchange``        one request and its response, without the connection: what both drivers share
``content``         bodies that were compressed unasked
``pool``            which connections are kept, and for how long
``loops``           the driver for asyncio and uvloop: a connection as ``asyncio.BufferedProtocol``
``loop_response``   its exchanges and responses
``loop_pool``       the connections of one event loop
``connecting``      the race of a host's addresses
``sockets``         the driver for sync code: blocking sockets
==================  ==============================================================================

Timeouts are those of the request: ``connect`` for a connection (TLS included), ``write`` until the
request is sent, ``pool`` for a place where ``max_connections`` are in use, ``read`` for the
response's head and, with ``idle``, for the time between two reads of its body; ``total`` is for
everything together.

A consumer that stops reading has its socket paused once 262,144 bytes wait for it, so that at most
so many, and two reads of 65,536, are held for each stream.
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
# Streams of handlers that run behind ours at the interpreter's end leave nothing in a pool.
_is_exiting = False
_transports: weakref.WeakSet[NativeTransport] = weakref.WeakSet()
_inherited: list[object] = []


class NativeTransport:
    """Sends requests over connections of its own: a pool for sync code, and one for each event loop.

    Models share one such transport. One made with an ``ssl_context`` (for a certificate of one's own,
    say) or with ``limits`` is given to a model as ``http_client`` and closed by who made it; pools of
    loops are closed with their loop as well. ::

        context = ssl.create_default_context(cafile="ca.pem")
        llm = OpenAI(http_client=NativeTransport(ssl_context=context))

    Proxies, HTTP/2 and Unix sockets are not its: :mod:`millstream.transport.httpx2` has them.
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
            # Many threads may make one; one of them stays, for all.
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
        """Return the pool of sync code, or that of the running loop, if it is there."""
        if not of_loop:
            return tuple(self._sync.values())
        import asyncio

        try:
            pool = self._loops.get(asyncio.get_running_loop())
        except RuntimeError:
            return ()
        return () if pool is None else (pool,)

    def _forget(self) -> None:
        """Leave the connections of a parent process to it."""
        sync = self._sync.pop(_POOL, None)
        loops, self._loops = self._loops, {}
        # A loop's sockets are registered in the kernel for the parent too: nothing of them is touched.
        _inherited.append(loops)
        for pool in loops.values():
            pool.is_inherited = True
        if sync is not None:
            # The descriptors of this process, closed without a word to the server.
            sync.close()


def close_idle(url: str | None, *, of_loop: bool = False) -> None:
    """Close the connections to ``url``'s origin, or all, that wait in the pools of sync code or of the running loop."""
    origin = None if url is None else read_url(url).origin
    for transport in tuple(_transports):
        for pool in transport._pools(of_loop=of_loop):
            pool.close_idle(origin)


def idle_descriptors() -> set[int]:
    """Return the descriptors of the connections that wait in any pool."""
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

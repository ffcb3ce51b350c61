"""The HTTP clients that models share: one per process for sync code, one per event loop for async code.

The first request that needs a client creates it, and imports httpx2. Plain HTTP creates no TLS context.
"""

from __future__ import annotations

import atexit
import os
import threading
import weakref
from collections.abc import AsyncGenerator, Iterable, Iterator
from contextlib import suppress
from typing import TYPE_CHECKING, Any, TypeVar

from ..errors import MillstreamError
from .deadlines import AsyncNetwork, Network
from .native.origins import read_url
from .native.tls import environment_certificates
from .proxies import check_proxies
from .running import current_loop
from .watchdog import shut_down

if TYPE_CHECKING:
    import asyncio

    import httpx2

__all__ = (
    "aclose_idle",
    "async_client",
    "close_idle",
    "drop_dead_connections",
    "idle_descriptors",
    "install_deadlines",
    "sync_client",
)

C = TypeVar("C")

_lock = threading.Lock()
# The key: whether the client is for plain HTTP, and the proxy that replaces the environment's.
_sync: dict[tuple[bool, str | None], httpx2.Client] = {}
_async: dict[
    tuple[asyncio.AbstractEventLoop, bool, str | None], tuple[httpx2.AsyncClient, AsyncGenerator[None, None]]
] = {}
# The loop in which a user's client was used last.
_last_loops: weakref.WeakKeyDictionary[Any, Any] = weakref.WeakKeyDictionary()
_inherited: list[Any] = []
# This flag keeps streams in later exit handlers from leaving connections in a pool that was already closed.
_is_exiting = False


def sync_client(url: str, proxy: str | None = None) -> httpx2.Client:
    """Return this process's client for ``url``, through ``proxy`` if there is one."""
    key = url.startswith("http://"), proxy
    client = _sync.get(key)
    if client is None or client.is_closed:
        import httpx2

        with _lock:
            client = _sync.get(key)
            if client is None or client.is_closed:
                client = _sync[key] = _make_client(httpx2.Client, Network, *key)
    return client


async def async_client(url: str, proxy: str | None = None) -> httpx2.AsyncClient:
    """Return the running loop's client for ``url``; it is closed when the loop shuts down its async generators."""
    key = current_loop(), url.startswith("http://"), proxy
    known = _async.get(key)
    if known is not None and not known[0].is_closed:
        return known[0]
    import httpx2

    for old in [old for old in list(_async) if getattr(old[0], "is_closed", bool)()]:
        _async.pop(old, None)
    client = _make_client(httpx2.AsyncClient, AsyncNetwork, *key[1:])
    keeper = _close_at_loop_shutdown(key, client)
    _async[key] = client, keeper
    await anext(keeper)
    return client


async def _close_at_loop_shutdown(key: Any, client: httpx2.AsyncClient) -> AsyncGenerator[None, None]:
    # asyncio and trio close open async generators before they close the loop: the only moment at which
    # idle connections can be closed without an explicit call.
    try:
        yield
    finally:
        _async.pop(key, None)
        await client.aclose()


def drop_dead_connections(client: Any) -> Any:
    """Return a user's ``client`` after dropping the connections that belong to a closed event loop.

    They are dead but look alive: a request over one of them is written and never answered.
    """
    loop, last_loop = current_loop(), None
    with suppress(TypeError):
        last_loop = _last_loops.get(client)
    if last_loop is not loop:
        if last_loop is not None and getattr(last_loop, "is_closed", bool)() and hasattr(client, "_mounts"):
            for pool in _pools([client]):
                for connection in pool.connections:
                    stream = getattr(getattr(connection, "_connection", None), "_network_stream", None)
                    if stream is not None and (sock := stream.get_extra_info("socket")) is not None:
                        shut_down(sock)
                pool._connections.clear()
                pool._requests.clear()
        # A client of another library may not support weak references.
        with suppress(TypeError):
            _last_loops[client] = loop
    return client


def close_idle(url: str | None) -> None:
    """Close the idle connections of the sync clients: those to ``url``'s origin, or all."""
    for connection in _take_idle(tuple(_sync.values()), url):
        connection.close()


async def aclose_idle(url: str | None) -> None:
    """:func:`close_idle` for the clients of the running loop."""
    loop = current_loop()
    for connection in _take_idle([client for key, (client, _) in tuple(_async.items()) if key[0] is loop], url):
        await connection.aclose()


def idle_descriptors() -> set[int]:
    """Return the file descriptors of the idle connections of all clients."""
    clients = (*_sync.values(), *(client for client, _ in tuple(_async.values())))
    found = set()
    for pool in _pools(clients):
        for connection in pool.connections:
            stream = getattr(getattr(connection, "_connection", None), "_network_stream", None)
            if connection.is_idle() and stream is not None:
                found.add(stream.get_extra_info("socket").fileno())
    return found


def _take_idle(clients: Iterable[Any], url: str | None) -> list[Any]:
    """Remove unused connections from their pools, and return them for the caller to close."""
    origin = None if url is None else str(read_url(url).origin)
    taken = []
    for pool in _pools(clients):
        with pool._optional_thread_lock:
            wanted = {request.connection for request in pool._requests}
            for connection in pool.connections:
                is_there = origin is None or origin in connection.info()
                if is_there and connection.is_idle() and connection not in wanted:
                    pool._connections.remove(connection)
                    taken.append(connection)
    return taken


def _pools(clients: Iterable[Any]) -> Iterator[Any]:
    """Return the connection pools of ``clients``; httpx2 has no public access to them."""
    for client in clients:
        for transport in (client._transport, *client._mounts.values()):
            pool = getattr(transport, "_pool", None)
            if pool is not None:
                yield pool


def _make_client(kind: type[C], network: type[Network], plain: bool, proxy: str | None) -> C:
    """Create a client; raises :class:`~millstream.errors.MillstreamError` for a broken environment.

    httpx2's own message is left out: it may quote a proxy's password.
    """
    check_proxies(proxy)
    options = _options(plain, proxy)
    named = environment_certificates() if options["verify"] else None
    failure_name = ""
    try:
        client = kind(**options)
    except (ImportError, ValueError, OSError, RuntimeError) as error:
        failure_name = type(error).__name__
    if failure_name and named is not None:
        raise MillstreamError(
            f"the environment variable {named[0]} names {named[1]!r}, which contains no readable certificates"
        )
    if failure_name:
        raise MillstreamError(f"httpx2 cannot make a client with these proxies and certificates ({failure_name})")
    install_deadlines(client, network)
    return client


def install_deadlines(client: Any, network: type[Network]) -> None:
    """Wrap the network backend of ``client``, ours or a user's, so that new connections observe our deadlines."""
    if not hasattr(client, "_mounts"):
        return
    for pool in _pools([client]):
        backend = getattr(pool, "_network_backend", None)
        if backend is not None and not isinstance(backend, Network):
            pool._network_backend = network(backend)


def _options(plain: bool, proxy: str | None) -> dict[str, Any]:
    from http.cookiejar import CookieJar, DefaultCookiePolicy
    from urllib.request import getproxies

    import httpx2

    return {
        # Plain HTTP needs no certificates (loading them takes 20 ms), unless it goes through a proxy.
        "verify": not plain or bool(proxy or getproxies()),
        "proxy": proxy,
        # A redirected POST would carry the key to another server.
        "follow_redirects": False,
        "limits": httpx2.Limits(
            max_connections=None, max_keepalive_connections=0 if _is_exiting else 100, keepalive_expiry=30.0
        ),
        # The client is shared: it must not send one user's cookies with another's request.
        "cookies": CookieJar(DefaultCookiePolicy(allowed_domains=())),
    }


def _close_all() -> None:
    global _is_exiting
    _is_exiting = True
    for client in _sync.values():
        client.close()
    _sync.clear()


def _forget_after_fork() -> None:
    """Keep the parent's clients, unused: closing or collecting them would end the parent's connections."""
    global _lock
    _lock = threading.Lock()
    _inherited.extend((*_sync.values(), *_async.values()))
    _sync.clear()
    _async.clear()


atexit.register(_close_all)
if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_forget_after_fork)

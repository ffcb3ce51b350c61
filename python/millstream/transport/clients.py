"""The HTTP clients that models share: one per process for sync code, one per event loop for async code.

A client is made by the first request that needs it; httpx2 is imported then. Only what talks TLS
pays for a TLS context.
"""

from __future__ import annotations

import atexit
import os
import threading
from collections.abc import AsyncGenerator
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import asyncio

    import httpx2

__all__ = ("async_client", "sync_client")

_lock = threading.Lock()
# By whether they talk plain HTTP, and by the proxy that is theirs in place of the environment's.
_sync: dict[tuple[bool, str | None], httpx2.Client] = {}
_async: dict[
    tuple[asyncio.AbstractEventLoop, bool, str | None], tuple[httpx2.AsyncClient, AsyncGenerator[None, None]]
] = {}
_inherited: list[Any] = []


def sync_client(url: str, proxy: str | None = None) -> httpx2.Client:
    """Return this process's client for ``url``, by way of ``proxy`` if there is one."""
    key = url.startswith("http://"), proxy
    client = _sync.get(key)
    if client is None or client.is_closed:
        import httpx2

        with _lock:
            client = _sync.get(key)
            if client is None or client.is_closed:
                client = _sync[key] = httpx2.Client(**_options(*key))
    return client


async def async_client(url: str, proxy: str | None = None) -> httpx2.AsyncClient:
    """Return the running loop's client for ``url``; it is closed when the loop shuts down its async generators."""
    import asyncio

    key = asyncio.get_running_loop(), url.startswith("http://"), proxy
    known = _async.get(key)
    if known is not None and not known[0].is_closed:
        return known[0]
    import httpx2

    for old in [old for old in list(_async) if old[0].is_closed()]:
        _async.pop(old, None)
    client = httpx2.AsyncClient(**_options(*key[1:]))
    keeper = _closed_with_its_loop(key, client)
    _async[key] = client, keeper
    await anext(keeper)
    return client


async def _closed_with_its_loop(key: Any, client: httpx2.AsyncClient) -> AsyncGenerator[None, None]:
    # asyncio closes the generators that are still open before it closes the loop: the one moment at
    # which idle connections can be closed without anybody asking for it.
    try:
        yield
    finally:
        _async.pop(key, None)
        await client.aclose()


def _options(plain: bool, proxy: str | None) -> dict[str, Any]:
    from http.cookiejar import CookieJar, DefaultCookiePolicy
    from urllib.request import getproxies

    import httpx2

    return {
        # Plain HTTP needs no certificates (loading them takes 20 ms), unless a proxy is in between.
        "verify": not plain or bool(proxy or getproxies()),
        "proxy": proxy,
        # A redirected POST would take the key along.
        "follow_redirects": False,
        "limits": httpx2.Limits(max_connections=None, max_keepalive_connections=100, keepalive_expiry=30.0),
        # The client is shared, so that it must not carry one user's cookies to another's request.
        "cookies": CookieJar(DefaultCookiePolicy(allowed_domains=())),
    }


def _close_all() -> None:
    for client in _sync.values():
        client.close()
    _sync.clear()


def _forget_all() -> None:
    """Leave the parent's connections alone: kept unused, for closing them would reach the server."""
    global _lock
    _lock = threading.Lock()
    _inherited.extend((*_sync.values(), *_async.values()))
    _sync.clear()
    _async.clear()


atexit.register(_close_all)
if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_forget_all)

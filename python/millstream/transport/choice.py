"""Selects the transport for a request, by the rules in :mod:`millstream.transport`."""

from __future__ import annotations

import logging
import os
import sys
from collections.abc import Callable, Coroutine, Hashable
from functools import wraps
from typing import TYPE_CHECKING, Any, TypeVar

from .._backend import BACKEND
from ..errors import MillstreamError
from . import AsyncResponse, AsyncTransport, Request, Response, Transport
from .proxies import environment_proxies

if TYPE_CHECKING:
    from .native import NativeTransport
    from .native.origins import Origin

__all__ = (
    "TRANSPORTS",
    "TransportSelector",
    "async_transport",
    "check_transport",
    "find_proxy_variable",
    "sync_transport",
)

logger = logging.getLogger("millstream")

TRANSPORTS = ("auto", "native", "httpx2")
_UNDECIDED = "undecided"
_supported: dict[type, bool] = {}
_VARIABLE = "MILLSTREAM_TRANSPORT"


def check_transport(name: str, *clients: Any) -> None:
    """Raise :class:`ValueError` if ``name`` names no transport, or contradicts the clients."""
    if name not in TRANSPORTS:
        raise ValueError(f"transport must be one of {', '.join(TRANSPORTS)}, not {name!r}")
    if name == "native" and any(hasattr(client, "build_request") for client in clients):
        raise ValueError("transport='native' and http_client or http_async_client contradict each other: leave one out")


def sync_transport(client: Any = None, *, proxy: str | None = None, transport: str = "auto") -> Transport:
    """Return the transport for sync code: over ``client`` if there is one, else selected for each request.

    Raises :class:`TypeError` if ``client`` is neither a client of httpx2 or httpx nor a transport.
    """
    if client is None:
        return _selector(transport, proxy)
    if hasattr(client, "open") and not hasattr(client, "build_request"):
        return client  # type: ignore[no-any-return]
    if hasattr(client, "aclose") or not hasattr(client, "build_request"):
        raise TypeError(f"http_client must be a sync client of httpx2 or httpx, or a Transport, not {client!r}")
    from .httpx2 import HTTPX2Transport

    return HTTPX2Transport(client)


def async_transport(
    client: Any = None, sync_client: Any = None, *, proxy: str | None = None, transport: str = "auto"
) -> AsyncTransport:
    """:func:`sync_transport` for async code; a sync client that is a transport for both is used here too."""
    if client is None and hasattr(sync_client, "aopen"):
        return sync_client  # type: ignore[no-any-return]
    if client is None:
        return _selector(transport, proxy)
    if hasattr(client, "aopen"):
        return client  # type: ignore[no-any-return]
    if not (hasattr(client, "aclose") and hasattr(client, "build_request")):
        raise TypeError(f"http_async_client must be an async client of httpx2 or httpx, or a Transport, not {client!r}")
    from .httpx2 import HTTPX2Transport

    return HTTPX2Transport(async_client=client)


class TransportSelector:
    """Selects a transport for each request; ``transport`` and ``proxy`` are the model's arguments."""

    def __init__(self, transport: str, proxy: str | None) -> None:
        self._preference = transport
        self._proxy = proxy
        self._reasons: dict[tuple[str, str, bool], str | None] = {}

    def open(self, request: Request) -> Response:
        """Send ``request`` and return once the response's head has arrived, whatever its status."""
        transport: Transport = self._select(request.url, is_async=False)
        return transport.open(request)

    def aopen(self, request: Request) -> Coroutine[Any, Any, AsyncResponse]:
        """:meth:`open` for async code."""
        transport: AsyncTransport = self._select(request.url, is_async=True)
        return transport.aopen(request)

    def close(self) -> None:
        """Do nothing: all models share the connections."""

    async def aclose(self) -> None:
        """Do nothing: all models share the connections."""

    def _select(self, url: str, *, is_async: bool) -> Any:
        return _native() if self.find_reason(url, is_async=is_async) is None else _httpx2(self._proxy)

    def find_reason(self, url: str, *, is_async: bool) -> str | None:
        """Return why a request for ``url`` is sent over httpx2, ``None`` if the native transport sends it."""
        wanted = self._preference if self._preference != "auto" else os.environ.get(_VARIABLE) or "auto"
        start = url.find("/", url.find("://") + 3)
        key = wanted, url[:start] if start > 0 else url, is_async and not _is_supported_loop()
        # Not by KeyError: as the context of a later error it would show the key, which may contain a password.
        reason = self._reasons.get(key, _UNDECIDED)
        if reason is _UNDECIDED:
            reason = self._reasons[key] = self._find_reason(*key)
        return reason

    def _find_reason(self, wanted: str, origin: str, is_foreign_loop: bool) -> str | None:
        """Return why ``origin`` needs httpx2, ``None`` if it does not; log the decision."""
        if wanted not in TRANSPORTS:
            raise ValueError(f"{_VARIABLE} must be one of {', '.join(TRANSPORTS)}, not {wanted!r}")
        from .native.origins import read_url

        target = read_url(origin)
        shown = f"{'https' if target.origin.tls else 'http'}://{target.host}"
        if wanted == "httpx2":
            reason: str | None = "it was requested"
        elif BACKEND != "rust":
            reason = "the Rust core is not in use"
        elif is_foreign_loop:
            reason = "the event loop is neither asyncio's nor uvloop's"
        else:
            reason = self._proxy_reason(target.origin)
        if reason is not None and wanted == "native":
            raise MillstreamError(f"the native transport was requested, but cannot be used for {shown}: {reason}")
        if reason is None:
            logger.info("using the native transport for %s", shown)
        else:
            logger.info("using httpx2 for %s: %s", shown, reason)
        return reason

    def _proxy_reason(self, origin: Origin) -> str | None:
        if self._proxy:
            return "the model's proxy setting names a proxy"
        variable = find_proxy_variable(origin)
        return None if variable is None else f"the environment names a proxy for it ({variable})"


def find_proxy_variable(origin: Origin) -> str | None:
    """Return the environment variable that names a proxy for ``origin``, ``None`` if there is none."""
    proxies = environment_proxies()
    names = [name for name in ("https" if origin.tls else "http", "all") if proxies.get(name)]
    if not names or _bypasses_proxy(origin.host, proxies.get("no", "")):
        return None
    return f"{names[0].upper()}_PROXY"


def _bypasses_proxy(host: str, no_proxy: str) -> bool:
    """Return True if ``NO_PROXY`` clearly excludes ``host``; unclear cases are left to httpx2."""
    for name in no_proxy.lower().split(","):
        name = name.strip()
        if name == "*" or name.strip("[]") == host:
            return True
        suffix = name.removeprefix("*")
        # As in httpx2: "example.com" includes its subdomains, ".example.com" means them alone.
        if suffix and "/" not in suffix and host.endswith(suffix if suffix.startswith(".") else f".{suffix}"):
            return True
    return False


def _is_supported_loop() -> bool:
    """Return whether the running task belongs to asyncio's or uvloop's event loop."""
    asyncio = sys.modules.get("asyncio")
    if asyncio is None:
        return False
    try:
        loop = asyncio.get_running_loop()
    except RuntimeError:
        return False
    # Another library may run its own tasks inside asyncio's loop.
    kind = type(loop)
    if kind not in _supported:
        _supported[kind] = issubclass(kind, asyncio.BaseEventLoop) or kind.__module__.partition(".")[0] == "uvloop"
    return _supported[kind] and asyncio.current_task(loop) is not None


T = TypeVar("T")


def _kept(make: Callable[..., T]) -> Callable[..., T]:
    """Keep what ``make`` returns for the same arguments.

    Several threads may call it at first; all receive the one that is kept. With :func:`functools.cache` each
    would have its own, whose connections are lost.
    """
    made: dict[Hashable, T] = {}

    @wraps(make)
    def get(*args: Hashable) -> T:
        try:
            return made[args]
        except KeyError:
            return made.setdefault(args, make(*args))

    return get


@_kept
def _selector(transport: str, proxy: str | None) -> TransportSelector:
    return TransportSelector(transport, proxy)


@_kept
def _native() -> NativeTransport:
    from .native import NativeTransport

    return NativeTransport()


@_kept
def _httpx2(proxy: str | None) -> Any:
    from .httpx2 import HTTPX2Transport

    return HTTPX2Transport(proxy=proxy)

"""Transports for the clients of httpx and httpx2 that answer every request with the same reads, from memory."""

from collections.abc import AsyncIterator, Iterator
from types import ModuleType
from typing import Any

import httpx2

from millstream.cli.bench.harness import Reads

__all__ = ("async_client", "client", "memory_transport", "response")

_HEADERS = {"content-type": "text/event-stream"}


def memory_transport(library: ModuleType, reads: Reads) -> Any:
    """Return a transport of ``library``, httpx or httpx2, for sync and async clients.

    Every iteration of a body continues where the last one stopped, as over a socket.
    """

    class Body(library.SyncByteStream, library.AsyncByteStream):  # type: ignore[misc, name-defined]
        def __init__(self) -> None:
            self._reads = iter(reads)

        def __iter__(self) -> Iterator[bytes]:
            return self._reads

        async def __aiter__(self) -> AsyncIterator[bytes]:
            for data in self._reads:
                yield data

    class Memory(library.BaseTransport, library.AsyncBaseTransport):  # type: ignore[misc, name-defined]
        def handle_request(self, request: Any) -> Any:
            return library.Response(200, headers=_HEADERS, stream=Body(), request=request)

        async def handle_async_request(self, request: Any) -> Any:
            return library.Response(200, headers=_HEADERS, stream=Body(), request=request)

    return Memory()


def response(reads: Reads, request: httpx2.Request) -> httpx2.Response:
    """Return a response whose body is ``reads``."""
    found: httpx2.Response = memory_transport(httpx2, reads).handle_request(request)
    return found


def client(reads: Reads) -> httpx2.Client:
    """Return a sync client."""
    return httpx2.Client(transport=memory_transport(httpx2, reads))


def async_client(reads: Reads) -> httpx2.AsyncClient:
    """Return an async client."""
    return httpx2.AsyncClient(transport=memory_transport(httpx2, reads))

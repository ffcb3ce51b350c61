"""A transport for httpx2's clients that answers every request with the same reads, from memory."""

from collections.abc import AsyncIterator, Iterator

import httpx2

from ..fixtures import Reads

__all__ = ("async_client", "client", "response")

_HEADERS = {"content-type": "text/event-stream"}


class _Body(httpx2.SyncByteStream, httpx2.AsyncByteStream):
    """A body whose every iteration continues where the last one stopped, as over a socket."""

    def __init__(self, reads: Reads) -> None:
        self._reads = iter(reads)

    def __iter__(self) -> Iterator[bytes]:
        return self._reads

    async def __aiter__(self) -> AsyncIterator[bytes]:
        for data in self._reads:
            yield data


class _Memory(httpx2.BaseTransport, httpx2.AsyncBaseTransport):
    def __init__(self, reads: Reads) -> None:
        self._reads = reads

    def handle_request(self, request: httpx2.Request) -> httpx2.Response:
        return response(self._reads, request)

    async def handle_async_request(self, request: httpx2.Request) -> httpx2.Response:
        return self.handle_request(request)


def response(reads: Reads, request: httpx2.Request) -> httpx2.Response:
    """Return a response whose body is ``reads``."""
    return httpx2.Response(200, headers=_HEADERS, stream=_Body(reads), request=request)


def client(reads: Reads) -> httpx2.Client:
    """Return a sync client."""
    return httpx2.Client(transport=_Memory(reads))


def async_client(reads: Reads) -> httpx2.AsyncClient:
    """Return an async client."""
    return httpx2.AsyncClient(transport=_Memory(reads))

"""httpx-sse over a response of httpx whose body is in memory."""

from collections.abc import Iterator

import httpx
from httpx_sse import EventSource, ServerSentEvent

from ..fixtures import Reads

__all__ = ("events",)

_REQUEST = httpx.Request("POST", "http://memory/")
_HEADERS = {"content-type": "text/event-stream"}


class _Body(httpx.SyncByteStream):
    def __init__(self, reads: Reads) -> None:
        self._reads = reads

    def __iter__(self) -> Iterator[bytes]:
        return iter(self._reads)


def events(reads: Reads) -> list[ServerSentEvent]:
    """Return the events."""
    response = httpx.Response(200, headers=_HEADERS, stream=_Body(reads), request=_REQUEST)
    return list(EventSource(response).iter_sse())

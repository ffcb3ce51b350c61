"""httpx2's own EventSource over a response whose body is in memory."""

import httpx2

from ..fixtures import Reads
from .memory import response

__all__ = ("events",)

_REQUEST = httpx2.Request("POST", "http://memory/")


def events(reads: Reads) -> list[httpx2.ServerSentEvent]:
    """Return the events."""
    return list(httpx2.EventSource(response(reads, _REQUEST)))

"""Transports for the clients of httpx and httpx2 that answer every request with the same reads, from memory."""

import httpx2

from millstream.cli.bench.harness import Reads
from millstream.cli.bench.peers import memory_transport

__all__ = ("async_client", "client", "memory_transport", "response")


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

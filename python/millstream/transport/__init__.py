"""How bytes come and go: the ``Transport`` protocol between models and HTTP clients.

A model sends a :class:`Request` and reads a response's body; everything else (connections, pools,
TLS, proxies) is the transport's. There are two, and for each request one is chosen:

* :mod:`millstream.transport.native` serves wherever it can. From the socket to text, its streams take
  one call into the Rust core per network read.
* :mod:`millstream.transport.httpx2` serves the rest: without the core (pure Python); through proxies,
  from the environment (``HTTP_PROXY``, ``HTTPS_PROXY``, ``ALL_PROXY``, but for what ``NO_PROXY`` names)
  or a model's ``openai_proxy``; under trio and event loops other than asyncio's and uvloop's; and over
  whatever a client of httpx2 or httpx can do that is given as ``http_client`` or ``http_async_client``:
  HTTP/2, Unix sockets, proxies with credentials, caches, mocks.

Under trio run models, and chains of Millstream's own parts over them; your own functions and sync
handlers in a chain take asyncio.

A model's argument ``transport="native"`` or ``"httpx2"``, or else the environment variable
``MILLSTREAM_TRANSPORT``, forces one of them; native raises :class:`~millstream.errors.MillstreamError`
where it cannot serve. One line of the logger ``millstream``, of level ``INFO``, says for each origin
which of them serves it and why. Proxies are looked up in the environment by the first request to an
origin. Both transports send the same request, and neither follows a redirect, except that the native
one follows one to the same origin that keeps the method (307, 308), once.
"""

import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol

from .timeouts import Timeouts

__all__ = ("AsyncResponse", "AsyncTransport", "Request", "Response", "Transport")


@dataclass(frozen=True, slots=True)
class Request:
    """One HTTP request: ``url`` is absolute, ``body`` is sent as it is.

    ``timeouts`` are the request's own, in place of the transport's; ``idle`` is the longest wait, in
    seconds, between two reads of the body of a stream, and ``total`` the longest time until the body's
    end, from the moment in which the request is made. ``end_by`` is that end on ``time.monotonic()``'s
    clock: redirects and further tries of one request share it. With ``resend`` the request may be sent a
    second time on a new connection where a used one turns out to be closed, within 100 ms of sending and
    with nothing of an answer seen.
    """

    method: str
    url: str
    headers: Mapping[str, str]
    body: bytes
    timeouts: Timeouts | None = None
    idle: float | None = None
    total: float | None = None
    end_by: float | None = None
    resend: bool = True

    def __post_init__(self) -> None:
        """Begin to count the total time."""
        if self.total is not None and self.end_by is None:
            object.__setattr__(self, "end_by", time.monotonic() + self.total)

    def __repr__(self) -> str:
        """Leave out the headers, the query and the user in the URL: they may hold a key."""
        scheme, colon, rest = self.url.partition("?")[0].partition("://")
        return f"Request({self.method} {scheme}{colon}{rest.rpartition('@')[2]}, {len(self.body)} bytes)"


class Response(Protocol):
    """A response whose head has arrived; iterating it gives the body's bytes, one network read at a time.

    Iterating raises :class:`~millstream.errors.APIConnectionError` where the connection breaks
    and :class:`~millstream.errors.APITimeoutError` where nothing arrives in time.
    """

    @property
    def status(self) -> int:
        """The HTTP status."""

    @property
    def headers(self) -> Mapping[str, str]:
        """The response's headers, names in lower case."""

    def __iter__(self) -> Iterator[bytes]:
        """Read the body; twice gives what the first reader left."""

    def drain(self) -> None:
        """See to it that the connection can serve again once the body has ended; takes 100 ms at most, never raises."""

    def close(self) -> None:
        """Let the response go: back to the pool where the body had ended, else the connection is closed, at once."""


class AsyncResponse(Protocol):
    """:class:`Response` for async code."""

    @property
    def status(self) -> int:
        """The HTTP status."""

    @property
    def headers(self) -> Mapping[str, str]:
        """The response's headers, names in lower case."""

    async def read(self) -> Sequence[bytes]:
        """Wait until something has arrived, and return all that has, one item per network read; empty at the end."""

    async def adrain(self) -> None:
        """See to it that the connection can serve again; takes 100 ms at most, never raises (cancellation apart)."""

    async def aclose(self) -> None:
        """Let the response go, at once."""


class Transport(Protocol):
    """Sends requests for sync code."""

    def open(self, request: Request) -> Response:
        """Send ``request`` and return once the response's head has arrived, whatever its status.

        Raises :class:`~millstream.errors.APIConnectionError` or
        :class:`~millstream.errors.APITimeoutError` where no head arrives.
        """

    def close(self) -> None:
        """Close every connection."""


class AsyncTransport(Protocol):
    """Sends requests for async code."""

    async def aopen(self, request: Request) -> AsyncResponse:
        """Send ``request`` and return once the response's head has arrived, whatever its status."""

    async def aclose(self) -> None:
        """Close every connection."""

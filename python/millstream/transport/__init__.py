"""The ``Transport`` protocol: what a model needs of an HTTP client.

A model sends a :class:`Request` and reads the response's body. Connections, pools, TLS and proxies are
the transport's business. There are two transports, and one of them is chosen for each request:

* :mod:`millstream.transport.native` is used wherever it works. From the socket to text, its streams make
  one call into the Rust core per network read.
* :mod:`millstream.transport.httpx2` is used for everything else: without the Rust core; through proxies,
  from the environment (``HTTP_PROXY``, ``HTTPS_PROXY``, ``ALL_PROXY``, unless ``NO_PROXY`` names the host)
  or from a model's ``openai_proxy``; under trio and event loops other than asyncio's and uvloop's; and
  with your own client of httpx2 or httpx, passed as ``http_client`` or ``http_async_client``, for HTTP/2,
  Unix sockets, proxies with credentials, caches and mocks.

Models work under trio, and so do chains of Millstream's own steps over them. Chains with your own
functions or sync handlers need asyncio.

A model's argument ``transport="native"`` or ``"httpx2"``, or else the environment variable
``MILLSTREAM_TRANSPORT``, forces one of them; ``"native"`` raises :class:`~millstream.errors.MillstreamError`
where it does not work. The logger ``millstream`` reports at level ``INFO``, once for each origin, which
transport is used and why. Proxies are looked up in the environment by the first request to an origin.
Both transports send the same request. Neither follows redirects unless the request says so, with one
exception: the native one follows one redirect to the same origin that keeps the method (307, 308).
"""

import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

from .timeouts import Timeouts

__all__ = ("AsyncResponse", "AsyncTransport", "Request", "Response", "Transport")


@dataclass(frozen=True, slots=True)
class Request:
    """One HTTP request: ``url`` is absolute, ``body`` is sent unchanged.

    ``timeouts`` replace the transport's. ``idle`` is the longest wait, in seconds, between two reads of
    the body of a stream. ``total`` is the longest time until the body's end, counted from the creation
    of the request. ``end_by`` is that deadline on the clock of ``time.monotonic()``: redirects and
    retries of one request share it. With ``resend`` the request may be sent a second time, on a new
    connection, if a reused connection turns out to be closed within 100 ms of sending and before any byte
    of the response. With ``follow_redirects`` a user's client follows them in its own way.
    ``built`` is the request as that client has built it; it is sent as it is.
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
    follow_redirects: bool = False
    built: Any = None

    def __post_init__(self) -> None:
        """Start the clock of the total time."""
        if self.total is not None and self.end_by is None:
            object.__setattr__(self, "end_by", time.monotonic() + self.total)

    def __repr__(self) -> str:
        """Leave out the headers, the query and the user of the URL: they may contain a key."""
        scheme, colon, rest = self.url.partition("?")[0].partition("://")
        return f"Request({self.method} {scheme}{colon}{rest.rpartition('@')[2]}, {len(self.body)} bytes)"


class Response(Protocol):
    """A response whose head has arrived; iterate over it for the body's bytes, one network read at a time.

    Iterating raises :class:`~millstream.errors.APIConnectionError` if the connection breaks
    and :class:`~millstream.errors.APITimeoutError` if nothing arrives in time.
    """

    @property
    def status(self) -> int:
        """The HTTP status."""

    @property
    def headers(self) -> Mapping[str, str]:
        """The response's headers, names in lower case."""

    def __iter__(self) -> Iterator[bytes]:
        """Read the body; a second iterator continues where the first one stopped."""

    def drain(self) -> None:
        """Read the body's end, so that the connection can be reused; takes 100 ms at most, never raises."""

    def close(self) -> None:
        """Return the connection to the pool if the body has ended; otherwise close it, at once."""


class AsyncResponse(Protocol):
    """:class:`Response` for async code."""

    @property
    def status(self) -> int:
        """The HTTP status."""

    @property
    def headers(self) -> Mapping[str, str]:
        """The response's headers, names in lower case."""

    async def read(self) -> Sequence[bytes]:
        """Wait for data, and return all that has arrived, one item per network read; empty at the end."""

    async def adrain(self) -> None:
        """Read the body's end, so that the connection can be reused; takes 100 ms at most, raises only cancellation."""

    async def aclose(self) -> None:
        """Return or close the connection, at once; see :meth:`Response.close`."""


class Transport(Protocol):
    """Sends requests for sync code."""

    def open(self, request: Request) -> Response:
        """Send ``request`` and return once the response's head has arrived, whatever its status.

        Raises :class:`~millstream.errors.APIConnectionError` or
        :class:`~millstream.errors.APITimeoutError` if no head arrives.
        """

    def close(self) -> None:
        """Close every connection."""


class AsyncTransport(Protocol):
    """Sends requests for async code."""

    async def aopen(self, request: Request) -> AsyncResponse:
        """Send ``request`` and return once the response's head has arrived, whatever its status."""

    async def aclose(self) -> None:
        """Close every connection."""

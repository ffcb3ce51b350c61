"""One request and its response, without I/O: shared by async and sync code.

Received data is *fed*, in order. The exchange returns the head once it is complete, then the data of the
body, and keeps whether the body has ended or an error.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from math import inf
from time import monotonic
from typing import Any, NamedTuple

from ..._core import HTTPConnection
from ...errors import APIConnectionError, APITimeoutError
from .. import Request
from ..headers import check_headers
from ..timeouts import DEFAULT_TIMEOUTS
from .content_coding import ContentDecoder, content_decoder
from .origins import Origin, Target, same_origin
from .tls import add_remedy

__all__ = (
    "READ_SIZE",
    "Exchange",
    "HTTPConnection",
    "connect_error",
    "read_error",
    "redirect_request",
    "timeout_error",
    "unsolicited_error",
)

# Maximum number of bytes of one read. Larger objects would each be allocated from fresh pages of the system.
READ_SIZE = 65_536

_NO_REQUEST: tuple[str, str, list[tuple[str, str]], bytes] = ("", "", [], b"")
# A connection lost within this time after the request was sent had been closed before the request arrived.
_STALE_SECONDS = 0.1

_BEFORE = "the request failed before the response began: "
_WHILE = "the connection broke while the response was read: "


class Waits(NamedTuple):
    """The time limits of one exchange, in seconds; infinite for no limit."""

    connect: float
    write: float
    pool: float
    head: float
    idle: float
    total: float

    @classmethod
    def of(cls, request: Request) -> Waits:
        """Return the limits of ``request``."""
        connect, read, write, pool = (inf if limit is None else limit for limit in request.timeouts or DEFAULT_TIMEOUTS)
        idle = inf if request.idle is None else request.idle
        return cls(connect, write, pool, read, min(read, idle), inf if request.total is None else request.total)


class Exchange:
    """The request, and the response as far as it has arrived.

    Every exchange has a framing of its own, so that the rest of an old response can never become part of the
    next one on the same connection. ``_may_resend`` keeps a request that must be sent once from being sent
    again. ``_through`` is set when a decoder reads the framing, and keeps the data from being unframed twice.
    ``_is_drained`` is set when the consumer has read its stream to the end, and keeps the connection from
    being closed for want of the body's end.
    """

    __slots__ = (
        "_asked",
        "_content",
        "_is_drained",
        "_limit",
        "_may_resend",
        "_through",
        "end_by",
        "framing",
        "headers",
        "payload",
        "status",
        "waits",
    )

    def __init__(self, request: Request, target: Target, now: float) -> None:
        check_headers(request.headers)
        self._asked = (request.method, target.request_target, _build_headers(request.headers, target), request.body)
        self._may_resend = request.resend
        self.restart()
        self.status = 0
        self.headers: Mapping[str, str] = {}
        self.waits = waits = Waits.of(request)
        # The request's clock is the monotonic one; loops may have another.
        self.end_by = inf if request.end_by is None else now + request.end_by - monotonic()
        self._limit = waits.total
        self._content: ContentDecoder | None = None
        self._through = False
        self._is_drained = False

    def restart(self) -> None:
        """Begin the exchange, for the first or the second time.

        Raises :class:`ValueError` for an invalid request, before any byte is sent.
        """
        self.framing = HTTPConnection()
        self.payload = self.framing.request(*self._asked)

    def may_send_again(self, seconds: float) -> bool:
        """Return whether the request may be sent again after a reused connection was lost.

        A server closes idle connections when it likes, and the end may cross a request on the way: the
        connection was *stale*, and the server never saw the request. A server that fails while it works on a
        request closes the connection too, and then the request must not be sent twice. The two cases look
        alike, except for time: ``seconds`` is the time from sending to the loss. At most ``_STALE_SECONDS``
        means stale, provided that no byte of a response has arrived, which the caller checks. The request is
        then sent again, once, on a new connection; not with ``resend=False``.

        This is the second line of defence: ``is_sound`` of the connection finds an end that has already
        arrived before the request is sent.
        """
        return self._may_resend and seconds <= _STALE_SECONDS

    def limit_error(self, now: float) -> None:
        """Limit the whole body of an error to the time of one read."""
        if self.status >= 300 and now + self.waits.head < self.end_by:
            self.end_by, self._limit = now + self.waits.head, self.waits.head

    def total_timeout_error(self) -> APITimeoutError:
        """Return the error for a response that did not end in time, although data kept arriving."""
        return timeout_error(self, self._limit, "the response did not end")

    def connect_timeout_error(self, seconds: float, origin: Origin) -> APITimeoutError:
        """Return the error for a connection that was not made in ``seconds``, the limit or what the total time left."""
        if seconds < self.waits.connect:
            return self.total_timeout_error()
        return timeout_error(self, seconds, f"no connection to {origin}")

    def hand_over(self, decoder: Any) -> None:
        """Let ``decoder`` read the framing too: from now on, reads return raw data of the network.

        That is one call into the core per read instead of two. It has no effect for a compressed body, and
        for a decoder of the pure Python half, which cannot read framing.
        """
        through = getattr(decoder, "_attach_connection", None)
        if self._content is None and through is not None:
            through(self.framing)
            self._through = True

    def feed_head(self, data: bytes) -> bytes | None:
        """Feed data of the head; return the data after the head once that is complete, ``None`` until then.

        Raises :class:`~millstream.errors.APIConnectionError` for an invalid head.
        """
        framing = self.framing
        rest = framing.feed_head(data)
        if rest is None:
            if framing.failure is not None:
                raise connect_error(framing.failure)
            return None
        self.status = framing.status or 0
        headers: dict[str, str] = {}
        for name, value in framing.headers:
            headers[name] = f"{headers[name]}, {value}" if name in headers else value
        self.headers = headers
        if "content-encoding" in headers:
            self._content = content_decoder(headers["content-encoding"])
        # Release the request: the stream may be long.
        self.payload, self._asked = b"", _NO_REQUEST
        return rest

    def feed_body(self, data: bytes) -> bytes:
        """Return the part of the body in ``data``, decompressed; :meth:`read_decoded` returns the rest.

        The part may be empty, if ``data`` is only framing or the beginning of compressed data.
        """
        data = self.framing.feed(data)
        if self._content is None or not data:
            return data
        self._content.feed(data)
        return self._content.take() or b""

    def read_decoded(self) -> bytes | None:
        """Decompress more of the data that was fed; at the body's end, check that the data is complete."""
        if self._content is None:
            return None
        piece = self._content.take()
        if piece is None and self.framing.ended:
            self._content.close()
        return piece


def connect_error(cause: BaseException | None, what: str = "") -> APIConnectionError:
    """Return the error for a request that failed before the response began, with its cause set."""
    return _build_error(_BEFORE, cause, what)


def read_error(cause: BaseException | None) -> APIConnectionError:
    """Return the error for a connection that broke in the body, with its cause set."""
    return _build_error(_WHILE, cause, "")


def _build_error(stage: str, cause: BaseException | None, what: str) -> APIConnectionError:
    # Some exceptions of the system have no message; their class name is used instead.
    reason = "the connection was closed" if cause is None else str(cause) or type(cause).__name__
    error = APIConnectionError(f"{stage}{what}{add_remedy(reason)}")
    error.__cause__ = cause
    return error


def unsolicited_error() -> APIConnectionError:
    """Return the error for a server that sends data first, which would be read as the response."""
    return connect_error(APIConnectionError("the server spoke before it was asked"))


def timeout_error(exchange: Exchange, seconds: float, what: str) -> APITimeoutError:
    """Return the error for a timeout; ``what`` names what did not happen within ``seconds``."""
    reason = f"{what} within {seconds:g} s"
    error = APITimeoutError(f"{_WHILE}{reason}" if exchange.status else f"{_BEFORE}timed out ({reason})")
    error.__cause__ = TimeoutError(reason)
    return error


def redirect_request(request: Request, response: Exchange) -> Request | None:
    """Return the request to send in place of ``request``, if ``response`` is a redirect to follow.

    These are 307 and 308, which keep method and body, to the same origin: another server must not receive
    the key.
    """
    if response.status not in (307, 308):
        return None
    location = response.headers.get("location")
    url = None if location is None else same_origin(request.url, location)
    return None if url is None else replace(request, url=url)


def _build_headers(given: Mapping[str, str], target: Target) -> list[tuple[str, str]]:
    """Return the headers to send: with the host, and with the authorization for a user in the URL."""
    names = {name.lower() for name in given}
    headers = [] if "host" in names else [("host", target.host)]
    if target.authorization is None:
        return [*headers, *given.items()]
    # The user in the URL wins, as in httpx2: it is meant for a gateway in front of the server.
    headers += [(name, value) for name, value in given.items() if name.lower() != "authorization"]
    return [*headers, ("authorization", target.authorization)]

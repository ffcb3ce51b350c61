"""One request and its response, without the connection: what both drivers share.

What arrived is *fed*, in the order in which it arrived, and the exchange says what it means: whether
the head is complete, what of the body came, whether it has ended, what is wrong.
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
from .origins import Target, same_origin

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

# The most bytes of one read. Larger objects would come from fresh pages of the system, each of them.
READ_SIZE = 65_536

_NO_REQUEST: tuple[str, str, list[tuple[str, str]], bytes] = ("", "", [], b"")
# A connection that is lost so soon after the request was sent was closed before the request arrived.
_STALE_SECONDS = 0.1

_BEFORE = "the request failed before the response began: "
_WHILE = "the connection broke while the response was read: "


class Waits(NamedTuple):
    """How long one exchange waits for what, in seconds; infinite where there is no limit."""

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
    """The request, and the response as far as it is there.

    Every exchange has a framing of its own, so that what is left of an old one can never reach the
    next one on its connection.
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
        """Begin: with the request unsent, and nothing seen of an answer.

        Raises :class:`ValueError` for what no request may hold, before any byte is sent.
        """
        self.framing = HTTPConnection()
        self.payload = self.framing.request(*self._asked)

    def may_send_again(self, seconds: float) -> bool:
        """Return whether a connection that was lost ``seconds`` after the request was sent had been lost before.

        A server may close a connection while nothing is asked, and that may cross the request. Where not
        one byte of an answer came, and the end came at once, the server has not worked on the request: it is
        sent again, once, on a new connection; but for requests that are to be sent once.
        """
        return self._may_resend and seconds <= _STALE_SECONDS

    def limit_error(self, now: float) -> None:
        """Give an error's body no more time, in total, than each read of it has."""
        if self.status >= 300 and now + self.waits.head < self.end_by:
            self.end_by, self._limit = now + self.waits.head, self.waits.head

    def total_timeout_error(self) -> APITimeoutError:
        """Return the error for a response that did not end in time, whatever kept arriving."""
        return timeout_error(self, self._limit, "the response did not end")

    def hand_over(self, decoder: Any) -> None:
        """Let ``decoder`` read the framing too: from now on the body comes as the network sent it.

        That is one call into the core per read instead of two. Nothing changes for a body that was
        compressed, or for a decoder of the other half of the core, which knows no framing.
        """
        through = getattr(decoder, "_attach_connection", None)
        if self._content is None and through is not None:
            through(self.framing)
            self._through = True

    def feed_head(self, data: bytes) -> bytes | None:
        """Take in some of the head; once it is complete, return what stands behind it, and ``None`` until then.

        Raises :class:`~millstream.errors.APIConnectionError` where it is no head.
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
        # Not kept for the length of the stream.
        self.payload, self._asked = b"", _NO_REQUEST
        return rest

    def feed_body(self, data: bytes) -> bytes:
        """Return what ``data`` brings of the body, decompressed where it has to be; :meth:`read_decoded` has the rest.

        Nothing, maybe, where ``data`` is framing or compressed data alone.
        """
        data = self.framing.feed(data)
        if self._content is None or not data:
            return data
        self._content.feed(data)
        return self._content.take() or b""

    def read_decoded(self) -> bytes | None:
        """Return what is still to be decompressed of what was fed; at the body's end, check that this was all."""
        if self._content is None:
            return None
        piece = self._content.take()
        if piece is None and self.framing.ended:
            self._content.close()
        return piece


def connect_error(cause: BaseException | None, what: str = "") -> APIConnectionError:
    """Return the error for what goes wrong before there is a response, with its cause set."""
    return _build_error(_BEFORE, cause, what)


def read_error(cause: BaseException | None) -> APIConnectionError:
    """Return the error for what goes wrong in the body, with its cause set."""
    return _build_error(_WHILE, cause, "")


def _build_error(stage: str, cause: BaseException | None, what: str) -> APIConnectionError:
    # Some exceptions of the system say nothing; their names do.
    reason = "the connection was closed" if cause is None else str(cause) or type(cause).__name__
    error = APIConnectionError(f"{stage}{what}{reason}")
    error.__cause__ = cause
    return error


def unsolicited_error() -> APIConnectionError:
    """Return the error for a server that speaks first: its answer could not be told from one to the request."""
    return connect_error(APIConnectionError("the server spoke before it was asked"))


def timeout_error(exchange: Exchange, seconds: float, what: str) -> APITimeoutError:
    """Return the error for ``what`` did not happen within ``seconds``."""
    reason = f"{what} within {seconds:g} s"
    error = APITimeoutError(f"{_WHILE}{reason}" if exchange.status else f"{_BEFORE}timed out ({reason})")
    error.__cause__ = TimeoutError(reason)
    return error


def redirect_request(request: Request, response: Exchange) -> Request | None:
    """Return the request to send in place of ``request``, if that is what ``response`` says.

    Only 307 and 308 do, which keep method and body, and only to the same origin: anywhere else the
    key would go along.
    """
    if response.status not in (307, 308):
        return None
    location = response.headers.get("location")
    url = None if location is None else same_origin(request.url, location)
    return None if url is None else replace(request, url=url)


def _build_headers(given: Mapping[str, str], target: Target) -> list[tuple[str, str]]:
    """Return the headers to send: with the host, and with what a user in the URL stands for."""
    names = {name.lower() for name in given}
    headers = [] if "host" in names else [("host", target.host)]
    if target.authorization is None:
        return [*headers, *given.items()]
    # The user in the URL wins, as with httpx2: a gateway in front of the server asks for it.
    headers += [(name, value) for name, value in given.items() if name.lower() != "authorization"]
    return [*headers, ("authorization", target.authorization)]

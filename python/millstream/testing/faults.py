"""The faults of a response: pass one to :class:`~millstream.testing.Reply`, or several in a tuple.

Most faults happen at a *place*, their ``after``: how far the connection gets before the fault. ::

    "accept"      the connection is there; nothing of the request is read
    "request"     the request is read; not a byte of the response is sent
    "half-head"   half of the response's head
    "head"        the head
    0, 1, 2, …    that many pieces; chat's role frame does not count
    "done"        the whole stream, its end mark too (``[DONE]``, say), but no terminating chunk
    "body"        the whole response; the connection would be kept alive

A response that does not stream is one document: a fault between pieces happens before it, and a
connection that is cut there sends half of it. Only with framing ``"chunked"`` is ``[DONE]`` separate from
the last chunk.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal, get_args

__all__ = (
    "Chunking",
    "Compress",
    "Cut",
    "Drip",
    "Endless",
    "ErrorFrame",
    "ErrorStatus",
    "Fault",
    "Garble",
    "Garbling",
    "GiantHead",
    "Interim",
    "Place",
    "Redirect",
    "Refuse",
    "Send",
    "Stale",
    "Stall",
)

Place = int | Literal["accept", "request", "half-head", "head", "done", "body"]
"""How far a connection gets before a fault; see the module's first lines."""

_BEFORE_THE_BODY = ("accept", "request", "half-head", -1)

Garbling = Literal[
    "not-http",
    "tls",
    "status-line",
    "header-line",
    "bad-length",
    "length-overflow",
    "conflicting-lengths",
    "length-and-chunked",
    "chunked-not-last",
    "chunk-size",
    "negative-size",
    "size-overflow",
    "bare-lf",
    "chunk-end",
]
"""The ways in which :class:`Garble` breaks the framing of a response."""


@dataclass(frozen=True, slots=True)
class ErrorStatus:
    """An error status in place of a response, with ``headers`` (``retry-after``, say) and a JSON body.

    ``body`` defaults to the error object of the path's provider, with ``message`` and ``code``.
    """

    status: int = 500
    message: str = "the mock server fails as requested"
    code: str | None = None
    headers: Mapping[str, str] = field(default_factory=dict)
    body: Any = None


@dataclass(frozen=True, slots=True)
class ErrorFrame:
    """An error object inside the stream, after ``after`` pieces; the body then ends as it should.

    Without streaming it is the whole body, with status 200, as some proxies send it. ``type`` and
    ``code`` have OpenAI's words; by default another provider's error has its own word for an overload.
    ``done`` says whether ``[DONE]`` follows, in formats that have it.
    """

    after: int = 3
    message: str = "overloaded"
    type: str = "server_error"
    code: str | None = None
    done: bool = False

    @property
    def error(self) -> dict[str, Any]:
        """OpenAI's error object, as it is sent."""
        return {"message": self.message, "type": self.type, "param": None, "code": self.code}


@dataclass(frozen=True, slots=True)
class Redirect:
    """A redirect in place of a response: to ``location``, a URL or a path, by default the requested one."""

    status: int = 307
    location: str = ""


@dataclass(frozen=True, slots=True)
class Cut:
    """The response stops after ``after``, and the connection closes.

    ``how`` is ``"reset"`` (RST), ``"fin"`` (closed without the terminating chunk) or ``"end"`` (the
    body ends correctly, but without ``[DONE]``, and the connection stays open). ``inside``
    sends half of the next frame before that: as a chunk of its own (``True`` or ``"frame"``), or as
    half of a chunk, whose size promises more (``"chunk"``).

    ``Cut("body", "fin")`` is a server that closes a connection after a complete response,
    ``Cut("request", "fin")`` one that closes it without a response.
    """

    after: Place = 3
    how: Literal["reset", "fin", "end"] = "reset"
    inside: bool | Literal["frame", "chunk"] = False

    def __post_init__(self) -> None:
        """Refuse the end of a body that has not begun."""
        if self.how == "end" and self.after in _BEFORE_THE_BODY:
            raise ValueError("after must be 'head' or later where how is 'end'")


@dataclass(frozen=True, slots=True)
class Stall:
    """The response pauses after ``after`` until ``server.release()`` or until the client leaves.

    ``comment_every`` sends a comment every so many seconds meanwhile, as proxies do to keep a connection
    open; in formats that have no comments, what their readers pass over. ``inside`` is that of
    :class:`Cut`; the other half follows after the pause. ``after=-1`` is ``"request"``. Under
    ``"accept"`` the server reads nothing, so it does not even notice that the client leaves before it
    is released.
    """

    after: Place = 3
    comment_every: float | None = None
    inside: bool | Literal["frame", "chunk"] = False

    def __post_init__(self) -> None:
        """Refuse comments where there is no body to send them in."""
        if self.comment_every is not None and self.after in _BEFORE_THE_BODY:
            raise ValueError("after must be 'head' or later where there are comments")


@dataclass(frozen=True, slots=True)
class Send:
    r"""``data`` is sent unchanged, after ``after``, between the bytes of HTTP; the response then continues.

    ``Send(b"HTTP/1.1 200 OK\r\n…", after="body")`` is a response without a request.
    """

    data: bytes
    after: Place = "request"


@dataclass(frozen=True, slots=True)
class Endless:
    """After ``after`` the body never ends: ``data`` is sent again and again.

    By default it is what a reader of the format passes over: a comment, a ping, a blank line.

    ``data=None`` repeats the next piece, ``Reply.pieces_per_write`` times a write and paced as pieces
    are. It ends when the client leaves, at ``server.release()``, or after ``count`` times, and then the
    response continues. ``send_buffer_size`` limits the kernel's buffer (in bytes; Linux doubles it), so
    that a client that does not read blocks the server early.
    """

    after: Place = 3
    data: bytes | Literal["keep-alive"] | None = "keep-alive"
    count: int = 10_000_000
    send_buffer_size: int | None = None

    def __post_init__(self) -> None:
        """Refuse a body without a head."""
        if self.after in (*_BEFORE_THE_BODY, "body"):
            raise ValueError("after must be 'head', a number of pieces or 'done'")


@dataclass(frozen=True, slots=True)
class Refuse:
    """The connection is reset in place of a response head."""


@dataclass(frozen=True, slots=True)
class Stale:
    """The connection closes without a response when it is reused: a race that clients with pools may lose.

    The first request of each connection gets a response, so a retry on a new connection succeeds.
    """

    how: Literal["reset", "fin"] = "fin"

    def __post_init__(self) -> None:
        """Refuse unknown values."""
        _check("how", self.how, ("reset", "fin"))


@dataclass(frozen=True, slots=True)
class Garble:
    """A response whose framing is broken.

    The head can be invalid (``"not-http"``, ``"tls"``, ``"status-line"``, ``"header-line"``; the
    connection then closes), lie about the body's length (``"bad-length"``, ``"length-overflow"``,
    ``"conflicting-lengths"``, ``"length-and-chunked"``, ``"chunked-not-last"``), or the chunk after
    ``after`` pieces is invalid: ``"chunk-size"`` (not a number),
    ``"negative-size"``, ``"size-overflow"`` (correct modulo 2**64), ``"bare-lf"`` (a line end without
    CR), ``"chunk-end"`` (data in place of the CRLF after it).
    """

    how: Garbling = "chunk-size"
    after: int = 3

    def __post_init__(self) -> None:
        """Refuse unknown values."""
        _check("how", self.how, get_args(Garbling))

    @property
    def strikes(self) -> bool:
        """Whether one chunk is broken, not the head."""
        return self.how in ("chunk-size", "negative-size", "size-overflow", "bare-lf", "chunk-end")


@dataclass(frozen=True, slots=True)
class GiantHead:
    """A head of at least ``size`` bytes, in ``headers`` headers beside the usual ones."""

    size: int = 1 << 20
    headers: int = 1


@dataclass(frozen=True, slots=True)
class Interim:
    """Interim responses before the head: ``100 Continue`` without an ``expect`` header, ``103 Early Hints``."""

    statuses: tuple[int, ...] = (100, 103)


@dataclass(frozen=True, slots=True)
class Chunking:
    """A chunked body with valid but rare features: chunk extensions and trailers."""

    extension: str = 'name="a value; of sorts"'
    trailers: Mapping[str, str] = field(default_factory=lambda: {"x-trailer": "1"})


@dataclass(frozen=True, slots=True)
class Compress:
    """The body is compressed although the client asked for ``identity``; each piece is flushed."""

    encoding: Literal["gzip", "deflate"] = "gzip"

    def __post_init__(self) -> None:
        """Refuse unknown values."""
        _check("encoding", self.encoding, ("gzip", "deflate"))


@dataclass(frozen=True, slots=True)
class Drip:
    """Every write, of head and framing too, is split into parts of ``size`` bytes, ``pace`` seconds apart."""

    size: int = 1
    pace: float = 0.0

    def __post_init__(self) -> None:
        """Refuse empty parts."""
        if self.size < 1:
            raise ValueError("size must be at least 1")


Fault = (
    ErrorStatus
    | ErrorFrame
    | Redirect
    | Cut
    | Stall
    | Send
    | Endless
    | Refuse
    | Stale
    | Garble
    | GiantHead
    | Interim
    | Chunking
    | Compress
    | Drip
)


def _check(name: str, value: str, words: tuple[str, ...]) -> None:
    if value not in words:
        raise ValueError(f"{name} must be one of {', '.join(words)}, not {value!r}")

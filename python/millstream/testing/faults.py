"""What can go wrong with an answer, as values: give one to :class:`~millstream.testing.Reply`, or several in a tuple.

Most of them strike at a *place*, which their ``after`` names: how far the connection gets first. ::

    "accept"      the connection is there; nothing of the request is read
    "request"     the request is read; not a byte of the response is sent
    "half-head"   half of the response's head
    "head"        the head
    0, 1, 2, …    so many pieces; chat's role frame is none
    "done"        the whole stream, ``[DONE]`` too, but no terminating chunk
    "body"        the whole response; the connection would be kept alive

An answer without streaming is one document: what strikes between pieces strikes before it, and a
connection that is cut there leaves half of it. ``[DONE]`` and the last chunk are apart with framing
``"chunked"`` alone.
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
"""How far a connection gets before a fault strikes; see the module's first lines."""

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
"""What :class:`Garble` does to the framing of a response."""


@dataclass(frozen=True, slots=True)
class ErrorStatus:
    """An error status in place of an answer, with ``headers`` (``retry-after``, say) and a JSON body.

    ``body`` defaults to an OpenAI error object with ``message`` and ``code``.
    """

    status: int = 500
    message: str = "the mock server was told to fail"
    code: str | None = None
    headers: Mapping[str, str] = field(default_factory=dict)
    body: Any = None


@dataclass(frozen=True, slots=True)
class ErrorFrame:
    """An error object inside the stream, after ``after`` pieces; the body then ends as it should.

    Without streaming it is the whole body, under status 200, as some proxies do it. ``done`` says
    whether ``[DONE]`` follows.
    """

    after: int = 3
    message: str = "overloaded"
    type: str = "server_error"
    code: str | None = None
    done: bool = False

    @property
    def error(self) -> dict[str, Any]:
        """The provider's error object, as it is sent."""
        return {"message": self.message, "type": self.type, "param": None, "code": self.code}


@dataclass(frozen=True, slots=True)
class Redirect:
    """A redirect in place of an answer: to ``location``, a URL or a path, by default the one that was asked for."""

    status: int = 307
    location: str = ""


@dataclass(frozen=True, slots=True)
class Cut:
    """The answer stops after ``after``, and so does the connection.

    ``how`` is ``"reset"`` (RST), ``"fin"`` (closed without the terminating chunk) or ``"end"`` (the
    body ends as HTTP wants it, but without ``[DONE]``, and the connection lives on). ``inside``
    sends half of the next frame before that: as a chunk of its own (``True`` or ``"frame"``), or as
    half of a chunk, whose size promises more (``"chunk"``).

    ``Cut("body", "fin")`` is a server that closes a connection it was expected to keep alive,
    ``Cut("request", "fin")`` one that closes it unanswered.
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
    """The answer pauses after ``after`` until ``server.release()`` or until the client leaves.

    ``comment_every`` sends a comment line every so many seconds meanwhile, as proxies do to keep a
    connection open. ``inside`` is that of :class:`Cut`; the other half follows after the pause.
    ``after=-1`` is ``"request"``. Under ``"accept"`` the server reads nothing, so it does not even
    notice that the client leaves before it is released.
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
    r"""``data`` goes out as it is, after ``after``, between the bytes of HTTP; the answer then goes on.

    ``Send(b"HTTP/1.1 200 OK\r\n…", after="body")`` is a response that nobody asked for.
    """

    data: bytes
    after: Place = "request"


@dataclass(frozen=True, slots=True)
class Endless:
    """After ``after`` the body goes on for ever: ``data`` again and again, by default a comment.

    ``data=None`` repeats the piece at which it strikes, ``Reply.pieces_per_write`` times a write
    and paced as pieces are. It ends when the client leaves, at ``server.release()``, or after
    ``count`` times, and then the answer goes on. ``send_buffer_size`` bounds the kernel's own
    buffer (in bytes, which Linux doubles), so that a client that does not read is felt early.
    """

    after: Place = 3
    data: bytes | None = b": keep-alive\n\n"
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
    """The connection closes, unanswered, when it is used again: the race that clients of kept connections lose.

    A connection's first request is answered, so a client that tries again on a fresh one succeeds.
    """

    how: Literal["reset", "fin"] = "fin"

    def __post_init__(self) -> None:
        """Refuse other words."""
        _check("how", self.how, ("reset", "fin"))


@dataclass(frozen=True, slots=True)
class Garble:
    """A response whose framing is broken.

    The head can be none (``"not-http"``, ``"tls"``, ``"status-line"``, ``"header-line"``; the
    connection then closes), lie about the body's length (``"bad-length"``, ``"length-overflow"``,
    ``"conflicting-lengths"``, ``"length-and-chunked"``, ``"chunked-not-last"``), or the chunk after
    ``after`` pieces is one that no server may send: ``"chunk-size"`` (no number),
    ``"negative-size"``, ``"size-overflow"`` (right modulo 2**64), ``"bare-lf"`` (a line end without
    CR), ``"chunk-end"`` (data that runs on where its CRLF belongs).
    """

    how: Garbling = "chunk-size"
    after: int = 3

    def __post_init__(self) -> None:
        """Refuse other words."""
        _check("how", self.how, get_args(Garbling))

    @property
    def strikes(self) -> bool:
        """Whether one chunk is broken, not the head."""
        return self.how in ("chunk-size", "negative-size", "size-overflow", "bare-lf", "chunk-end")


@dataclass(frozen=True, slots=True)
class GiantHead:
    """A head of at least ``size`` bytes, which it has of ``headers`` headers beside the usual ones."""

    size: int = 1 << 20
    headers: int = 1


@dataclass(frozen=True, slots=True)
class Interim:
    """Interim responses before the head: ``100 Continue`` though nobody asked for it, ``103 Early Hints``."""

    statuses: tuple[int, ...] = (100, 103)


@dataclass(frozen=True, slots=True)
class Chunking:
    """A chunked body as the specification allows it and few servers send it: chunk extensions, and trailers."""

    extension: str = 'name="a value; of sorts"'
    trailers: Mapping[str, str] = field(default_factory=lambda: {"x-trailer": "1"})


@dataclass(frozen=True, slots=True)
class Compress:
    """The body is compressed, though the client asked for ``identity``; each piece can be read as it arrives."""

    encoding: Literal["gzip", "deflate"] = "gzip"

    def __post_init__(self) -> None:
        """Refuse other words."""
        _check("encoding", self.encoding, ("gzip", "deflate"))


@dataclass(frozen=True, slots=True)
class Drip:
    """Every write to the socket, head and framing too, goes out in parts of ``size`` bytes, ``pace`` seconds apart."""

    size: int = 1
    pace: float = 0.0

    def __post_init__(self) -> None:
        """Refuse parts of nothing."""
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

"""The bytes of one response on the wire: head, body and end, as its framing has them and as its faults bend them."""

import zlib
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from typing import TypeVar

from .faults import Chunking, Compress, Fault, Garble, GiantHead, Interim
from .frames import Frame
from .http import LAST_CHUNK, Framing, chunk, head

__all__ = ("Wire", "compressed")

ModelType = TypeVar("ModelType")

# Where a head should be.
_NO_HEADS = {
    "not-http": b"SSH-2.0-OpenSSH_9.9\r\n",
    # An alert: what a server of HTTPS says to a client that speaks HTTP.
    "tls": b"\x15\x03\x03\x00\x02\x02\x46",
    "status-line": b"HTTP/1.1 OK\r\ncontent-length: 0\r\n\r\n",
    "header-line": b"HTTP/1.1 200 OK\r\nthis line has no colon\r\ncontent-length: 0\r\n\r\n",
}

# The headers that say how long a body of so many bytes is.
_LENGTHS: dict[str, Callable[[int], tuple[str, ...]]] = {
    "bad-length": lambda length: (f"content-length: {length}x",),
    "length-overflow": lambda length: (f"content-length: {(1 << 64) + length}",),
    "conflicting-lengths": lambda length: (f"content-length: {length}", f"content-length: {length + 1}"),
    "length-and-chunked": lambda length: (f"content-length: {length}", "transfer-encoding: chunked"),
    "chunked-not-last": lambda length: ("transfer-encoding: chunked, gzip",),
}
_PLAIN = ("bad-length", "length-overflow", "conflicting-lengths")

# One chunk, where a right one should be.
_CHUNKS: dict[str, Callable[[bytes], bytes]] = {
    "chunk-size": lambda data: b"zz\r\n%b\r\n" % data,
    "negative-size": lambda data: b"-%x\r\n%b\r\n" % (len(data), data),
    "size-overflow": lambda data: b"%x\r\n%b\r\n" % ((1 << 64) + len(data), data),
    "bare-lf": lambda data: b"%x\n%b\r\n" % (len(data), data),
    "chunk-end": lambda data: b"%x\r\n%b!!" % (len(data), data),
}


class Wire:
    """Makes the bytes of one response; a fault that needs chunks has them, whatever ``framing`` says.

    ``garbage`` is what is sent in place of the head and of all the rest, or ``None``. ``lengths``
    says whether :meth:`head` needs the body's length.
    """

    def __init__(self, framing: Framing, faults: Sequence[Fault]) -> None:
        self._giant = _first(GiantHead, faults)
        self._interim = _first(Interim, faults)
        self._chunking = _first(Chunking, faults)
        garble = _first(Garble, faults)
        self._garbling = "" if garble is None else garble.how
        if self._chunking is not None or self._garbling in (*_CHUNKS, *_LENGTHS):
            framing = "chunked"
        self.framing = framing
        self.garbage = _NO_HEADS.get(self._garbling)
        self.lengths = framing == "length" or self._garbling in _LENGTHS
        self._chunked = framing == "chunked" and self._garbling not in _PLAIN

    @property
    def ends_by_closing(self) -> bool:
        """Whether the body ends with its connection."""
        return self.framing in ("close", "http/1.0")

    def head(self, status: int, headers: Mapping[str, str], length: int) -> bytes:
        """Return the head, and what is sent before it; ``length`` is the body's, where :attr:`lengths`."""
        version = "HTTP/1.0" if self.framing == "http/1.0" else "HTTP/1.1"
        begun = head(status, headers, version).removesuffix(b"\r\n")
        lines = "".join(f"{line}\r\n" for line in (*self._framing_lines(length), *self._giant_lines()))
        statuses = () if self._interim is None else self._interim.statuses
        interim = b"".join(head(status, {"link": "</style.css>; rel=preload"}) for status in statuses)
        return interim + begun + lines.encode("latin-1") + b"\r\n"

    def _framing_lines(self, length: int) -> tuple[str, ...]:
        if self._garbling in _LENGTHS:
            return _LENGTHS[self._garbling](length)
        lines = {"chunked": "transfer-encoding: chunked", "length": f"content-length: {length}"}
        if self.framing in lines:
            return (lines[self.framing],)
        return ("connection: close",) if self.framing == "close" else ()

    def _giant_lines(self) -> Iterator[str]:
        if self._giant is not None:
            each = -(-self._giant.size // self._giant.headers)
            for number in range(self._giant.headers):
                yield f"x-filler-{number}: ".ljust(each - 2, "y")

    def data(self, data: bytes) -> bytes:
        """Return one write of the body; nothing for nothing."""
        if not self._chunked or not data:
            return data
        if self._chunking is not None:
            return b"%x;%b\r\n%b\r\n" % (len(data), self._chunking.extension.encode("latin-1"), data)
        return chunk(data)

    def garbled(self, data: bytes) -> bytes:
        """Return one write of the body as the chunk that no server may send."""
        return _CHUNKS[self._garbling](data)

    def end(self) -> bytes:
        """Return the mark of the body's end, where the framing has one."""
        if not self._chunked:
            return b""
        if self._chunking is None:
            return LAST_CHUNK
        trailers = "".join(f"{name}: {value}\r\n" for name, value in self._chunking.trailers.items())
        return b"0;last\r\n%b\r\n" % trailers.encode("latin-1")


def _first(kind: type[ModelType], faults: Sequence[Fault]) -> ModelType | None:
    return next((fault for fault in faults if isinstance(fault, kind)), None)


def compressed(source: Iterable[Frame], fault: Compress) -> Iterator[Frame]:
    """Yield ``source`` compressed; what has come of it can be read at once."""
    compressor = zlib.compressobj(wbits=31 if fault.encoding == "gzip" else 15)
    for frame in source:
        yield frame._replace(data=compressor.compress(frame.data) + compressor.flush(zlib.Z_SYNC_FLUSH))
    yield Frame(compressor.flush())

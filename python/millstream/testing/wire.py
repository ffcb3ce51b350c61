"""Serializes one response: head, body and end, with its framing and its faults."""

import zlib
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from typing import TypeVar

from .faults import Chunking, Compress, Fault, Garble, GiantHead, Interim
from .formats.parts import Frame
from .http import LAST_CHUNK, Framing, chunk, head

__all__ = ("Wire", "compressed")

ModelType = TypeVar("ModelType")

# Sent in place of a head.
_NO_HEADS = {
    "not-http": b"SSH-2.0-OpenSSH_9.9\r\n",
    # A TLS alert: the response of an HTTPS server to plain HTTP.
    "tls": b"\x15\x03\x03\x00\x02\x02\x46",
    "status-line": b"HTTP/1.1 OK\r\ncontent-length: 0\r\n\r\n",
    "header-line": b"HTTP/1.1 200 OK\r\nthis line has no colon\r\ncontent-length: 0\r\n\r\n",
}

# Headers for the length of a body.
_LENGTHS: dict[str, Callable[[int], tuple[str, ...]]] = {
    "bad-length": lambda length: (f"content-length: {length}x",),
    "length-overflow": lambda length: (f"content-length: {(1 << 64) + length}",),
    "conflicting-lengths": lambda length: (f"content-length: {length}", f"content-length: {length + 1}"),
    "length-and-chunked": lambda length: (f"content-length: {length}", "transfer-encoding: chunked"),
    "chunked-not-last": lambda length: ("transfer-encoding: chunked, gzip",),
}
_PLAIN = ("bad-length", "length-overflow", "conflicting-lengths")

# An invalid chunk in place of a valid one.
_CHUNKS: dict[str, Callable[[bytes], bytes]] = {
    "chunk-size": lambda data: b"zz\r\n%b\r\n" % data,
    "negative-size": lambda data: b"-%x\r\n%b\r\n" % (len(data), data),
    "size-overflow": lambda data: b"%x\r\n%b\r\n" % ((1 << 64) + len(data), data),
    "bare-lf": lambda data: b"%x\n%b\r\n" % (len(data), data),
    "chunk-end": lambda data: b"%x\r\n%b!!" % (len(data), data),
}


class Wire:
    """Serializes one response; a fault that needs chunks overrides ``framing``.

    ``garbage`` is sent in place of the whole response, unless it is ``None``. ``lengths`` is set if
    :meth:`head` needs the body's length.
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
        """Return the head, after interim responses; ``length`` is the body's, used if :attr:`lengths`."""
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
        """Frame one write of the body; empty for empty data."""
        if not self._chunked or not data:
            return data
        if self._chunking is not None:
            return b"%x;%b\r\n%b\r\n" % (len(data), self._chunking.extension.encode("latin-1"), data)
        return chunk(data)

    def garbled(self, data: bytes) -> bytes:
        """Frame one write of the body as an invalid chunk."""
        return _CHUNKS[self._garbling](data)

    def end(self) -> bytes:
        """Return the end of the body: its last chunk, or nothing."""
        if not self._chunked:
            return b""
        if self._chunking is None:
            return LAST_CHUNK
        trailers = "".join(f"{name}: {value}\r\n" for name, value in self._chunking.trailers.items())
        return b"0;last\r\n%b\r\n" % trailers.encode("latin-1")


def _first(kind: type[ModelType], faults: Sequence[Fault]) -> ModelType | None:
    return next((fault for fault in faults if isinstance(fault, kind)), None)


def compressed(source: Iterable[Frame], fault: Compress) -> Iterator[Frame]:
    """Yield ``source`` compressed, each frame flushed."""
    compressor = zlib.compressobj(wbits=31 if fault.encoding == "gzip" else 15)
    for frame in source:
        yield frame._replace(data=compressor.compress(frame.data) + compressor.flush(zlib.Z_SYNC_FLUSH))
    yield Frame(compressor.flush())

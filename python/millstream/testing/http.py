"""The server side of HTTP/1.1 without I/O: parses requests, serializes heads and chunks."""

from collections.abc import Mapping
from dataclasses import dataclass
from http import HTTPStatus
from typing import Literal

__all__ = ("LAST_CHUNK", "Framing", "HTTPError", "RawRequest", "RequestReader", "chunk", "head")

_MAX_HEAD_SIZE = 65_536
_MAX_BODY_SIZE = 64 * 1024 * 1024

Framing = Literal["chunked", "length", "close", "http/1.0"]
LAST_CHUNK = b"0\r\n\r\n"


class HTTPError(Exception):
    """The request is invalid or not supported; ``status`` is the status of the response."""

    def __init__(self, status: int, message: str) -> None:
        super().__init__(message)
        self.status = status
        self.message = message


@dataclass(frozen=True, slots=True)
class RawRequest:
    """A complete request; header names are in lower case."""

    method: str
    path: str
    headers: dict[str, str]
    data: bytes
    keep_alive: bool
    query: str = ""


class RequestReader:
    """Parses the bytes of one connection into requests, however they are split."""

    def __init__(self) -> None:
        self._buffer = bytearray()
        self._head: tuple[str, str, str, dict[str, str], bool] | None = None
        self._length = 0

    def feed(self, data: bytes) -> list[RawRequest]:
        """Return the requests that ``data`` completes; raise :class:`HTTPError` for an invalid one."""
        self._buffer += data
        requests: list[RawRequest] = []
        while (request := self._next()) is not None:
            requests.append(request)
        return requests

    def _next(self) -> RawRequest | None:
        if self._head is None and not self._read_head():
            return None
        if self._head is None or len(self._buffer) < self._length:
            return None
        method, path, query, headers, keep_alive = self._head
        data = bytes(self._buffer[: self._length])
        del self._buffer[: self._length]
        self._head = None
        return RawRequest(method, path, headers, data, keep_alive, query)

    def _read_head(self) -> bool:
        end = self._buffer.find(b"\r\n\r\n")
        if end > _MAX_HEAD_SIZE or (end < 0 and len(self._buffer) > _MAX_HEAD_SIZE):
            raise HTTPError(431, "the request's head is too large")
        if end < 0:
            return False
        lines = self._buffer[:end].decode("latin-1").split("\r\n")
        del self._buffer[: end + 4]
        headers = dict(map(_header, lines[1:]))
        method, target, version = _request_line(lines[0])
        self._length = _body_length(headers)
        wishes = headers.get("connection", "").lower()
        keep_alive = version != "HTTP/1.0" and "close" not in wishes
        path, _, query = target.partition("?")
        self._head = method, path, query, headers, keep_alive
        return True


def _request_line(line: str) -> tuple[str, str, str]:
    words = line.split(" ")
    if len(words) != 3 or not words[2].startswith("HTTP/1."):
        raise HTTPError(400, "the request line is malformed")
    return words[0], words[1], words[2]


def _header(line: str) -> tuple[str, str]:
    name, colon, value = line.partition(":")
    if not colon or name != name.strip() or not name:
        raise HTTPError(400, "a header line is malformed")
    return name.lower(), value.strip()


def _body_length(headers: Mapping[str, str]) -> int:
    if "transfer-encoding" in headers:
        raise HTTPError(411, "send the body with a content-length")
    length = headers.get("content-length", "0")
    if not (length.isascii() and length.isdecimal()):
        raise HTTPError(400, "the content-length is malformed")
    if len(length) > 9 or int(length) > _MAX_BODY_SIZE:
        raise HTTPError(413, "the request's body is too large")
    return int(length)


def head(status: int, headers: Mapping[str, str], version: str = "HTTP/1.1") -> bytes:
    """Return a response's head; raise :class:`ValueError` for a header with a line end."""
    try:
        reason = HTTPStatus(status).phrase
    except ValueError:
        reason = "Status"
    lines = [f"{version} {status} {reason}", *(f"{name}: {value}" for name, value in headers.items())]
    if any(mark in line for line in lines for mark in "\r\n\0"):
        raise ValueError("a header must not contain CR, LF or NUL")
    return ("\r\n".join(lines) + "\r\n\r\n").encode("latin-1")


def chunk(data: bytes) -> bytes:
    """Return ``data`` as one chunk of a chunked body; empty for empty data, since an empty chunk ends the body."""
    return b"%x\r\n%b\r\n" % (len(data), data) if data else b""

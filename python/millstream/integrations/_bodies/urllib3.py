"""Bodies of responses of urllib3 (1.26 and 2), of requests, and of files such as those of ``urllib.request``.

``stream(n)`` and ``iter_content(n)`` wait until ``n`` bytes have arrived, and with ``None`` for the end of a body that
is not chunked. ``read1`` returns as soon as there is data.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator
from typing import Any

from ...transport.native.content_coding import content_decoder
from .base import Body, decompress

__all__ = ("FileBody", "RequestsBody", "URLLib3Body")

_READ_SIZE = 65_536

# How requests names urllib3's exceptions while it reads a body; the first match counts.
_REQUESTS_ERRORS = (
    ("ProtocolError", "ChunkedEncodingError"),
    ("DecodeError", "ContentDecodingError"),
    ("ReadTimeoutError", "ConnectionError"),
    ("SSLError", "SSLError"),
)


class URLLib3Body(Body):
    """The body of a response of urllib3."""

    __slots__ = ()

    def __init__(self, response: Any) -> None:
        super().__init__(response, read_urllib3(response))
        self._take_head(response.status, response.headers)

    def _socket(self) -> Any:
        return getattr(getattr(self.response, "connection", None), "sock", None)

    def _close_response(self) -> None:
        self.response.close()
        self.response.release_conn()


class RequestsBody(Body):
    """The body of a response of requests."""

    __slots__ = ()

    def __init__(self, response: Any) -> None:
        super().__init__(response, _read_requests(response))
        self._take_head(response.status_code, response.headers)

    def client_error(self, error: Exception) -> Exception:
        """Return urllib3's error as that of requests."""
        kinds = {kind.__name__ for kind in type(error).__mro__}
        name = next((theirs for ours, theirs in _REQUESTS_ERRORS if ours in kinds), None)
        exceptions: Any = sys.modules.get("requests.exceptions")
        if name is None or exceptions is None or "RequestException" in kinds:
            return error
        failure: Exception = getattr(exceptions, name)(error, request=self.response.request)
        failure.__cause__ = error
        return failure

    def _socket(self) -> Any:
        return getattr(getattr(self.response.raw, "connection", None), "sock", None)


class FileBody(Body):
    """The body of a binary file, or of a response that is one."""

    __slots__ = ()

    def __init__(self, file: Any) -> None:
        super().__init__(file, _read_file(file))
        headers = getattr(file, "headers", None)
        if headers is not None:
            self._take_head(file.status, headers)


def read_urllib3(response: Any) -> Iterator[bytes]:
    """Return an iterator over the body of a response of urllib3, decompressed, as it arrives."""
    if response.closed:
        # It has been read already, as by default.
        return iter((response.data,))
    names = response.headers.get("content-encoding", "").lower().split(",")
    if all(name.strip() in response.CONTENT_DECODERS for name in names):
        return _read(response, decompresses=True)
    # It would pass on the compressed bytes. Decompression sends every read through a buffer, too.
    return _decompress(_read(response, decompresses=False), response.headers)


def _read(response: Any, *, decompresses: bool) -> Iterator[bytes]:
    if hasattr(response, "read1"):
        while data := response.read1(_READ_SIZE, decode_content=decompresses):
            yield data
    elif response.chunked and response.supports_chunked_reads():
        yield from response.read_chunked(_READ_SIZE, decode_content=decompresses)
    elif hasattr(response._fp, "read1"):
        # Before 2.2, urllib3 had no such method; the file below it has.
        reads = _read_to_end(response._fp)
        yield from _decompress(reads, response.headers) if decompresses else reads
        response.release_conn()
    else:
        yield from response.stream(_READ_SIZE, decode_content=decompresses)


def _read_requests(response: Any) -> Iterator[bytes]:
    raw = response.raw
    if response._content_consumed:
        # It has been read already, as by default.
        yield from response.iter_content(_READ_SIZE)
        return
    # An adapter of the user's may have set any file.
    yield from read_urllib3(raw) if hasattr(raw, "read_chunked") else _decompress(_read_to_end(raw), response.headers)
    # So that `close` leaves the connection in the pool, and `content` raises, as after `iter_content`.
    response._content_consumed = True


def _read_file(file: Any) -> Iterator[bytes]:
    yield from _decompress(_read_to_end(file), getattr(file, "headers", None) or {})


def _read_to_end(file: Any) -> Iterator[bytes]:
    while data := file.read1(_READ_SIZE):
        yield data


def _decompress(reads: Iterator[bytes], headers: Any) -> Iterator[bytes]:
    coding = headers.get("content-encoding")
    decoder = None if coding is None else content_decoder(coding)
    return reads if decoder is None else decompress(reads, decoder)

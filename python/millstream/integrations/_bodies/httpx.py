"""Bodies of responses of httpx and httpx2, read without the client's layers for text and lines.

The client's own state is kept: a response is consumed once, is closed at its end, and counts its bytes.
"""

from __future__ import annotations

import contextlib
from collections.abc import AsyncIterator, Iterator
from typing import Any

from ...transport.httpx2_errors import as_library_error
from ...transport.httpx2_requests import find_core_stream
from ...transport.native.content_coding import ContentDecoder, UnsupportedCoding, content_decoder
from .base import DRAIN_SECONDS, AsyncBody, Body, Uncounted, adecompress, decompress

__all__ = ("HTTPXAsyncBody", "HTTPXBody", "aopen_reads", "as_client_error", "find_socket", "open_reads")


class HTTPXBody(Body):
    """The body of a response of a sync client."""

    __slots__ = ()

    def __init__(self, response: Any) -> None:
        super().__init__(response, *open_reads(response))
        self._take_head(response.status_code, response.headers)

    def client_error(self, error: Exception) -> Exception:
        """Return the error of the layer below as the client's exception."""
        return as_client_error(self.response, error)

    def _socket(self) -> Any:
        return find_socket(self.response)


class HTTPXAsyncBody(AsyncBody):
    """The body of a response of an async client."""

    __slots__ = ()

    def __init__(self, response: Any) -> None:
        super().__init__(response, *aopen_reads(response))
        self._take_head(response.status_code, response.headers)

    def client_error(self, error: Exception) -> Exception:
        """Return the error of the layer below as the client's exception."""
        return as_client_error(self.response, error)

    async def _read_on(self) -> None:
        import anyio

        with anyio.move_on_after(DRAIN_SECONDS):
            while await self.read():
                pass


def open_reads(response: Any) -> tuple[Any, Any]:
    """Return an iterator over the body's bytes, decompressed, as they arrive, and the object that counts them.

    The caller adds the size of each item to its ``_num_bytes_downloaded``, and closes the response. A body that has
    been read, or that needs the client's decompression, is read by the client.
    """
    found = _begin(response, "__iter__")
    if found is None:
        return response.iter_bytes(), Uncounted()
    stream, content = found
    if content is None:
        return iter(stream), response
    return decompress(_count(iter(stream), response), content), Uncounted()


def aopen_reads(response: Any) -> tuple[Any, Any]:
    """:func:`open_reads` for async code."""
    found = _begin(response, "__aiter__")
    if found is None:
        return response.aiter_bytes(), Uncounted()
    stream, content = found
    if content is None:
        return aiter(stream), response
    return adecompress(_acount(aiter(stream), response), content), Uncounted()


def find_socket(response: Any) -> Any:
    """Return the socket of the response's connection, if that is open and no other response uses it; else ``None``."""
    stream = response.extensions.get("network_stream")
    if stream is None or response.is_closed or response.http_version != "HTTP/1.1":
        return None
    return stream.get_extra_info("socket")


def as_client_error(response: Any, error: Exception) -> Exception:
    """Return ``error``, raised while the body was read, as the client's exception, which knows the request."""
    translated = as_library_error(response, error)
    if hasattr(type(translated), "request"):
        with contextlib.suppress(RuntimeError):
            translated.request = response.request  # type: ignore[attr-defined]
    return translated


def _begin(response: Any, method: str) -> tuple[Any, ContentDecoder | None] | None:
    """Mark the response as consumed, and return its stream and the decoder; ``None`` if the client is to read it."""
    if response.is_stream_consumed or response.is_closed or not hasattr(response.stream, method):
        return None
    coding = response.headers.get("content-encoding")
    content = None if coding is None else content_decoder(coding)
    if isinstance(content, UnsupportedCoding) and _can_decompress(response):
        return None
    response.is_stream_consumed = True
    response._num_bytes_downloaded = 0
    return _find_stream(response), content


def _can_decompress(response: Any) -> bool:
    """Return whether the client has a decoder; without one, it would pass on the compressed bytes."""
    return type(response._get_content_decoder()).__name__ != "IdentityDecoder"


def _find_stream(response: Any) -> Any:
    """Return the innermost stream: httpcore's, whose errors :func:`as_client_error` translates, or the transport's.

    Each layer around it is a generator, which costs as much as the parsing. Async ones are also not closed with
    their outer one, but left to the garbage collector.
    """
    stream = find_core_stream(response)
    if type(stream).__name__ in ("BoundSyncStream", "BoundAsyncStream"):
        stream = getattr(stream, "_stream", stream)
    return stream


def _count(reads: Iterator[bytes], response: Any) -> Iterator[bytes]:
    for data in reads:
        response._num_bytes_downloaded += len(data)
        yield data


async def _acount(reads: AsyncIterator[bytes], response: Any) -> AsyncIterator[bytes]:
    try:
        async for data in reads:
            response._num_bytes_downloaded += len(data)
            yield data
    finally:
        with contextlib.suppress(AttributeError):
            await reads.aclose()  # type: ignore[attr-defined]

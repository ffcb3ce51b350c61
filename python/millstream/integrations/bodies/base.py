"""The bases of bodies: an iterator of bytes, its errors in our terms, and how its response is drained and closed."""

from __future__ import annotations

import contextlib
from collections.abc import AsyncIterator, Iterator, Mapping, Sequence
from time import monotonic
from typing import Any

from ...errors import APIConnectionError, APITimeoutError, MillstreamError, StreamDecodeError
from ...transport.httpx2_errors import translate_error
from ...transport.native.content_coding import ContentDecoder
from ...transport.watchdog import watch

__all__ = ("DRAIN_SECONDS", "AsyncBody", "Body", "ResponseBody", "adecompress", "decompress")

DRAIN_SECONDS = 0.1
"""How long to wait for the end of a body after the stream in it has ended, so that its connection can be reused."""

_BROKEN = "the connection broke while the response was read"


class ResponseBody:
    """The shared part of the sync and the async body.

    ``status`` is the HTTP status, and ``headers`` the headers with names in lower case; ``None`` and empty for an
    iterable of bytes.
    """

    __slots__ = ("_is_ended", "headers", "response", "status")

    def __init__(self, response: Any) -> None:
        self.response = response
        self.status: int | None = None
        self.headers: Mapping[str, str] = {}
        self._is_ended = False

    def _take_head(self, status: int, headers: Any) -> None:
        self.status = status
        self.headers = {str(name).lower(): value for name, value in headers.items()}

    def client_error(self, error: Exception) -> Exception:
        """Return ``error``, raised by the reads, as the exception that the client's own methods raise."""
        return error

    def stream_error(self, error: Exception) -> Exception:
        """Return ``error``, raised by the reads, as our exception; its cause is the client's.

        An exception that is not about the connection (of a user's generator, say) is returned unchanged.
        """
        translated = _translate(error)
        if translated is None:
            return error
        kind, reason = translated
        failure = kind(f"{_BROKEN}: {reason}")
        failure.__cause__ = self.client_error(error)
        return failure


class Body(ResponseBody):
    """A body for sync code. ``reads`` is the iterator over its bytes, decompressed, as they arrive.

    Iterating over the body itself is the same, with errors translated by :meth:`stream_error`.
    """

    __slots__ = ("reads",)

    def __init__(self, response: Any, reads: Iterator[bytes]) -> None:
        super().__init__(response)
        self.reads = reads

    def __iter__(self) -> Iterator[bytes]:
        """Read the body; a second iterator continues where the first one stopped."""
        try:
            # Not `yield from`, which would close the reads with this generator, before they can be drained.
            for data in self.reads:  # noqa: UP028
                yield data
        except Exception as error:
            if (failure := self.stream_error(error)) is error:
                raise
            raise failure from failure.__cause__
        self._is_ended = True

    def drain(self) -> None:
        """Read the body to its end, for 100 ms at most, so that the connection can be reused; never raises."""
        if self._is_ended or (sock := self._socket()) is None:
            return
        end_by = monotonic() + DRAIN_SECONDS
        # The socket is shut down to interrupt a read that takes longer.
        with contextlib.suppress(Exception), watch(sock):
            for _ in self.reads:
                if monotonic() > end_by:
                    return

    def close(self) -> None:
        """Close the response, at once; never raises."""
        with contextlib.suppress(Exception):
            close = getattr(self.reads, "close", None)
            if close is not None:
                close()
        with contextlib.suppress(Exception):
            self._close_response()

    def _socket(self) -> Any:
        """Return the socket of the connection if no other response uses it, or ``None``."""
        return None

    def _close_response(self) -> None:
        close = getattr(self.response, "close", None)
        if close is not None:
            close()


class AsyncBody(ResponseBody):
    """A body for async code. ``reads`` is the async iterator over its bytes, decompressed, as they arrive."""

    __slots__ = ("reads",)

    def __init__(self, response: Any, reads: AsyncIterator[bytes]) -> None:
        super().__init__(response)
        self.reads = reads

    async def read(self) -> Sequence[bytes]:
        """Return the next bytes; empty at the end. Errors are translated by :meth:`stream_error`."""
        try:
            return (await anext(self.reads),)
        except StopAsyncIteration:
            self._is_ended = True
            return ()
        except Exception as error:
            if (failure := self.stream_error(error)) is error:
                raise
            raise failure from failure.__cause__

    async def adrain(self) -> None:
        """Read the body to its end, for 100 ms at most; raises only cancellation. See :meth:`Body.drain`."""
        if self._is_ended:
            return
        with contextlib.suppress(Exception):
            await self._read_on()

    async def aclose(self) -> None:
        """Close the response, at once; raises only cancellation."""
        try:
            # From the outside in, so that generators are closed here and not by the garbage collector.
            with contextlib.suppress(Exception):
                close = getattr(self.reads, "aclose", None)
                if close is not None:
                    await close()
        finally:
            with contextlib.suppress(Exception):
                await self._close_response()

    async def _read_on(self) -> None:
        """Read the body to its end, for 100 ms at most; there is nothing to reuse by default."""

    async def _close_response(self) -> None:
        close = getattr(self.response, "aclose", None)
        if close is not None:
            await close()


def decompress(reads: Iterator[bytes], decoder: ContentDecoder) -> Iterator[bytes]:
    """Yield what ``decoder`` makes of ``reads``, in pieces of a limited size."""
    for data in reads:
        yield from _pieces(decoder, data)
    decoder.close()


async def adecompress(reads: AsyncIterator[bytes], decoder: ContentDecoder) -> AsyncIterator[bytes]:
    """:func:`decompress` for async code; ``reads`` is closed with it."""
    try:
        async for data in reads:
            for piece in _pieces(decoder, data):
                yield piece
        decoder.close()
    finally:
        await reads.aclose()  # type: ignore[attr-defined]


def _pieces(decoder: ContentDecoder, data: bytes) -> Iterator[bytes]:
    decoder.feed(data)
    while (piece := decoder.take()) is not None:
        if piece:
            yield piece


def _translate(error: Exception) -> tuple[type[MillstreamError], str] | None:
    """Return our exception class for ``error`` and the reason, by the names of its base classes."""
    if isinstance(error, MillstreamError):
        return None
    kinds = {kind.__name__ for kind in type(error).__mro__}
    if "TimeoutError" in kinds or "TimeoutException" in kinds:
        return APITimeoutError, "nothing arrived in time"
    reason = str(error) or type(error).__name__
    if "DecodeError" in kinds:
        return StreamDecodeError, f"its body cannot be decompressed ({reason})"
    # The bases of aiohttp's exceptions, and of those of http.client.
    if "ClientError" in kinds or type(error).__module__ == "http.client":
        return APIConnectionError, reason
    return translate_error(error)

"""The bases of bodies: an iterator of bytes, its errors in our terms, and how its response is drained and closed."""

from __future__ import annotations

import contextlib
from collections.abc import AsyncIterator, Iterable, Iterator, Mapping, Sequence
from time import monotonic
from typing import Any, NoReturn

from ..._retry_after import copy_retry_after
from ...errors import APIConnectionError, APITimeoutError, MillstreamError, StreamDecodeError
from ...transport.httpx2_errors import translate_error
from ...transport.native.content_coding import ContentDecoder
from ...transport.watchdog import watch

__all__ = (
    "DRAIN_SECONDS",
    "AsyncBody",
    "Body",
    "ResponseBody",
    "Uncounted",
    "adecompress",
    "decompress",
    "drain",
    "raise_as",
)

DRAIN_SECONDS = 0.1
"""How long to wait for the end of a body after the stream in it has ended, so that its connection can be reused."""

_BROKEN = "the connection broke while the response was read"


class Uncounted:
    """Takes the number of bytes of a response that does not count them, or counts them itself."""

    __slots__ = ("_num_bytes_downloaded",)

    def __init__(self) -> None:
        self._num_bytes_downloaded = 0


class ResponseBody:
    """The shared part of the sync and the async body.

    ``status`` is the HTTP status, and ``headers`` the headers with names in lower case; ``None`` and empty for an
    iterable of bytes. ``counter`` counts the bytes that are read in its ``_num_bytes_downloaded``, as responses of
    httpx do. ``passes_errors`` says that the reads raise the client's own exceptions instead of ours.
    """

    __slots__ = ("_counter", "_is_ended", "headers", "passes_errors", "response", "status")

    def __init__(self, response: Any, counter: Any = None) -> None:
        self.response = response
        self.status: int | None = None
        self.headers: Mapping[str, str] = {}
        self.passes_errors = False
        self._counter = Uncounted() if counter is None else counter
        self._is_ended = False

    def _take_head(self, status: int, headers: Any) -> None:
        self.status = status
        self.headers = {str(name).lower(): value for name, value in headers.items()}

    def client_error(self, error: Exception) -> Exception:
        """Return ``error``, raised by the reads, as the exception that the client's own methods raise."""
        return error

    def read_error(self, error: Exception) -> Exception:
        """Return the exception to raise for ``error``, which a read raised: ours, with the client's as its cause.

        An exception that is not about the connection (of a user's generator, say) is returned unchanged.
        """
        if self.passes_errors:
            return self.client_error(error)
        translated = _translate(error)
        if translated is None:
            return error
        kind, reason = translated
        failure = kind(f"{_BROKEN}: {reason}")
        failure.__cause__ = self.client_error(error)
        return failure


class Body(ResponseBody):
    """A body for sync code: iterate over it for the bytes of ``reads``, decompressed, as they arrive.

    A second iterator continues where the first one stopped. Errors are those of :meth:`read_error`.
    """

    __slots__ = ("_reads",)

    def __init__(self, response: Any, reads: Iterator[bytes], counter: Any = None) -> None:
        super().__init__(response, counter)
        self._reads = reads

    def __iter__(self) -> Iterator[bytes]:
        """Read the body."""
        counter = self._counter
        try:
            for data in self._reads:
                counter._num_bytes_downloaded += len(data)
                yield data
        except Exception as error:
            raise_as(self.read_error(error))
        self._is_ended = True

    def drain(self) -> None:
        """Read the body to its end, for 100 ms at most, so that the connection can be reused; never raises."""
        if not self._is_ended:
            drain(self, self._socket())

    def close(self) -> None:
        """Close the response, at once; never raises."""
        with contextlib.suppress(Exception):
            close = getattr(self._reads, "close", None)
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
    """A body for async code, of the bytes of ``reads``, decompressed, as they arrive."""

    __slots__ = ("_reads",)

    def __init__(self, response: Any, reads: AsyncIterator[bytes], counter: Any = None) -> None:
        super().__init__(response, counter)
        self._reads = reads

    async def read(self) -> Sequence[bytes]:
        """Return the next bytes; empty at the end. Errors are those of :meth:`read_error`."""
        try:
            data = await anext(self._reads)
        except StopAsyncIteration:
            self._is_ended = True
            return ()
        except Exception as error:
            raise_as(self.read_error(error))
        self._counter._num_bytes_downloaded += len(data)
        return (data,)

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
                close = getattr(self._reads, "aclose", None)
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


def drain(reads: Iterable[bytes], sock: Any) -> None:
    """Read a body to its end, for 100 ms at most; never raises. Without ``sock``, its connection's, do nothing."""
    if sock is None:
        return
    end_by = monotonic() + DRAIN_SECONDS
    # The socket is shut down to interrupt a read that takes longer.
    with contextlib.suppress(Exception), watch(sock):
        for _ in reads:
            if monotonic() > end_by:
                return


def raise_as(error: Exception) -> NoReturn:
    """Raise ``error`` from its own cause, without a reference to it in this frame, which its traceback keeps.

    It has the ``retry_after`` of its cause.
    """
    try:
        copy_retry_after(error)
        if error.__cause__ is None:
            raise error
        raise error from error.__cause__
    finally:
        del error


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

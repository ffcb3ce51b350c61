"""The streams of accelerated clients of the SDKs: reading a response into chunks, and closing it, sync and async."""

from __future__ import annotations

import contextlib
from collections.abc import AsyncGenerator, AsyncIterator, Generator, Iterator
from types import AsyncGeneratorType
from typing import TYPE_CHECKING, Any, Protocol

import anyio
from anyio.lowlevel import checkpoint

from ._bodies.base import DRAIN_SECONDS, drain
from ._bodies.httpx import find_socket

if TYPE_CHECKING:
    _Stream: Any = object
else:
    _Stream = object

__all__ = ("AcceleratedAsyncStream", "AcceleratedStream", "Decoder", "adrain")


class Decoder(Protocol):
    """Decodes the bytes of one response into chunks; ``failure`` is raised after those before it."""

    ended: bool
    failure: Exception | None

    def feed(self, data: bytes) -> list[Any]:
        """Return the chunks that ``data`` completes."""

    def close(self) -> list[Any]:
        """Return the chunks that the end of the body completes, and judge that end."""

    def take_failure(self) -> Exception:
        """Return ``failure``, and forget it."""

    def translate(self, error: Exception) -> Exception | None:
        """Return the exception that the SDK raises for ``error``, raised by a read; ``None`` if that is ``error``."""


class AcceleratedStream(_Stream):  # type: ignore[misc]
    """What an accelerated class adds to the SDK's ``Stream``, which is its next base class."""

    def _make_decoder(self) -> Decoder | None:
        """Return the decoder of the chunks; ``None`` if the SDK has to decode them."""
        raise NotImplementedError

    def __stream__(self) -> Iterator[Any]:
        decoder = self._make_decoder()
        if decoder is None:
            return super().__stream__()  # type: ignore[no-any-return]
        chunks = _read_chunks(self.response, decoder)
        # From here on it closes the response if it is dropped: a generator that has not begun does not.
        next(chunks)
        return chunks

    def __iter__(self) -> Iterator[Any]:
        if getattr(self, "_observer", None) is not None:
            return super().__iter__()  # type: ignore[no-any-return]
        return self._iterator  # type: ignore[no-any-return]

    def close(self) -> None:
        """Close the response and release the connection."""
        # A generator that another thread runs ends by the error of its read.
        with contextlib.suppress(ValueError):
            if isinstance(self._iterator, Generator):
                self._iterator.close()
        super().close()


class AcceleratedAsyncStream(_Stream):  # type: ignore[misc]
    """What an accelerated class adds to the SDK's ``AsyncStream``, which is its next base class."""

    def _make_decoder(self) -> Decoder | None:
        """Return the decoder of the chunks; ``None`` if the SDK has to decode them."""
        raise NotImplementedError

    def __stream__(self) -> AsyncIterator[Any]:
        decoder = self._make_decoder()
        if decoder is None:
            return super().__stream__()  # type: ignore[no-any-return]
        chunks = _aread_chunks(self.response, decoder)
        # As in sync code; nothing is awaited up to there.
        with contextlib.suppress(StopIteration):
            chunks.asend(None).send(None)
        return chunks

    def __aiter__(self) -> AsyncIterator[Any]:
        if getattr(self, "_observer", None) is not None:
            return super().__aiter__()  # type: ignore[no-any-return]
        return self._iterator  # type: ignore[no-any-return]

    async def close(self) -> None:
        """Close the response and release the connection."""
        iterator = self._iterator
        # A generator that another task runs ends by the error of its read.
        if isinstance(iterator, AsyncGeneratorType) and not iterator.ag_running:
            await iterator.aclose()
        await super().close()


# Functions and not methods: a generator that refers to its stream would be left to the garbage collector with it.
def _read_chunks(response: Any, decoder: Decoder) -> Iterator[Any]:
    """Yield ``None``, and then the chunks."""
    try:
        yield None
        reads = response.iter_bytes()
        try:
            for data in reads:
                yield from decoder.feed(data)
                if decoder.ended:
                    break
            else:
                yield from decoder.close()
        except Exception as error:
            if (translated := decoder.translate(error)) is None:
                raise
            raise translated from error
        if decoder.failure is not None:
            raise decoder.take_failure()
        # The SDK does this for async streams alone, so that every sync stream costs it a new connection.
        drain(reads, find_socket(response))
    finally:
        response.close()


async def _aread_chunks(response: Any, decoder: Decoder) -> AsyncGenerator[Any, None]:
    """:func:`_read_chunks` for async code."""
    reads = response.aiter_bytes()
    try:
        yield None
        try:
            async for data in reads:
                for chunk in decoder.feed(data):
                    yield chunk
                if decoder.ended:
                    break
            else:
                for chunk in decoder.close():
                    yield chunk
        except Exception as error:
            if (translated := decoder.translate(error)) is None:
                raise
            raise translated from error
        if decoder.failure is not None:
            raise decoder.take_failure()
        await adrain(response)
    finally:
        await _aclose(response, reads)


async def adrain(response: Any) -> None:
    """Read the body to its end, for 100 ms at most, so that the connection can be reused; raises only cancellation."""
    if response.is_closed or response.http_version != "HTTP/1.1":
        return
    with contextlib.suppress(Exception), anyio.move_on_after(DRAIN_SECONDS):
        # Not the response's own generators, which would close it inside of the scope that is cancelled.
        async for _ in response.stream:
            # A transport that has all data already does not wait.
            await checkpoint()


async def _aclose(response: Any, reads: Any) -> None:
    """Close the response and the generator over its body, also in a task that is being cancelled.

    A generator that is not closed here would be left to a task of its own.
    """
    with anyio.CancelScope(shield=True):
        try:
            # A library that wraps the response may return another kind of iterator.
            if isinstance(reads, AsyncGenerator):
                await reads.aclose()
        finally:
            await response.aclose()

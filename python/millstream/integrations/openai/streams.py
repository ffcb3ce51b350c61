"""The classes of streams that an accelerated client returns: the SDK's, with another way from bytes to chunks."""

from __future__ import annotations

import contextlib
from collections.abc import AsyncGenerator, AsyncIterator, Generator, Iterator, Mapping
from types import AsyncGeneratorType
from typing import Any, TypeVar

from openai import AsyncStream, Stream
from openai._streaming import SSEDecoder
from openai.types import Completion
from openai.types.chat import ChatCompletionChunk
from openai.types.responses import ResponseStreamEvent

from .._bodies.base import drain
from .._bodies.httpx import find_socket
from .connections import aclose, adrain, translate_error
from .payloads import ChunkDecoder

__all__ = ("STREAM_CLASSES", "AcceleratedAsyncStream", "AcceleratedStream")

_T = TypeVar("_T")


class AcceleratedStream(Stream[_T]):
    """A ``Stream`` whose chunks are decoded and built by this package, unless the client has a decoder of its own."""

    # Whether a body that ends before its end mark is an error.
    _needs_end = False

    def __stream__(self) -> Iterator[_T]:
        if type(self._decoder) is not SSEDecoder:
            return super().__stream__()
        chunks = _read_chunks(self.response, _make_decoder(self))
        # From here on it closes the response if it is dropped: a generator that has not begun does not.
        next(chunks)
        return chunks

    def __iter__(self) -> Iterator[_T]:
        return self._iterator

    def close(self) -> None:
        """Close the response and release the connection."""
        # A generator that another thread runs ends by the error of its read.
        with contextlib.suppress(ValueError):
            if isinstance(self._iterator, Generator):
                self._iterator.close()
        super().close()


class AcceleratedAsyncStream(AsyncStream[_T]):
    """An ``AsyncStream`` whose chunks are decoded and built by this package, as those of ``AcceleratedStream``."""

    _needs_end = False

    def __stream__(self) -> AsyncIterator[_T]:
        if type(self._decoder) is not SSEDecoder:
            return super().__stream__()
        chunks = _aread_chunks(self.response, _make_decoder(self))
        # As in sync code; nothing is awaited up to there.
        with contextlib.suppress(StopIteration):
            chunks.asend(None).send(None)
        return chunks

    def __aiter__(self) -> AsyncIterator[_T]:
        return self._iterator

    async def close(self) -> None:
        """Close the response and release the connection."""
        iterator = self._iterator
        # A generator that another task runs ends by the error of its read.
        if isinstance(iterator, AsyncGeneratorType) and not iterator.ag_running:
            await iterator.aclose()
        await super().close()


# The SDK finds the class of the chunks in the bases: one of them has to be its own class with that argument.
class ChatCompletionChunkStream(AcceleratedStream[ChatCompletionChunk], Stream[ChatCompletionChunk]):
    """The stream of a chat completion."""

    _needs_end = True


class CompletionStream(AcceleratedStream[Completion], Stream[Completion]):
    """The stream of a completion."""

    _needs_end = True


class AsyncChatCompletionChunkStream(AcceleratedAsyncStream[ChatCompletionChunk], AsyncStream[ChatCompletionChunk]):
    """The stream of a chat completion."""

    _needs_end = True


class AsyncCompletionStream(AcceleratedAsyncStream[Completion], AsyncStream[Completion]):
    """The stream of a completion."""

    _needs_end = True


class ResponseStream(AcceleratedStream[ResponseStreamEvent], Stream[ResponseStreamEvent]):
    """The stream of a response."""

    _needs_end = True


class AsyncResponseStream(AcceleratedAsyncStream[ResponseStreamEvent], AsyncStream[ResponseStreamEvent]):
    """The stream of a response."""

    _needs_end = True


STREAM_CLASSES: Mapping[Any, type[Any]] = {
    Stream[ChatCompletionChunk]: ChatCompletionChunkStream,
    Stream[Completion]: CompletionStream,
    Stream[ResponseStreamEvent]: ResponseStream,
    AsyncStream[ChatCompletionChunk]: AsyncChatCompletionChunkStream,
    AsyncStream[Completion]: AsyncCompletionStream,
    AsyncStream[ResponseStreamEvent]: AsyncResponseStream,
}
"""The class that replaces each class of stream that the SDK's resources ask their client for."""


def _make_decoder(stream: Any) -> ChunkDecoder:
    # The first versions 2 keep no options.
    options = getattr(stream, "_options", None)
    return ChunkDecoder(stream._cast_to, stream.response, stream._client, options, needs_end=stream._needs_end)


# Functions and not methods: a generator that refers to its stream would be left to the garbage collector with it.
def _read_chunks(response: Any, decoder: ChunkDecoder) -> Iterator[Any]:
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
            if (translated := translate_error(error, response)) is None:
                raise
            raise translated from error
        if decoder.failure is not None:
            raise decoder.take_failure()
        # The SDK does this for async streams alone, so that every sync stream costs it a new connection.
        drain(reads, find_socket(response))
    finally:
        response.close()


async def _aread_chunks(response: Any, decoder: ChunkDecoder) -> AsyncGenerator[Any, None]:
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
            if (translated := translate_error(error, response)) is None:
                raise
            raise translated from error
        if decoder.failure is not None:
            raise decoder.take_failure()
        await adrain(response)
    finally:
        await aclose(response, reads)

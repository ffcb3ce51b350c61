"""The classes of streams that an accelerated client returns: the SDK's, with another way from bytes to chunks."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, TypeVar

from openai import AsyncStream, Stream
from openai._streaming import SSEDecoder
from openai.types import Completion
from openai.types.chat import ChatCompletionChunk
from openai.types.responses import ResponseStreamEvent

from .. import _sdk_streams as streams
from .payloads import ChunkDecoder

__all__ = ("STREAM_CLASSES", "AcceleratedAsyncStream", "AcceleratedStream")

_T = TypeVar("_T")


class AcceleratedStream(streams.AcceleratedStream, Stream[_T]):
    """A ``Stream`` whose chunks are decoded and built by this package, unless the client has a decoder of its own."""

    # Whether a body that ends before its end mark is an error.
    _needs_end = False

    def _make_decoder(self) -> ChunkDecoder | None:
        return _make_decoder(self)


class AcceleratedAsyncStream(streams.AcceleratedAsyncStream, AsyncStream[_T]):
    """An ``AsyncStream`` whose chunks are decoded and built by this package, as those of ``AcceleratedStream``."""

    _needs_end = False

    def _make_decoder(self) -> ChunkDecoder | None:
        return _make_decoder(self)


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


def _make_decoder(stream: Any) -> ChunkDecoder | None:
    if type(stream._decoder) is not SSEDecoder:
        return None
    # The first versions 2 keep no options.
    options = getattr(stream, "_options", None)
    return ChunkDecoder(stream._cast_to, stream.response, stream._client, options, needs_end=stream._needs_end)

"""The classes of streams that an accelerated client returns: the SDK's, with another way from bytes to events."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, TypeVar

from anthropic import AsyncStream, Stream
from anthropic._streaming import SSEDecoder
from anthropic.types import RawMessageStreamEvent
from anthropic.types.beta import BetaRawMessageStreamEvent

from .. import _sdk_streams as streams
from .events import EventDecoder

__all__ = ("STREAM_CLASSES", "AcceleratedAsyncStream", "AcceleratedStream")

_T = TypeVar("_T")


class AcceleratedStream(streams.AcceleratedStream, Stream[_T]):
    """A ``Stream`` whose events are decoded and built by this package, unless the client has a decoder of its own."""

    def _make_decoder(self) -> EventDecoder | None:
        return _make_decoder(self)


class AcceleratedAsyncStream(streams.AcceleratedAsyncStream, AsyncStream[_T]):
    """An ``AsyncStream`` whose events are decoded and built by this package, as those of ``AcceleratedStream``."""

    def _make_decoder(self) -> EventDecoder | None:
        return _make_decoder(self)


# The SDK finds the class of the events in the bases: one of them has to be its own class with that argument.
class MessageEvents(AcceleratedStream[RawMessageStreamEvent], Stream[RawMessageStreamEvent]):
    """The events of a message."""


class BetaMessageEvents(AcceleratedStream[BetaRawMessageStreamEvent], Stream[BetaRawMessageStreamEvent]):
    """The events of a message of the beta API."""


class AsyncMessageEvents(AcceleratedAsyncStream[RawMessageStreamEvent], AsyncStream[RawMessageStreamEvent]):
    """The events of a message."""


class AsyncBetaMessageEvents(AcceleratedAsyncStream[BetaRawMessageStreamEvent], AsyncStream[BetaRawMessageStreamEvent]):
    """The events of a message of the beta API."""


STREAM_CLASSES: Mapping[Any, type[Any]] = {
    Stream[RawMessageStreamEvent]: MessageEvents,
    Stream[BetaRawMessageStreamEvent]: BetaMessageEvents,
    AsyncStream[RawMessageStreamEvent]: AsyncMessageEvents,
    AsyncStream[BetaRawMessageStreamEvent]: AsyncBetaMessageEvents,
}
"""The class that replaces each class of stream that the SDK's resources ask their client for."""


def _make_decoder(stream: Any) -> EventDecoder | None:
    """Return the decoder; ``None`` for a client with its own, and for a stream that is traced."""
    if type(stream._decoder) is not SSEDecoder or getattr(stream, "_observer", None) is not None:
        return None
    return EventDecoder(stream._cast_to, stream.response, stream._client)

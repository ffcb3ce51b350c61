"""``WholeBody``: a response without streaming, read by the decoder of streams, so that both have the same rules."""

from collections.abc import Mapping, Sequence
from typing import Any

from .._values import FRAME_SIZE
from ..errors import EventTooLargeError, StreamDecodeError, StreamError
from .stream_decoding import DecodedStream

__all__ = ("RAW_SIZE", "WholeBody")

RAW_SIZE = 1 << 20
"""The size of the raw bytes that are kept: in errors, and for fields that deltas do not have."""


class WholeBody(DecodedStream):
    """A processor without outputs, which collects a whole response; a subclass says what of it.

    ``size`` is the limit of the response, in bytes after decompression. ``raw`` is its first megabyte.
    """

    __slots__ = ("_remaining", "_size", "headers", "raw")

    def __init__(self, format: str, *, n: int | None, size: int) -> None:
        self._size = size
        self.headers: Mapping[str, str] = {}
        super().__init__(format, None, n=n, max_event_size=size)

    def _start(self) -> None:
        super()._start()
        self._remaining = self._size
        self.raw = bytearray()

    def opened(self, body: Any) -> None:
        """Keep the headers. The decoder is not handed to the body: :meth:`feed` has to count the bytes."""
        if self._closed is not None:
            self._start()
        self.headers = body.headers

    def feed(self, data: bytes) -> Sequence[Any]:
        """Collect what ``data`` completes; there are no outputs."""
        self._remaining -= len(data)
        if len(self.raw) < RAW_SIZE:
            self.raw += data[: RAW_SIZE - len(self.raw)]
        if self._remaining < 0:
            frame = bytes(self.raw[:FRAME_SIZE])
            message = f"the response is larger than max_response_size ({self._size} bytes)"
            self.error = EventTooLargeError(message, offset=0, frame=frame)
            return ()
        self._collect(data)
        return ()

    def _collect(self, data: bytes) -> None:
        """Collect what ``data`` completes."""
        raise NotImplementedError

    def on_idle(self) -> bool:
        """Return ``True`` if the response is too large. There is no idle limit: the request has a timeout."""
        return self.error is not None

    def early_disconnect(self) -> StreamError | None:
        """Return the error if the connection broke before the first delta, and not by a timeout."""
        self._closed = self._close()
        if self.error is None and not self._has_ended() and self._disconnected_early():
            return self._disconnect_error()
        return None

    def close(self) -> Sequence[Any]:
        """Set ``error`` unless the response is complete. After a broken connection, the bytes so far are not parsed."""
        _, failure = self._closed or self._close()
        if self.error is None and self._disconnect is not None and not self._has_ended():
            self.error = self._disconnect_error()
        self.error = self.error or failure or self._check_end()
        return ()

    def _has_ended(self) -> bool:
        return self._decoder.ended not in (None, "truncated")

    def _check_end(self) -> StreamError | None:
        decoder = self._decoder
        if decoder.ended != "truncated":
            return super()._check_end()
        if self._is_object:
            # A complete JSON object is accepted, whether its choices are finished or not, and even without choices.
            return None
        if decoder.deltas_seen:
            return super()._check_end()
        return StreamDecodeError("the body is not a JSON object", offset=0, frame=bytes(self.raw[:FRAME_SIZE]))

    @property
    def _is_object(self) -> bool:
        """Whether the body begins as a JSON object does."""
        return bytes(self.raw[:FRAME_SIZE]).lstrip(b"\xef\xbb\xbf \t\r\n")[:1] == b"{"

"""``WholeResponse``: a response without streaming, read by the decoder of streams, so that both have the same rules."""

from collections.abc import Mapping, Sequence
from typing import Any

from .._backend import Delta, StreamDecoder
from .._merge import merge_info
from .._values import FRAME_SIZE, read_json
from ..errors import EventTooLargeError, StreamDecodeError, StreamError
from .stream_decoding import DecodedStream

__all__ = ("WholeResponse", "merge_finish")

# The size of the raw bytes that are kept: in errors, and for fields that deltas do not have.
_RAW_SIZE = 1 << 20


class WholeResponse(DecodedStream):
    """A processor without outputs: it collects the ``deltas`` of each choice, the usage and the metadata.

    ``size`` is the limit of the response, in bytes after decompression. ``metadata`` is the id of the response,
    the model, the system fingerprint and the service tier; ``raw`` is the first megabyte of the response.
    """

    __slots__ = ("_others", "_remaining", "_size", "deltas", "headers", "metadata", "raw", "usage")

    def __init__(self, format: str, *, n: int | None, size: int) -> None:
        self._size = size
        self.headers: Mapping[str, str] = {}
        super().__init__(format, None, n=n)

    def _start(self) -> None:
        super()._start()
        self._remaining = self._size
        # `_feed_parts` returns choice 0 only; a second decoder reads the other choices, if there may be any.
        self._others = None if self._n == 1 else self._new_decoder()
        self.raw = bytearray()
        self.deltas: dict[int, list[Delta | str]] = {}
        self.metadata: tuple[str | None, ...] = (None, None, None, None)
        self.usage: Mapping[str, Any] | None = None

    def _new_decoder(self) -> StreamDecoder:
        return StreamDecoder(self._format, n=self._n, max_event_size=self._size)

    def opened(self, body: Any) -> None:
        """Keep the headers. The decoder is not handed to the body: :meth:`feed` has to count the bytes."""
        if self._closed is not None:
            self._start()
        self.headers = body.headers

    def feed(self, data: bytes) -> Sequence[Any]:
        """Collect the deltas of ``data``; there are no outputs."""
        self._remaining -= len(data)
        if len(self.raw) < _RAW_SIZE:
            self.raw += data[: _RAW_SIZE - len(self.raw)]
        if self._remaining < 0:
            frame = bytes(self.raw[:FRAME_SIZE])
            message = f"the response is larger than max_response_size ({self._size} bytes)"
            self.error = EventTooLargeError(message, offset=0, frame=frame)
            return ()
        self._collect(self._decoder._feed_parts(data))
        if self._others is not None and not self._others.done:
            self._collect_others(self._others.feed(data))
        return ()

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
        if bytes(self.raw[:FRAME_SIZE]).lstrip(b"\xef\xbb\xbf \t\r\n")[:1] == b"{":
            # A complete JSON object is accepted, whether its choices are finished or not, and even without choices.
            return None
        if decoder.deltas_seen:
            return super()._check_end()
        return StreamDecodeError("the body is not a JSON object", offset=0, frame=bytes(self.raw[:FRAME_SIZE]))

    def _close(self) -> tuple[Sequence[Any], StreamError | None]:
        failure: StreamError | None = None
        try:
            self._collect(self._decoder._close_parts())
        except StreamError as error:
            self._collect(error.items)
            failure = error
        if self._others is not None:
            try:
                self._collect_others(self._others.close())
            except StreamError as error:
                self._collect_others(error.items)
        try:
            return (), failure
        finally:
            del failure

    def _collect(self, parts: Sequence[Any]) -> None:
        for part in parts:
            if type(part) is tuple:
                self.metadata = part
            elif type(part) is str:
                self._add(0, part)
            elif part.usage is not None:
                self.usage = part.usage
            elif part.error is None:
                self._add(0, part)

    def _collect_others(self, deltas: Sequence[Delta]) -> None:
        for delta in deltas:
            if delta.index and delta.usage is None and delta.error is None:
                self._add(delta.index, delta)

    def _add(self, index: int, delta: Delta | str) -> None:
        self.deltas.setdefault(index, []).append(delta)

    def choices(self) -> list[list[Delta | str]]:
        """Return the deltas of each choice, ordered by index; an empty list if the server sent no choices."""
        found = [self.deltas[index] for index in sorted(self.deltas)]
        return found or ([[]] if self._decoder._has_choices else [])

    def document(self) -> Mapping[str, Any]:
        """Return the JSON document, for fields that deltas do not have; empty if it is larger than ``raw``."""
        try:
            body = read_json(self.raw.decode("utf-8", "replace"))
        except (ValueError, RecursionError):
            return {}
        return body if isinstance(body, dict) else {}


def merge_finish(deltas: list[Delta | str]) -> dict[str, Any]:
    """Return the generation info of a choice: its finish reason, and its merged log probabilities."""
    full = [delta for delta in deltas if not isinstance(delta, str)]
    reasons = [delta.finish_reason for delta in full if delta.finish_reason is not None]
    logprobs = merge_info([{"logprobs": delta.logprobs} for delta in full if delta.logprobs is not None])
    return {"finish_reason": reasons[-1] if reasons else None, "logprobs": logprobs.get("logprobs")}

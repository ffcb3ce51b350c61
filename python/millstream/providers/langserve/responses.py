"""Processors of LangServe's responses: a stream of server-sent events, and a whole JSON document."""

from __future__ import annotations

import re
import time
from collections.abc import Callable, Sequence
from typing import Any

from ..._backend import ServerSentEvent, SSEParser
from ..._values import FRAME_SIZE, read_json
from ...errors import (
    APITimeoutError,
    EventTooLargeError,
    ProviderError,
    StreamDecodeError,
    StreamError,
    StreamStalledError,
    StreamTruncatedError,
)
from ...streaming.protocols import Processor
from ..stream_decoding import disconnect_error

__all__ = ("MAX_RESPONSE_SIZE", "EventStream", "WholeDocument")

MAX_RESPONSE_SIZE = 1 << 26
"""The limit of a whole response, in bytes."""

# LangServe's end mark has no data: to a parser of server-sent events it is no event.
_END = re.compile(rb"[\r\n]event: ?end(?:\r\n\r\n|\n\n|\r\r)")
_END_SIZE = 16


class _RemoteAnswer(Processor[Any]):
    """The base of both processors: how a broken connection is reported. A second body replaces the first one."""

    __slots__ = ("_disconnect", "error", "seen")

    def __init__(self) -> None:
        self.error: BaseException | None = None
        self.seen = 0
        self._disconnect: Exception | None = None

    def on_disconnect(self, error: Exception) -> None:
        """Keep the error of the connection; it is reported only if the answer was not complete."""
        self._disconnect = error

    def early_disconnect(self) -> StreamError | None:
        """Return the error if the connection broke before any answer, and not by a timeout."""
        if self._disconnect is None or isinstance(self._disconnect, APITimeoutError):
            return None
        if self.seen or self.error is not None:
            return None
        failure = self._end_error("")
        self._disconnect = None
        return failure

    def _end_error(self, message: str) -> StreamError:
        """Return the error for an answer that is not complete; ``message`` is used if the connection did not break."""
        if self._disconnect is None:
            return StreamTruncatedError(message, **self._partial())
        return disconnect_error(self._disconnect, "", self._partial())

    def _partial(self) -> dict[str, Any]:
        return {}

    def release(self) -> None:
        """Drop the errors, whose frames know this processor."""
        self.error = self._disconnect = None


class EventStream(_RemoteAnswer):
    """The processor of a stream: ``read`` returns the chunk that the JSON of an event ``data`` stands for.

    ``limit`` is how many seconds may pass without a chunk, whatever comments arrive: a server that keeps a connection
    alive may wait for ever itself. The stream ends well with the event ``end`` alone. An event ``error`` is a
    :class:`~millstream.errors.ProviderError`, whose ``error`` has LangServe's ``status_code``; a stream that just
    ends is a :class:`~millstream.errors.StreamTruncatedError`.
    """

    __slots__ = ("_idle_since", "_last_event_id", "_limit", "_parser", "_read", "_tail", "_texts", "done")

    def __init__(self, read: Callable[[Any], Any], limit: float | None = None) -> None:
        super().__init__()
        self._read = read
        self._limit = limit
        self._start()

    def _start(self) -> None:
        self._begin()
        self._last_event_id = ""
        self._texts: list[str] = []
        self._idle_since: tuple[int, float] | None = None
        self.done: list[bool] = []

    def _begin(self) -> None:
        self._parser = SSEParser()
        self._tail = b"\n"

    @property
    def last_event_id(self) -> str:
        """The id of the last whole event; ``""`` if the events have none."""
        return self._parser.last_event_id or self._last_event_id

    def restart(self) -> None:
        """Take the next data as the beginning of an event: the stream is continued after the last one."""
        self._last_event_id = self.last_event_id
        self._begin()

    def opened(self, body: object) -> None:
        """Start anew with each body."""
        self._start()

    @property
    def feed(self) -> Callable[[bytes], Sequence[Any]]:
        """The function that returns the chunks of one network read."""
        return self._feed

    def _feed(self, data: bytes) -> Sequence[Any]:
        outputs: list[Any] = []
        for event in self._parser.feed(data):
            if self.done:
                break
            self._take(event, outputs)
        joined = self._tail + data
        if b"end" in joined and _END.search(joined):
            self.done.append(True)
        self._tail = joined[-_END_SIZE - 8 :]
        if self.error is None and (failure := self._parser.failure) is not None:
            self._fail(failure)
        return outputs

    def _take(self, event: ServerSentEvent, outputs: list[Any]) -> None:
        if event.event == "end":
            self.done.append(True)
        elif event.event in ("data", "error"):
            try:
                value = event.json()
            except (ValueError, RecursionError) as error:
                frame = event.data.encode("utf-8", "replace")[:FRAME_SIZE]
                failure = StreamDecodeError(f"the event is not valid JSON: {error}", frame=frame, **self._partial())
                self._fail(failure)
                return
            if event.event == "error":
                self._fail(_remote_error(value, self._partial()))
            else:
                outputs.append(chunk := self._read(value))
                self.seen += 1
                text = chunk if type(chunk) is str else getattr(chunk, "content", None)
                if type(text) is str:
                    self._texts.append(text)

    def on_idle(self) -> bool:
        """Set ``error`` and return ``True`` if no chunk has arrived for as long as the limit."""
        now = time.monotonic()
        if self._idle_since is None or self._idle_since[0] != self.seen:
            self._idle_since = self.seen, now
        if self._limit is None or now - self._idle_since[1] < self._limit:
            return False
        message = f"nothing but keep-alives arrived for {self._limit:g} s"
        self._fail(StreamStalledError(message, **self._partial()))
        return True

    def _fail(self, error: BaseException) -> None:
        self.error = error
        self.done.append(True)

    def close(self) -> Sequence[Any]:
        """Set ``error`` unless the stream ended with its end mark."""
        if not self.done:
            self.error = self._end_error("the stream ended before its end event")
        return ()

    def _partial(self) -> dict[str, Any]:
        return {"text": "".join(self._texts), "deltas_seen": self.seen}


def _remote_error(value: Any, partial: dict[str, Any]) -> ProviderError:
    error = dict(value) if isinstance(value, dict) else {"message": str(value)}
    message = str(error.get("message") or "the remote Runnable failed")
    return ProviderError(message, error={**error, "message": message}, **partial)


class WholeDocument(_RemoteAnswer):
    """The processor of a whole response, without outputs; :meth:`document` returns its JSON object."""

    __slots__ = ("_data", "done")

    def __init__(self) -> None:
        super().__init__()
        self.done: list[bool] = []
        self._data = bytearray()

    def opened(self, body: object) -> None:
        """Start anew with each body."""
        self._data = bytearray()

    @property
    def feed(self) -> Callable[[bytes], Sequence[Any]]:
        """The function that keeps one network read."""
        return self._feed

    def _feed(self, data: bytes) -> Sequence[Any]:
        self._data += data
        self.seen += 1
        if len(self._data) > MAX_RESPONSE_SIZE:
            self.error = EventTooLargeError(
                f"the response is larger than {MAX_RESPONSE_SIZE} bytes", frame=bytes(self._data[:FRAME_SIZE])
            )
            self.done.append(True)
        return ()

    def close(self) -> Sequence[Any]:
        """Set ``error`` if the connection broke."""
        if self.error is None and self._disconnect is not None:
            self.error = self._end_error("")
        return ()

    def document(self) -> dict[str, Any]:
        """Return the JSON object; raises :class:`~millstream.errors.StreamDecodeError` if it is not one."""
        try:
            document: Any = read_json(self._data.decode("utf-8", "replace"))
        except (ValueError, RecursionError):
            document = None
        if not isinstance(document, dict) or "output" not in document:
            frame = bytes(self._data[:FRAME_SIZE])
            raise StreamDecodeError("the response is not a JSON object with an output", offset=0, frame=frame)
        return document

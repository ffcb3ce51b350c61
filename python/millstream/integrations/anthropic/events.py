"""``EventDecoder``: the bytes of a response's body to the events of the SDK, for sync and async streams alike."""

from __future__ import annotations

import json
from typing import Any

import anthropic

from ..._backend import SSEParser
from ...errors import StreamTruncatedError
from .._shapes import Shapes

__all__ = ("EventDecoder",)

_MAX_EVENT_SIZE = 64 << 20
# The SDK passes over these, and over events without a name, which the parser calls "message".
_PASSED_OVER = ("ping", "message")
_END = "message_stop"


class EventDecoder:
    """Decodes the stream of one message.

    ``feed`` and ``close`` return the events that are complete. ``ended`` is ``True`` after the last event of a message
    or an error. ``failure`` is then the exception to raise after those events, or ``None``. A body that ends before
    the last event is an error.

    The SDK's client builds an event; one that differs from an earlier one in its text alone is a copy of that.
    """

    __slots__ = ("_cast_to", "_client", "_parser", "_response", "_seen", "_shapes", "ended", "failure")

    def __init__(self, cast_to: Any, response: Any, client: Any) -> None:
        self._cast_to = cast_to
        self._response = response
        self._client = client
        self._parser = SSEParser(max_event_size=_MAX_EVENT_SIZE, eof="flush")
        is_usual = not client._strict_response_validation and "_process_response_data" not in vars(client)
        # The function refers to the client and the response, and not to this object.
        self._shapes = Shapes(lambda data: _build(client, data, cast_to, response)) if is_usual else None
        self._seen = 0
        self.ended = False
        self.failure: Exception | None = None

    def feed(self, data: bytes) -> list[Any]:
        """Return the events that ``data`` completes."""
        events = self._read(self._parser.feed(data))
        if self._parser.failure is not None and not self.ended:
            error = anthropic.APIError(str(self._parser.failure), self._response.request, body=None)
            error.__cause__ = self._parser.failure
            self._fail(error)
        return events

    def close(self) -> list[Any]:
        """Return the event that the end of the body completes, and judge that end."""
        events = [] if self.ended else self._read([one for one in self._parser.close() if _is_whole(one.data)])
        if not self.ended:
            what = "the stream ended before its end mark"
            error = anthropic.APIConnectionError(message=what, request=self._response.request)
            error.__cause__ = StreamTruncatedError(what, deltas_seen=self._seen)
            self._fail(error)
        return events

    def translate(self, error: Exception) -> Exception | None:
        """Return ``None``: the SDK raises the HTTP library's own exceptions from a stream."""
        return None

    def take_failure(self) -> Exception:
        """Return ``failure``, and forget it: its traceback will refer to the frame that has this decoder."""
        failure, self.failure = self.failure, None
        assert failure is not None
        return failure

    def _read(self, found: list[Any]) -> list[Any]:
        shapes = self._shapes
        events: list[Any] = []
        for event in found:
            if event.event in _PASSED_OVER or not event.data or event.data.startswith("[DONE]"):
                continue
            made = shapes.read(event.data) if shapes is not None else None
            try:
                events.append(self._build(event) if made is None else made)
            except Exception as error:
                self._fail(error)
            if event.event == _END:
                self.ended = True
            if self.ended:
                break
        self._seen += len(events)
        return events

    def _build(self, event: Any) -> Any:
        """Return an event whose shape is not known; raise the SDK's exception for an error."""
        if event.event == "error":
            raise self._error(event.data)
        made = _build(self._client, json.loads(event.data), self._cast_to, self._response)
        if self._shapes is not None:
            self._shapes.learn(event.data)
        return made

    def _error(self, data: str) -> Exception:
        body: Any = data
        try:
            body = json.loads(data)
            message = f"{body}"
        except ValueError:
            message = data or f"Error code: {self._response.status_code}"
        error: Exception = self._client._make_status_error(message, body=body, response=self._response)
        return error

    def _fail(self, error: Exception) -> None:
        self.failure = error
        self.ended = True


def _build(client: Any, data: Any, cast_to: Any, response: Any) -> Any:
    return client._process_response_data(data=data, cast_to=cast_to, response=response)


def _is_whole(payload: str) -> bool:
    """Return whether the data of an event without its blank line is all there."""
    try:
        json.loads(payload)
    except ValueError:
        return False
    return True

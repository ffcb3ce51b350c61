"""``ChunkDecoder``: the bytes of a response's body to the objects of the SDK, for sync and async streams alike."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from typing import Any

import openai
from openai._models import FinalRequestOptions

from ..._backend import SSEParser
from ...errors import StreamTruncatedError
from .._shapes import Shapes
from .connections import translate_error
from .models import builder, union_builder

__all__ = ("MAX_EVENT_SIZE", "ChunkDecoder")

MAX_EVENT_SIZE = 64 << 20
"""The size of the largest event, in bytes. The SDK has no limit, and promises 32 MiB."""

_END_MARK = "[DONE]"
# Stands for the one response of a stream of the Responses API, beside the indexes of choices.
_RESPONSE = "response"
_ENDS = ("response.completed", "response.incomplete", "response.failed", "response.cancelled", "error")


class ChunkDecoder:
    """Decodes the stream of one response, whose chunks are of the class ``cast_to``.

    ``feed`` and ``close`` return the chunks that are complete. ``ended`` is ``True`` after the end mark or an
    error. ``failure`` is then the exception to raise after those chunks, or ``None``.

    ``needs_end`` says that a body which ends early is an error: before its end mark, with a choice that has no
    finish reason. An event that the end of the body leaves without its blank line still counts then.
    """

    __slots__ = (
        *("_begun", "_build", "_cast_to", "_client", "_finished", "_is_legacy", "_is_wrapped"),
        *("_needs_end", "_parser", "_response", "_seen", "_shapes", "ended", "failure"),
    )

    def __init__(
        self, cast_to: Any, response: Any, client: Any, options: FinalRequestOptions | None, *, needs_end: bool
    ) -> None:
        self._cast_to = cast_to
        self._response = response
        self._client = client
        self._needs_end = needs_end
        # In the other mode, which version 3 has for agents, an ``error`` field is data.
        self._is_legacy = getattr(options, "stream_mode", "legacy") == "legacy"
        self._is_wrapped = bool(getattr(options, "synthesize_event_and_data", None))
        self._parser = SSEParser(max_event_size=MAX_EVENT_SIZE, eof="flush" if needs_end else "discard")
        self._build = _find_builder(cast_to, client)
        self._shapes = None if self._build is None else Shapes(self._build)
        self._begun: set[Any] = set()
        self._finished: set[Any] = set()
        self._seen = 0
        self.ended = False
        self.failure: Exception | None = None

    def feed(self, data: bytes) -> list[Any]:
        """Return the chunks that ``data`` completes."""
        chunks: list[Any] = []
        self._read(self._parser.feed(data), chunks)
        if self._parser.failure is not None and not self.ended:
            self._fail(self._error(str(self._parser.failure), None, cause=self._parser.failure))
        return chunks

    def close(self) -> list[Any]:
        """Return the chunk that the end of the body completes, and judge that end."""
        chunks: list[Any] = []
        if not self.ended:
            last = [event for event in self._parser.close() if _is_whole(event.data)]
            self._read(last, chunks)
        if not self.ended and self._needs_end and not (self._begun and self._begun <= self._finished):
            self._fail(self._truncated_error())
        self.ended = True
        return chunks

    def _read(self, events: list[Any], chunks: list[Any]) -> None:
        shapes = self._shapes
        for event in events:
            payload = event.data
            if shapes is not None and _is_data(event.event):
                chunk = shapes.read(payload)
                if chunk is not None:
                    chunks.append(chunk)
                    continue
            try:
                self._read_event(event, chunks)
            except Exception as error:
                self._fail(error)
            if self.ended:
                break
        self._seen += len(chunks)

    def _read_event(self, event: Any, chunks: list[Any]) -> None:
        """Read an event whose shape is not known; add its chunk to ``chunks``."""
        payload = event.data
        if payload.startswith(_END_MARK):
            self.ended = True
            return
        # An event without data is for the parser alone. The SDK fails on it.
        if not payload:
            return
        data = json.loads(payload)
        is_thread = self._is_legacy and event.event.startswith("thread.")
        if self._is_legacy and isinstance(data, dict) and not is_thread:
            self._check_error(event.event, data)
        if is_thread or self._is_wrapped:
            data = {"data": data, "event": None if event.event == "message" else event.event}
        if self._build is None or type(data) is not dict:
            chunks.append(
                self._client._process_response_data(data=data, cast_to=self._cast_to, response=self._response)
            )
            return
        chunks.append(self._build(data))
        if self._needs_end:
            self._note_choices(data.get("choices"))
            self._note_response(data.get("type"))
        if self._shapes is not None and _is_data(event.event):
            self._shapes.learn(payload)

    def _check_error(self, event: str, data: dict[str, Any]) -> None:
        """Raise the SDK's exception if the event reports an error."""
        body = data.get("error")
        if not body:
            # The Responses API has an event for errors, which is an object of its own.
            if event != "error" or data.get("type") == "error":
                return
            body = data
        message = body.get("message") if isinstance(body, Mapping) else None
        if not message or not isinstance(message, str):
            message = "An error occurred during streaming"
        raise self._error(message, body)

    def _note_choices(self, choices: Any) -> None:
        """Note which choices have begun, and which have their finish reason."""
        for place, choice in enumerate(choices if type(choices) is list else ()):
            if type(choice) is dict:
                index = choice.get("index")
                index = index if type(index) is int else place
                self._begun.add(index)
                if choice.get("finish_reason"):
                    self._finished.add(index)

    def _note_response(self, kind: Any) -> None:
        """Note whether a response has begun, and whether it has ended."""
        if type(kind) is str and kind.startswith("response."):
            self._begun.add(_RESPONSE)
        if kind in _ENDS:
            self._finished.add(_RESPONSE)

    def translate(self, error: Exception) -> Exception | None:
        """Return the exception that the SDK raises for ``error``, raised by a read; ``None`` if that is ``error``."""
        return translate_error(error, self._response)

    def take_failure(self) -> Exception:
        """Return ``failure``, and forget it: its traceback will refer to the frame that has this decoder."""
        failure, self.failure = self.failure, None
        assert failure is not None
        return failure

    def _fail(self, error: Exception) -> None:
        self.failure = error
        self.ended = True

    def _error(self, message: str, body: Any, cause: Exception | None = None) -> openai.APIError:
        error = openai.APIError(message, self._response.request, body=body)
        error.__cause__ = cause
        return error

    def _truncated_error(self) -> openai.APIError:
        what = "the stream ended before its end mark"
        error = openai.APIConnectionError(message=what, request=self._response.request)
        error.__cause__ = StreamTruncatedError(what, deltas_seen=self._seen)
        return error


def _find_builder(cast_to: Any, client: Any) -> Callable[[dict[str, Any]], Any] | None:
    """Return the function that builds an object; ``None`` if the SDK does more than construct one of ``cast_to``."""
    if client._strict_response_validation or "_process_response_data" in vars(client):
        return None
    if not isinstance(cast_to, type):
        return union_builder(cast_to)
    return builder(cast_to) if issubclass(cast_to, openai.BaseModel) and not hasattr(cast_to, "build") else None


def _is_data(event: str) -> bool:
    """Return whether the data of an event of this name is an object, whatever the name."""
    return event == "message" or event.startswith("response.")


def _is_whole(payload: str) -> bool:
    """Return whether the data of an event without its blank line is all there."""
    if payload.startswith(_END_MARK):
        return True
    try:
        json.loads(payload)
    except ValueError:
        return False
    return True

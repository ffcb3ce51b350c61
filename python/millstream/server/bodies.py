"""The bodies of responses: streams of records as they are, and other iterators with the same attributes.

Nothing here knows of an event loop or a web framework.
"""

from __future__ import annotations

from collections.abc import AsyncIterable, AsyncIterator, Callable, Iterable, Iterator, Mapping
from math import inf
from typing import Any, Protocol

from .._backend import ServerSentEvent, encode_sse
from ..errors import UnsupportedError
from ..streaming.inputs import aclose_iterator, close_iterator
from ..streaming.stream import AsyncStream, Stream
from ..wires.names import Wire, WireOptions
from ..wires.record_stream import record_chunks, record_sync_chunks
from .errors import error_record

__all__ = (
    "AsyncItems",
    "RecordBody",
    "SyncItems",
    "as_body",
    "as_sync_body",
    "check_limit",
    "check_slow_client",
    "response_headers",
)

_EVENT_STREAM = "text/event-stream; charset=utf-8"
_OWN = {"cache-control": "no-cache, no-transform", "x-accel-buffering": "no"}
_HOP_BY_HOP = {"connection", "content-length", "keep-alive", "transfer-encoding", "upgrade"}


class RecordBody(Protocol):
    """The interface of a response's body: that of :class:`~millstream.wires.record_stream.RecordStream`.

    It is an iterator of ``bytes`` too, with ``close`` or ``aclose``. ``wire`` is the name of the wire, or ``None``.
    """

    @property
    def wire(self) -> str | None:
        """The name of the wire; ``None`` if there is none."""

    @property
    def media_type(self) -> str:
        """The content type."""

    @property
    def headers(self) -> Mapping[str, str]:
        """The other headers."""

    @property
    def ping(self) -> bytes:
        """Bytes that keep a silent connection alive; empty where there are none."""

    def fail(self, error: BaseException, /) -> bytes:
        """Return the record of an error, and the end; empty where the connection has to be cut."""


class _Items:
    """An iterator of bytes, strings and server-sent events as a body without a wire.

    Strings and events are encoded as server-sent events, and an error after them is an event too. Bytes are sent
    as they are; an error after bytes cuts the connection, since their framing is not known.
    """

    wire: str | None = None
    media_type = _EVENT_STREAM
    headers: Mapping[str, str] = {}
    # One line end: some clients take a comment with a blank line for an event if an id precedes it.
    ping = b": keep-alive\n"

    can_snapshot = False

    _has_bytes = False

    def fail(self, error: BaseException, /) -> bytes:
        """Return an event of type ``error``; nothing after bytes."""
        return b"" if self._has_bytes else error_record(error)

    def set_media_type(self, media_type: str) -> None:
        """Set the caller's content type: there are comments and error events in event streams alone."""
        self.media_type = media_type
        if not media_type.startswith("text/event-stream"):
            self.ping, self._has_bytes = b"", True

    def _encode(self, item: object) -> bytes:
        if type(item) is bytes:
            self._has_bytes = True
            return item
        return _encode_item(item)


class AsyncItems(_Items):
    """Items of an async iterator."""

    def __init__(self, items: AsyncIterable[Any]) -> None:
        self._items = aiter(items)

    def __aiter__(self) -> AsyncIterator[bytes]:
        return self

    async def __anext__(self) -> bytes:
        """Return the next item as bytes."""
        return self._encode(await anext(self._items))

    async def aclose(self) -> None:
        """Close the iterator, if it can be closed."""
        await aclose_iterator(self._items)


class SyncItems(_Items):
    """Items of an iterator, for sync code."""

    def __init__(self, items: Iterable[Any]) -> None:
        self._items = iter(items)

    def __iter__(self) -> Iterator[bytes]:
        return self

    def __next__(self) -> bytes:
        """Return the next item as bytes."""
        return self._encode(next(self._items))

    def close(self) -> None:
        """Close the iterator, if it can be closed."""
        close_iterator(self._items)


def as_body(content: Any, wire: Wire | None, *, include_input: bool) -> RecordBody:
    """Return ``content`` as records: its own, those of ``wire``, or server-sent events."""
    if not hasattr(content, "__aiter__"):
        raise TypeError(
            f"the content of a response is an async stream or iterator, not {type(content).__name__}:"
            " write `model.astream_records(...)`, without `await`"
        )
    body: RecordBody = _make_body(content, wire, include_input, AsyncStream, AsyncItems, record_chunks)
    return body


def as_sync_body(content: Any, wire: Wire | None, *, include_input: bool) -> Any:
    """:func:`as_body` for sync code."""
    # Our async streams have an ``__iter__``, which says what to write. A whole answer has one as well.
    is_whole = isinstance(content, str | bytes | Mapping) or hasattr(content, "model_dump")
    if is_whole or hasattr(content, "__aiter__") or not hasattr(content, "__iter__"):
        raise TypeError(
            f"the content of a WSGI response is a sync stream or iterator, not {type(content).__name__}:"
            " write `model.stream_records(...)`, or use an ASGI server and `EventStreamResponse`"
        )
    return _make_body(content, wire, include_input, Stream, SyncItems, record_sync_chunks)


def _make_body(
    content: Any,
    wire: Wire | None,
    include_input: bool,
    own: type,
    as_items: Callable[[Any], Any],
    record: Callable[[Any, Wire | None], Any],
) -> Any:
    """Return the body of ``content``, which has records, is a stream of the class ``own``, or has items."""
    if hasattr(content, "media_type") and hasattr(content, "fail"):
        _check_wire(content, wire)
    elif wire is None and not isinstance(content, own) and getattr(content, "wire", None) is None:
        return as_items(content)
    else:
        content = record(content, wire)
    make_lean = None if include_input else getattr(content, "lean", None)
    return content if make_lean is None else make_lean()


def _encode_item(item: object) -> bytes:
    """Return ``item`` as bytes: bytes as they are, a string or an event as a server-sent event."""
    if isinstance(item, str):
        return encode_sse(item)
    if isinstance(item, ServerSentEvent):
        event = None if item.event == "message" else item.event
        return encode_sse(item.data, event=event, id=item.id or None, retry=item.retry)
    if isinstance(item, bytes | bytearray | memoryview):
        return bytes(item)
    raise TypeError(f"a response sends bytes, strings and ServerSentEvents, not {type(item).__name__}: name a `wire`")


def response_headers(body: RecordBody, given: Mapping[str, str] | None) -> list[tuple[str, str]]:
    """Return the headers of a response: those of a stream, those of its body, and those ``given``, which win.

    Names are in lower case. Headers of the framing are left out: the server writes them.
    """
    headers = {"content-type": body.media_type, **_OWN, **{name.lower(): value for name, value in body.headers.items()}}
    if given:
        headers.update((name.lower(), value) for name, value in given.items())
    if isinstance(body, _Items):
        body.set_media_type(headers["content-type"])
    return [(name, value) for name, value in headers.items() if name not in _HOP_BY_HOP]


def _check_wire(body: RecordBody, wire: Wire | None) -> None:
    """Raise :class:`ValueError` if ``wire`` is another one than that of the records in ``body``."""
    name = wire.name if isinstance(wire, WireOptions) else wire
    if name is not None and name != body.wire:
        raise ValueError(f"the stream has records of the wire {body.wire!r} already, not of {name!r}")


def check_limit(seconds: float | None, name: str) -> float:
    """Return the limit of a wait, infinity for ``None``; raises :class:`ValueError` if it is not a time."""
    if seconds is None:
        return inf
    if seconds <= 0:
        raise ValueError(f"{name} must be greater than 0, or None, not {seconds!r}")
    return seconds


def check_slow_client(body: RecordBody, policy: str) -> bool:
    """Return whether records may be dropped for a slow client; raise where the wire has no record to replace them.

    A body that does not say so has a way of its own: it is read at the client's pace.
    """
    if policy not in ("wait", "snapshot"):
        raise ValueError(f"slow_client must be 'wait' or 'snapshot', not {policy!r}")
    can_snapshot = getattr(body, "can_snapshot", None)
    if policy == "wait" or can_snapshot is None:
        return False
    if not can_snapshot:
        described = "a stream without a wire" if body.wire is None else f"the wire {body.wire!r}"
        raise UnsupportedError(f"{described} has no record for a snapshot: choose slow_client='wait', or another wire")
    return True

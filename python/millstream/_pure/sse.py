"""Server-sent events, as the WHATWG HTML specification has them (9.2.5, 9.2.6), and back.

What is quoted here is quoted from https://html.spec.whatwg.org/multipage/server-sent-events.html.
"""

import re
from collections.abc import Iterable, Iterator
from typing import Any, NoReturn, Self, final

from .._values import as_bytes, check_event_size, check_option, read_json
from ..errors import EventTooLargeError
from .frames import MAX_RETRY, Block, Frames, too_large_message
from .httpx_event import HTTPXServerSentEvent
from .text import join_surrogates
from .turns import Turns, closes, feeds
from .value import Value

__all__ = ("SSEParser", "ServerSentEvent", "encode_sse")

_LINE_END = re.compile(rb"\r\n|\r|\n")

# A read up to this length, in bytes, has too few events for cutting it at its blank lines to pay.
_SHORT_READ = 4096


# As much data of an event may wait for its end, in bytes: the string that it becomes would take as much again.
_HELD = 1 << 19


# So many bytes are counted together: setting an attribute costs a third of what an event does.
_COUNTED = 4096


@final
class ServerSentEvent(Value):
    """One event of a stream: immutable, comparable, picklable.

    ``event`` is its type, ``data`` the data lines joined by LF, ``id`` the last event ID of the
    stream as of this event, ``retry`` the reconnection time in milliseconds that came in the
    event's own block, or ``None``.

    >>> from millstream import ServerSentEvent
    >>> ServerSentEvent(data='{"ok": true}').json()
    {'ok': True}
    """

    __module__ = "millstream"
    __slots__ = ()
    __match_args__ = ("event", "data", "id", "retry")
    _fields: tuple[str, str, str, int | None]

    def __new__(cls, event: str = "message", data: str = "", id: str = "", retry: int | None = None) -> Self:
        return cls._checked((event, data, id, retry))

    @property
    def event(self) -> str:
        """The event's type: ``"message"`` where the stream named none."""
        return self._fields[0]

    @property
    def data(self) -> str:
        """The data lines, joined by LF."""
        return self._fields[1]

    @property
    def id(self) -> str:
        """The last event ID of the stream as of this event: ``""`` if it never had one."""
        return self._fields[2]

    @property
    def retry(self) -> int | None:
        """The reconnection time in milliseconds from this event's own block, or ``None``."""
        return self._fields[3]

    def json(self) -> Any:
        """Return the data as JSON; raises ``json.JSONDecodeError``, a ``ValueError``, if it is not valid JSON.

        Lone surrogates become U+FFFD.
        """
        return read_json(self.data)


@final
class SSEParser(Turns):
    r"""Parses server-sent events, exactly as the WHATWG HTML specification says.

    >>> from millstream import SSEParser
    >>> parser = SSEParser()
    >>> parser.feed(b"event: greeting\ndata: Hel")
    []
    >>> parser.feed(b"lo\n\n")
    [ServerSentEvent(event='greeting', data='Hello', id='', retry=None)]

    ``feed`` takes the bytes of the network reads, cut anywhere; an event comes out with the byte
    that completes it. Bytes that are not UTF-8 become U+FFFD, one per maximal invalid subpart.

    ``max_event_size``
        the most bytes of one event: the current line (a comment too) plus the field values of the event so
        far. A parser and the event it returns take up to three times as much memory. A larger event ends the
        parsing: ``failure`` is an :class:`~millstream.errors.EventTooLargeError`, which later calls raise.
    ``eof``
        what becomes of an event that the end of the stream leaves without its blank line: ``"discard"`` is
        the specification's answer, ``"flush"`` dispatches it.
    """

    __module__ = "millstream"
    __slots__ = (
        "_bytes_counted",
        "_closed",
        "_dispatched",
        "_flush",
        "_frames",
        "_last_event_id",
        "_limit",
        "_truncated",
    )

    def __init__(self, *, max_event_size: int = 16777216, eof: str = "discard") -> None:
        super().__init__()
        self._limit = check_event_size(max_event_size)
        self._flush = check_option("eof", eof, ("discard", "flush")) == "flush"
        self._frames = Frames(self._limit, held=_HELD)
        self._dispatched = 0
        # How many bytes the counted calls read.
        self._bytes_counted = 0
        self._last_event_id = ""
        self._closed = False
        self._truncated = False

    @property
    def last_event_id(self) -> str:
        """The last event ID of the stream, as of the last blank line; ``""`` at first."""
        return self._last_event_id

    @property
    def retry(self) -> int | None:
        """The reconnection time of the stream in milliseconds, or ``None`` if it never set one."""
        return self._frames.retry

    @property
    def truncated(self) -> bool:
        """Whether the stream, now closed, ended inside an event or a line. ``False`` before ``close``."""
        return self._truncated

    @property
    def failure(self) -> EventTooLargeError | None:
        """The error that ended the parsing, or ``None``; later calls raise it."""
        failure: EventTooLargeError | None = self._find_failure()
        return failure

    @feeds
    def feed(self, data: bytes) -> list[ServerSentEvent]:
        """Return the events that ``data`` completes.

        The call that meets an event too large returns what came before it and sets ``failure``.
        Raises ``TypeError`` if ``data`` is not bytes, and ``ValueError`` after ``close``.
        """
        if type(data) is not bytes:
            data = as_bytes(data)
        if self._closed:
            raise ValueError("feed() after close()")
        frames = self._frames
        if frames.too_large is not None or self._interrupted:
            self._check_sound()
        if frames.lines.carry and frames.grow(data):
            return []
        value = frames.whole_frame(data)
        if value is not None:
            self._dispatched += 1
            return [ServerSentEvent._made(("message", value.decode("utf-8", "replace"), self._last_event_id, None))]
        events: list[ServerSentEvent] = []
        if len(data) > _SHORT_READ and frames.can_be_cut(data):
            data = self._read_ordinary(data, events)
        self._read_lines(data, events)
        return events

    def _feed_counted(self, data: bytes, counter: Any) -> HTTPXServerSentEvent | list[HTTPXServerSentEvent]:
        """Do what ``feed`` does, with the events of httpx-sse's interface, and count the bytes of a response.

        A single event is returned alone, in no list, unless one after it is too large. ``counter`` gets the number of
        bytes so far as its ``_num_bytes_downloaded``, about every 4 KiB; ``_counted`` is exact.
        """
        data = as_bytes(data)
        before = self._bytes_counted
        self._bytes_counted = before + len(data)
        if self._bytes_counted // _COUNTED != before // _COUNTED:
            counter._num_bytes_downloaded = self._bytes_counted
        events = [HTTPXServerSentEvent._made(event._fields) for event in self.feed(data)]
        return events[0] if len(events) == 1 and self._frames.too_large is None else events

    @property
    def _counted(self) -> int:
        """The number of bytes that ``_feed_counted`` read."""
        return self._bytes_counted

    def _iterate_counted(self, reads: Iterable[bytes], counter: Any) -> Iterator[HTTPXServerSentEvent]:
        """Return an iterator over the events of the data that ``reads`` yields: see ``_feed_counted``.

        It ends with ``close``, before the next read if an event is too large.
        """
        for data in reads:
            found = self._feed_counted(data, counter)
            if isinstance(found, list):
                yield from found
            else:
                yield found
            if self._frames.too_large is not None:
                break
        self.close()

    @closes
    def close(self) -> list[ServerSentEvent]:
        """End the stream, and return the unfinished event if ``eof`` is ``"flush"``.

        Raises ``failure`` if there is one. Closing again returns an empty list.
        """
        events: list[ServerSentEvent] = []
        if not self._closed:
            self._closed = True
            block = self._frames.close(keep=self._flush)
            self._truncated = self._frames.is_unfinished
            if self._flush and self._frames.too_large is None:
                self._dispatch(block, events)
        self._check_sound()
        return events

    def _read_ordinary(self, data: bytes, events: list[ServerSentEvent]) -> bytes:
        """Read ``data``, which can be cut, as far as its blocks are ordinary ones; return the rest."""
        frames = self._frames
        if not frames.at_start:
            head, end, data = data.partition(b"\n\n")
            self._read_lines(head + end, events)
            if frames.too_large is not None:
                return b""
        values, rest = frames.take_ordinary(data)
        id, make = self._last_event_id, ServerSentEvent._made
        events += [make(("message", value.decode("utf-8", "replace"), id, None)) for value in values]
        self._dispatched += len(values)
        return rest

    def _read_lines(self, data: bytes, events: list[ServerSentEvent]) -> None:
        for block in self._frames.feed(data):
            self._dispatch(block, events)

    def _dispatch(self, block: Block, events: list[ServerSentEvent]) -> None:
        """Make an event of ``block``.

        "Set the last event ID string of the event source to the value of the last event ID buffer.
        The buffer does not get reset [...]. If the data buffer is an empty string, set the data
        buffer and the event type buffer to the empty string and return." The data buffer is empty
        where there was no data field at all: one with an empty value leaves a LF in it.
        """
        if block.id is not None:
            self._last_event_id = block.id.decode("utf-8", "replace")
        if block.data:
            event = block.event.decode("utf-8", "replace") if block.event else "message"
            data = b"\n".join(block.data).decode("utf-8", "replace")
            if block.taken is not None:
                data = block.taken.text.finish(data)
            events.append(ServerSentEvent._made((event, data, self._last_event_id, block.retry)))
            self._dispatched += 1

    def _make_failure(self) -> EventTooLargeError | None:
        if self._frames.too_large is None:
            return None
        offset, frame = self._frames.too_large
        return EventTooLargeError(
            too_large_message(self._limit), offset=offset, frame=frame, deltas_seen=self._dispatched
        )

    def __repr__(self) -> str:
        return "<millstream.SSEParser>"

    def __reduce__(self) -> NoReturn:
        raise TypeError("SSEParser objects cannot be pickled")


def encode_sse(
    data: str | bytes | None,
    *,
    event: str | None = None,
    id: str | None = None,
    retry: int | None = None,
    comment: str | bytes | None = None,
) -> bytes:
    r"""Return one event as bytes: comment, event, id, retry and data lines, then a blank line.

    ``data`` and ``comment`` become as many lines as they have, split at CRLF, CR and LF, so that
    parsing gives the data back with LF line ends; bytes are written as they are, and ``None``
    writes no line. ``retry`` is in milliseconds. What would let a value end its line raises
    ``ValueError``: CR or LF in ``event``, CR, LF or NUL in ``id``; so does a ``retry`` that is not
    an integer from 0 to 2**64 - 1. Other types raise ``TypeError``.

    >>> from millstream import encode_sse
    >>> encode_sse("two\nlines", event="greeting", id="7")
    b'event: greeting\nid: 7\ndata: two\ndata: lines\n\n'
    """
    lines = {
        "data": _lines("data", data),
        "event": _value("event", event),
        "id": _value("id", id),
        "comment": _lines("comment", comment),
        "retry": _milliseconds(retry),
    }
    if any(_LINE_END.search(value) for value in lines["event"]):
        raise ValueError("event must not contain CR or LF")
    if any(_LINE_END.search(value) or b"\0" in value for value in lines["id"]):
        raise ValueError("id must not contain CR, LF or NUL")
    out = [b": " + line if line else b":" for line in lines["comment"]]
    for name in ("event", "id", "retry", "data"):
        out += [name.encode() + b": " + line for line in lines[name]]
    return b"\n".join([*out, b"", b""]) if out else b"\n"


encode_sse.__module__ = "millstream"


def _lines(name: str, text: object) -> list[bytes]:
    """Return the lines of ``text``, the argument ``name``; a line end at its end leaves an empty one."""
    if text is None:
        return []
    if isinstance(text, str):
        text = join_surrogates(text).encode()
    if not isinstance(text, bytes):
        raise TypeError(f"{name} must be str, bytes or None, not {type(text).__name__}")
    return _LINE_END.split(text)


def _value(name: str, value: object) -> list[bytes]:
    """Return the value of the one line that ``value``, the argument ``name``, becomes, if it is not ``None``."""
    if value is None:
        return []
    if not isinstance(value, str):
        raise TypeError(f"{name} must be str or None, not {type(value).__name__}")
    return [join_surrogates(value).encode()]


def _milliseconds(retry: object) -> list[bytes]:
    """Return the value of the one line that ``retry`` becomes, if it is not ``None``."""
    if retry is None:
        return []
    if not isinstance(retry, int) or isinstance(retry, bool) or not 0 <= retry <= MAX_RETRY:
        raise ValueError(f"retry must be an integer from 0 to {MAX_RETRY}")
    return [b"%d" % retry]

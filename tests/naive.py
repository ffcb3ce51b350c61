"""A naive reading of event streams: the specification's words over whole bytes, to test the real readers against.

https://html.spec.whatwg.org/multipage/server-sent-events.html#event-stream-interpretation
"""

import re
from dataclasses import dataclass, field
from typing import Any

BOM = b"\xef\xbb\xbf"


@dataclass
class Stream:
    """What an event stream meant."""

    events: list[tuple[Any, ...]] = field(default_factory=list)
    last_event_id: str = ""
    retry: int | None = None
    truncated: bool = False


@dataclass
class _Block:
    event: str = ""
    data: list[str] = field(default_factory=list)
    retry: int | None = None
    begun: bool = False


def read_sse(body: bytes, *, flush: bool = False) -> Stream:
    """Return what ``body`` means; ``flush`` dispatches an unfinished event at its end."""
    *lines, rest = re.split("\r\n|\r|\n", body.removeprefix(BOM).decode("utf-8", "replace"))
    stream, block, last_id = Stream(), _Block(), ""
    for line in [*lines, rest] if flush and rest else lines:
        if line:
            last_id = _process(line, stream, block, last_id)
            continue
        stream.last_event_id = last_id
        _dispatch(stream, block)
        block = _Block()
    stream.truncated = block.begun or rest != ""
    if flush:
        stream.last_event_id = last_id
        _dispatch(stream, block)
    return stream


def _process(line: str, stream: Stream, block: _Block, last_id: str) -> str:
    """Take one line in and return the last event ID buffer after it."""
    name, _, value = line.partition(":")
    value = value.removeprefix(" ")
    if line.startswith(":"):
        return last_id
    block.begun = True
    if name == "event":
        block.event = value
    elif name == "data":
        block.data.append(value)
    elif name == "id" and "\0" not in value:
        return value
    elif name == "retry" and re.fullmatch("[0-9]+", value):
        number = int(value.lstrip("0")[:30] or "0")
        if number < 2**64:
            stream.retry = block.retry = number
    return last_id


def _dispatch(stream: Stream, block: _Block) -> None:
    if block.data:
        event = ("ServerSentEvent", block.event or "message", "\n".join(block.data), stream.last_event_id, block.retry)
        stream.events.append(event)


@dataclass(frozen=True)
class TooLarge:
    """Where an event grew too large, and the error's words.

    ``at`` is how many bytes there are with the first one too many; ``None`` where only the end of
    the stream shows that they are a line's, as two thirds of a BOM are.
    """

    at: int | None
    offset: int
    frame: bytes


def too_large(body: bytes, limit: int) -> TooLarge | None:
    """Return where an event of ``body`` grows past ``limit`` bytes, if one does."""
    start = len(BOM) if body.startswith(BOM) else 0
    values: dict[bytes, bytes] = {}
    data: list[bytes] = []
    first: int | None = None
    for match in re.finditer(rb"([^\r\n]*)(?:\r\n|\r|\n|\Z)", body[start:]):
        line, at = match[1], start + match.start()
        before = sum(map(len, values.values())) + len(b"\n".join(data))
        kept = line[: limit - before + 1]
        name, colon, value = kept.partition(b":")
        shift = len(name) + 1 + value.startswith(b" ")
        if before + len(line) > limit:
            shown = [*data, value.removeprefix(b" ")] if name + colon == b"data:" else data
            found = first if first is not None else at + shift if shown else at
            known = max(at + len(kept), 3 if body[:2] == BOM[:2] else 0)
            return TooLarge(known if known <= len(body) else None, found, b"\n".join(shown)[:512])
        if not line:
            values, data, first = {}, [], None
        elif name == b"data":
            first = first if first is not None else at + min(shift, len(line))
            data.append(value.removeprefix(b" "))
        elif name in (b"event", b"id") and not (name == b"id" and b"\0" in value):
            values[name] = value.removeprefix(b" ")
    return None


def decode_prefix(data: bytes) -> str:
    """Return the longest text that bytes after ``data`` cannot change, U+FFFD for each wrong subpart."""
    for held in (3, 2, 1):
        if len(data) >= held and data[-held:] in INCOMPLETE:
            return data[:-held].decode("utf-8", "replace")
    return data.decode("utf-8", "replace")


def _incomplete() -> frozenset[bytes]:
    """Return every proper prefix of the UTF-8 form of a character: what a decoder may hold."""
    points = [*range(0x80, 0xD800, 32), *range(0xE000, 0x110000, 32)]
    forms = [chr(point).encode() for point in points]
    return frozenset(form[:size] for form in forms for size in range(1, len(form)))


INCOMPLETE = _incomplete()

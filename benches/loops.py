"""Hand-written loops over the standard library, and the loop that drives our parsers.

All of them take reads and return what came out, so that all of them are checked and timed alike.
"""

from collections.abc import Callable
from typing import Any, NamedTuple

from .fixtures import Reads

__all__ = ("Event", "fed", "naive_split", "spec_split")

_BOM = b"\xef\xbb\xbf"


def fed(feed: Callable[[bytes], Any], reads: Reads) -> list[Any]:
    """Return the results of ``feed`` for all reads: the use of any parser."""
    out: list[Any] = []
    for data in reads:
        if items := feed(data):
            out += items
    return out


def naive_split(reads: Reads) -> list[str]:
    """Split at blank lines and cut ``data: `` off; other line ends, fields and second data lines are not handled."""
    out: list[str] = []
    buffer = b""
    for data in reads:
        buffer += data
        frames = buffer.split(b"\n\n")
        buffer = frames.pop()
        for frame in frames:
            if frame.startswith(b"data: "):
                out.append(frame[6:].decode())  # noqa: PERF401  most reads hold one frame
    return out


class Event(NamedTuple):
    """An event of :func:`spec_split`."""

    event: str
    data: str
    id: str
    retry: int | None


def spec_split(reads: Reads) -> list[Event]:
    """Parse as specified, with ``split``, in time linear in the stream."""
    out: list[Event] = []
    parts: list[bytes] = []
    values: list[bytes] = []
    others: dict[bytes, bytes] = {}
    last_id, after_cr, at_start = "", False, True
    for data in reads:
        if after_cr or b"\r" in data:
            data, after_cr = _with_line_feeds(data, after_cr)
        if b"\n" not in data:
            parts.append(data)
            continue
        lines = data.split(b"\n")
        if parts:
            parts.append(lines[0])
            lines[0] = b"".join(parts)
            parts = []
        if at_start:
            lines[0] = lines[0].removeprefix(_BOM)
            at_start = False
        if rest := lines.pop():
            parts.append(rest)
        for line in lines:
            if line.startswith(b"data:"):
                values.append(line[6:] if line.startswith(b" ", 5) else line[5:])
            elif line:
                _keep(line, values, others)
            elif values or others:
                last_id = _text(others[b"id"]) if b"id" in others else last_id
                if values:
                    kind = _text(others.get(b"event", b"")) or "message"
                    text = _text(values[0] if len(values) == 1 else b"\n".join(values))
                    out.append(Event(kind, text, last_id, _number(others.get(b"retry", b""))))
                values, others = [], {}
    return out


def _with_line_feeds(data: bytes, after_cr: bool) -> tuple[bytes, bool]:
    """Return ``data`` with LF for every line end, and whether its last one may go on with the next read."""
    if not data:
        return data, after_cr
    if after_cr:
        data = data.removeprefix(b"\n")
    return data.replace(b"\r\n", b"\n").replace(b"\r", b"\n"), data.endswith(b"\r")


def _keep(line: bytes, values: list[bytes], others: dict[bytes, bytes]) -> None:
    """Handle a line that does not begin with ``data:``."""
    name, _, value = line.partition(b":")
    value = value.removeprefix(b" ")
    if name == b"data":
        values.append(value)
    elif name == b"event" or (name == b"id" and b"\0" not in value) or (name == b"retry" and value.isdigit()):
        others[name] = value


def _text(value: bytes) -> str:
    return value.decode("utf-8", "replace")


def _number(value: bytes) -> int | None:
    return int(value) if value else None

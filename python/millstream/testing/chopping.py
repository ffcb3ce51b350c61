"""Cuts a body at chosen boundaries."""

import re
import struct
from collections.abc import Iterator
from typing import Literal

__all__ = ("Chop", "check_chop", "chop")

Chop = int | Literal["bytes", "lines", "events"]
"""Where a body is cut: after so many bytes, after each byte, each line, or each event."""

_LINE = re.compile(rb"\r\n|\n|\r")
# A line end, and a blank line behind it.
_EVENT = re.compile(rb"(?:\r\n|\n|\r)(?:\r\n|\n|\r)")


def check_chop(where: Chop) -> Chop:
    """Return ``where``; raise :class:`ValueError` if it is not a :data:`Chop`."""
    if where in ("bytes", "lines", "events") or (isinstance(where, int) and where > 0):
        return where
    raise ValueError(f"chop must be a number of bytes above 0, 'bytes', 'lines' or 'events', not {where!r}")


def chop(data: bytes, where: Chop) -> list[bytes]:
    r"""Return ``data`` in pieces, for the ``body`` of a :class:`~millstream.testing.Reply`.

    An event ends with a blank line; of AWS's event stream it is one message, and of a body without blank lines
    (NDJSON, a JSON array) one line.

    >>> chop(b"data: a\n\ndata: b\n\n", "events")
    [b'data: a\n\n', b'data: b\n\n']
    """
    check_chop(where)
    if isinstance(where, int) or where == "bytes":
        size = where if isinstance(where, int) else 1
        return [data[start : start + size] for start in range(0, len(data), size)]
    if where == "lines":
        return list(_behind(data, _LINE))
    if data[:1] == b"\0":
        return list(_messages(data))
    return list(_behind(data, _EVENT if _EVENT.search(data) else _LINE))


def _behind(data: bytes, end: re.Pattern[bytes]) -> Iterator[bytes]:
    start = 0
    for match in end.finditer(data):
        yield data[start : match.end()]
        start = match.end()
    if start < len(data):
        yield data[start:]


def _messages(data: bytes) -> Iterator[bytes]:
    """Yield the messages of an event stream by their lengths; what has none that fits is one piece."""
    start = 0
    while len(data) - start >= 16:
        (length,) = struct.unpack_from("!I", data, start)
        if length < 16:
            break
        yield data[start : start + length]
        start += length
    if start < len(data):
        yield data[start:]

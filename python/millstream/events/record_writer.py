"""``RecordWriter``: from stream events to event records, the bytes that a server sends."""

from dataclasses import fields, is_dataclass
from enum import Enum
from typing import Any, Literal

import orjson

from .._values import check_option, escape_line_ends, whole_text

__all__ = ("RecordFormat", "RecordWriter")

RecordFormat = Literal["sse", "ndjson"]

# Dataclasses are passed to `_fields_of`, so that one rule writes them wherever they stand.
_OPTIONS = orjson.OPT_PASSTHROUGH_DATACLASS
# The maximum depth of nested containers: that of orjson.
_MAX_DEPTH = 254


class RecordWriter:
    r"""Writes the events of ``astream_events`` as event records, ready to be sent.

    ``format`` is ``"sse"`` (``event: data``, one line of data, a blank line) or ``"ndjson"`` (one
    line). The JSON has the event's key order and no spaces. Messages, chunks and results stand
    there as their ``model_dump()``, dataclasses as dicts, and what JSON has no form for as its
    ``repr``: nothing raises. U+2028, U+2029 and U+0085 are escaped, because many readers of lines
    split at them, and a lone surrogate leaves as U+FFFD.

    >>> from millstream import RecordWriter
    >>> RecordWriter().write({"event": "on_llm_stream", "data": {"chunk": "Hi"}})
    b'event: data\ndata: {"event":"on_llm_stream","data":{"chunk":"Hi"}}\n\n'
    >>> RecordWriter().end()
    b'event: end\n\n'
    """

    __slots__ = ("_end", "_prefix", "_suffix", "format")

    def __init__(self, *, format: RecordFormat = "sse") -> None:
        sse = check_option("format", format, ("ndjson", "sse")) == "sse"
        self.format: RecordFormat = "sse" if sse else "ndjson"
        self._prefix, self._suffix = (b"event: data\ndata: ", b"\n\n") if sse else (b"", b"\n")
        self._end = b"event: end\n\n" if sse else b""

    def write(self, event: object) -> bytes:
        """Return the record of one event."""
        try:
            document = orjson.dumps(event, _fields_of, _OPTIONS)
        except TypeError:
            document = orjson.dumps(_plain(event, 1, frozenset()), None, _OPTIONS)
        return self._prefix + escape_line_ends(document) + self._suffix

    def end(self) -> bytes:
        """Return the mark of the end of a stream of records; it is empty in the format ``"ndjson"``."""
        return self._end

    def __repr__(self) -> str:
        """Show the format."""
        return f"RecordWriter(format={self.format!r})"


def _fields_of(value: Any) -> Any:
    """Return the fields of a value that orjson cannot write, or its ``repr``."""
    kind = type(value)
    try:
        if (dump := getattr(kind, "record_fields", None) or getattr(kind, "model_dump", None)) is not None:
            return dump(value)
        if is_dataclass(kind):
            return {one.name: getattr(value, one.name) for one in fields(kind) if not one.name.startswith("_")}
        # Subclasses of these two, which orjson does not take.
        if issubclass(kind, tuple):
            return tuple(value)
        if issubclass(kind, float):
            return float(value)
    except Exception:
        return _shown(value)
    return _shown(value)


def _shown(value: object) -> str:
    """Return the ``repr`` of a value, or that of any object where its own fails."""
    try:
        return whole_text(repr(value))
    except Exception:
        return whole_text(object.__repr__(value))


def _plain(value: Any, depth: int, outer: frozenset[int]) -> Any:
    """Return ``value`` as types that orjson writes, to the same bytes; ``outer`` are the ids of its containers.

    A value in a cycle, or nested too deeply, is shown by its ``repr``. The type decides, never the instance:
    a proxy may pretend to be a dict.
    """
    kind = type(value)
    try:
        if issubclass(kind, Enum):
            return _plain(value.value, depth, outer)
        if issubclass(kind, str):
            return whole_text(value)
        if issubclass(kind, int):
            return orjson.Fragment(_digits(value))
        if not issubclass(kind, dict | list) and kind is not tuple:
            return _plain_other(value, depth, outer)
        if id(value) in outer or depth > _MAX_DEPTH:
            return _shown(value)
        inner = depth + 1, outer | {id(value)}
        if issubclass(kind, dict):
            return {_key(key): _plain(item, *inner) for key, item in list(dict.items(value))}
        return [_plain(item, *inner) for item in (value if kind is tuple else list.copy(value))]
    except Exception:
        # RecursionError among them: the container outside has enough stack left.
        return _shown(value)


def _plain_other(value: object, depth: int, outer: frozenset[int]) -> Any:
    try:
        return orjson.Fragment(orjson.dumps(value, None, _OPTIONS))
    except TypeError:
        shown = _shown(value) if id(value) in outer else _fields_of(value)
        return _plain(shown, depth, outer | {id(value)})


def _digits(number: int) -> bytes:
    """Return an integer of any size as JSON."""
    if number is True or number is False:
        return b"true" if number else b"false"
    try:
        return int.__repr__(number).encode()
    except ValueError:
        # The interpreter writes no more digits than sys.get_int_max_str_digits() says.
        return b'"%b"' % int.__format__(number, "#x").encode()


def _key(key: Any) -> str:
    """Return a key of any type as text: that of its JSON, where that is a scalar, else its ``repr``."""
    kind = type(key)
    if issubclass(kind, str):
        return whole_text(key)
    if issubclass(kind, Enum):
        return _key(key.value)
    if issubclass(kind, int):
        return _digits(key).decode().strip('"')
    if issubclass(kind, tuple | list | dict):
        return _shown(key)
    try:
        return orjson.dumps(key, None, _OPTIONS).decode().strip('"')
    except TypeError:
        return _shown(key)

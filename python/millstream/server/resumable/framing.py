"""How the records of a wire are numbered, and how a block of them is cut at a position."""

from __future__ import annotations

import re
from typing import ClassVar, NamedTuple

from .ids import Position

__all__ = ("MAX_RECORD_SIZE", "Block", "ByteNumbering", "LineNumbering", "Numbering", "SSENumbering", "numbering_for")

MAX_RECORD_SIZE = 16 << 20
_OWN_IDS = re.compile(rb"^id:[^\n]*\n?", re.MULTILINE)


class Block(NamedTuple):
    """The records ``first`` to ``last`` of one epoch, as the bytes that a client receives."""

    epoch: int
    first: int
    last: int
    data: bytes

    @property
    def end(self) -> Position:
        """The position behind its last record."""
        return Position(self.epoch, self.last)


class Numbering:
    """Turns a source's bytes into blocks of numbered records; whole records alone are numbered."""

    __slots__ = ("_epoch", "_rest", "last")

    is_sse = False
    end: ClassVar[bytes]
    """The end of each record."""

    def __init__(self, epoch: int, last: int = 0) -> None:
        self._epoch = epoch
        self._rest = b""
        self.last = last

    def add(self, data: bytes) -> Block | None:
        """Return the block of the records that are complete now, if any; :class:`ValueError` if one is too large."""
        raise NotImplementedError

    def close(self) -> Block | None:
        """Return the block of the last record, where the source did not end it."""
        return self.add(self.end) if self._rest.strip() else None

    @classmethod
    def cut(cls, block: Block, seq: int) -> bytes:
        """Return the bytes of the block's records after ``seq``."""
        count = seq - block.first + 1
        return block.data.split(cls.end, count)[count] if count > 0 else block.data

    def _split(self, data: bytes) -> list[bytes]:
        """Return the complete pieces, and keep the rest."""
        if self._rest:
            data = self._rest + data
        if b"\r" in data:
            data = data.replace(b"\r\n", b"\n")
        *pieces, self._rest = data.split(self.end)
        if len(self._rest) > MAX_RECORD_SIZE:
            raise ValueError(f"a record of the stream is larger than {MAX_RECORD_SIZE} bytes")
        return pieces

    def _block(self, count: int, data: bytes) -> Block | None:
        first, self.last = self.last + 1, self.last + count
        return Block(self._epoch, first, self.last, data) if count else None


class SSENumbering(Numbering):
    """Server-sent events: each gets an ``id`` line of its own, so that none is lost or doubled by a resume.

    Comments are left out, as are the source's own ids: a reader would take the last one.
    """

    __slots__ = ()

    is_sse = True
    end = b"\n\n"

    def add(self, data: bytes) -> Block | None:
        """Return the block of the events that are complete."""
        if _is_one_event(data) and not self._rest:
            return self._block(1, b"id: %d-%d\n%b" % (self._epoch, self.last + 1, data))
        events, seq = [], self.last
        for event in self._split(data):
            if event.startswith((b"id:", b"\n")) or b"\nid:" in event:
                event = _OWN_IDS.sub(b"", event).strip(b"\n")
            if event and not (event.startswith(b":") and _is_comment(event)):
                seq += 1
                events.append(b"id: %d-%d\n%b\n\n" % (self._epoch, seq, event))
        return self._block(len(events), b"".join(events))


class LineNumbering(Numbering):
    """Lines: a line's ``seq`` is its number, which the client counts. Empty lines are left out."""

    __slots__ = ()

    end = b"\n"

    def add(self, data: bytes) -> Block | None:
        """Return the block of the lines that are complete."""
        lines = [line + self.end for line in self._split(data) if line]
        return self._block(len(lines), b"".join(lines))


class ByteNumbering(Numbering):
    """Plain text: ``seq`` is the number of bytes, which the client counts."""

    __slots__ = ()

    def add(self, data: bytes) -> Block | None:
        """Return the block of the bytes."""
        return self._block(len(data), data)

    @classmethod
    def cut(cls, block: Block, seq: int) -> bytes:
        """Return the bytes after byte ``seq``."""
        return block.data[max(0, seq - block.first + 1) :]


def numbering_for(media_type: str) -> type[Numbering]:
    """Return how the records of a media type are numbered."""
    kind = media_type.partition(";")[0].strip().lower()
    if kind == "text/event-stream":
        return SSENumbering
    return LineNumbering if kind.endswith(("json", "jsonl")) else ByteNumbering


def _is_one_event(data: bytes) -> bool:
    """Return whether ``data`` is one event and nothing else, as most reads are: it needs no change but its id."""
    is_event = data.startswith((b"data:", b"event:")) and data.find(b"\n\n") == len(data) - 2
    return is_event and b"\nid:" not in data and b"\r" not in data


def _is_comment(event: bytes) -> bool:
    return all(line.startswith(b":") for line in event.split(b"\n") if line)

"""Lines to blocks: the fields between two blank lines, and the limit on what they hold.

:class:`~millstream.SSEParser` makes events of the blocks, :class:`~millstream.StreamDecoder`
payloads. What is quoted here is quoted from the WHATWG HTML specification, 9.2.6, "Interpreting an
event stream": https://html.spec.whatwg.org/multipage/server-sent-events.html.
"""

from collections.abc import Callable, Iterable, Iterator

from .._growing import GrowingText
from .._values import FRAME_SIZE
from .lines import CR, LF, Lines
from .utf8 import unfinished

__all__ = ("FRAME_SIZE", "MAX_RETRY", "Block", "Frames", "too_large_message")

MAX_RETRY = 2**64 - 1
"""Milliseconds of the longest reconnection time."""

_PIECE_SIZE = 1 << 16
"""Bytes of a read whose lines are objects at the same time."""

_MAX_VALUES = 1024
"""Lines of a block's data that are objects of their own."""

_SHARE = 64
"""A part of the data that is taken before the end is at least one of so many of what was taken before."""

_MAX_RETRY_DIGITS = len(str(MAX_RETRY))


class Taken:
    """The data of a large block, as far as it was decoded before the block's end.

    Its block has the rest alone, and counts all of it in its size.
    """

    __slots__ = ("head", "not_data", "size", "text")

    def __init__(self) -> None:
        self.text = GrowingText()
        self.size = 0
        """How many bytes became the text; those of the current line with its field name."""
        self.head = b""
        """The first bytes of the data."""
        self.not_data: int | None = None
        """Where the beginning of the current line was taken: how many bytes of it are not data."""


class Block:
    """The fields between two blank lines: what becomes an event."""

    __slots__ = ("data", "error", "event", "has_begun", "id", "offset", "retry", "size", "taken")

    def __init__(self) -> None:
        self.has_begun = False
        """Whether a field, known or not, was seen."""
        self.event = b""
        self.data: list[bytes | bytearray] = []
        self.offset = 0
        """Where in the stream the first data value starts, once there is one."""
        self.id: bytes | None = None
        self.retry: int | None = None
        self.error: list[bytes | bytearray] = []
        """Values of the field ``error``, where it is one."""
        self.size = 0
        """Bytes of the values held, those of data and error joined by LF."""
        self.taken: Taken | None = None
        """The data taken before the block's end, if it is large."""


class Frames:
    """Turns bytes into blocks, at most ``max_event_size`` bytes each.

    The size of an event is the current line without its end plus the values its block holds. Only
    a line that grows can make it too large, as no value is longer than its line.

    ``is_error`` makes ``error`` a field, which it is for llama.cpp and not for the specification. It
    says of a line that begins with a brace whether it is an error, whole JSON in no field.

    ``held`` is how much data of an event may wait for its end as bytes: the string that it becomes would take as
    much again. More is decoded as it comes.
    """

    __slots__ = ("_bound", "_held", "_is_error", "_limit", "block", "lines", "retry", "too_large")

    def __init__(self, limit: int, *, held: int | None = None, is_error: Callable[[bytes], bool] | None = None) -> None:
        self._limit = limit
        self._held = limit if held is None else held
        self._bound = min(limit, self._held)
        self._is_error = is_error
        self.lines = Lines()
        """The lines; a caller that reads whole blocks itself adds their length to ``lines.offset``."""
        self.block = Block()
        self.retry: int | None = None
        self.too_large: tuple[int, bytes] | None = None
        """Offset and beginning of the data that grew too large; nothing is read after it."""

    @property
    def offset(self) -> int:
        """Bytes of the stream so far."""
        return self.lines.offset

    @property
    def at_start(self) -> bool:
        """Whether the next byte starts a block."""
        return self.lines.at_start and not self.block.has_begun

    @property
    def is_unfinished(self) -> bool:
        """Whether the stream, if it ended here, would end inside an event or a line."""
        return self.block.has_begun or len(self.lines.carry) > 0 or self.too_large is not None

    def whole_frame(self, data: bytes) -> bytes | None:
        """Take in a read of ordinary traffic, one block of one data line, and return its value.

        ``None`` for any other read, which is not taken in: most reads are this one, and it needs no lines.
        """
        end = len(data) - 2
        if not data.startswith(b"data:") or data.find(b"\n") != end or data[end:] != b"\n\n" or end > self._limit:
            return None
        if CR in data or not self.at_start:
            return None
        self.lines.offset += end + 2
        return data[6:end] if data.startswith(b" ", 5) else data[5:end]

    def can_be_cut(self, data: bytes) -> bool:
        """Return whether ``data`` has LF alone as a line end, and is too short to pass the limit by itself."""
        return len(data) <= self._limit and len(data) <= _PIECE_SIZE and CR not in data

    def take_ordinary(self, data: bytes) -> tuple[list[bytes], bytes]:
        """Take in, at rest, the blocks of one data line that ``data`` starts with; return their values, and the rest.

        ``data`` can be cut.
        """
        values: list[bytes] = []
        at = 0
        for block in data.split(b"\n\n")[:-1]:
            if not block.startswith(b"data:") or LF in block:
                break
            values.append(block[6:] if block.startswith(b" ", 5) else block[5:])
            at += len(block) + 2
        self.lines.offset += at
        return values, data[at:]

    def grow(self, data: bytes) -> bool:
        """Take in a read that only makes the unfinished line longer; return ``False`` for any other read."""
        carry = self.lines.carry
        if not carry or LF in data or CR in data:
            return False
        size = self.block.size + len(carry) + len(data)
        if size > self._limit:
            return False
        self.lines.offset += len(data)
        carry += data
        if size > self._bound:
            self._take_begun()
        return True

    def feed(self, data: bytes) -> Iterable[Block]:
        """Return the blocks that ``data`` completes, up to ``too_large``.

        Objects of short lines take many times the lines' size: there are never more than those of one piece.
        """
        return self._feed_piece(data) if len(data) <= _PIECE_SIZE else self._feed_pieces(data)

    def _feed_pieces(self, data: bytes) -> Iterator[Block]:
        for start in range(0, len(data), _PIECE_SIZE):
            if self.too_large is None:
                yield from self._feed_piece(data[start : start + _PIECE_SIZE])

    def _feed_piece(self, data: bytes) -> list[Block]:
        blocks: list[Block] = []
        block, limit = self.block, self._limit
        at, lines = self.lines.feed(data)
        if block.taken is not None and lines and block.taken.not_data is not None:
            raw = lines.pop(0)
            line = raw.rstrip(b"\r\n")
            if block.size + len(line) > limit:
                self._set_too_large(line, at)
                return blocks
            self._end_value(line)
            at += len(raw)
        for raw in lines:
            length = len(raw)
            line = raw.rstrip(b"\r\n")
            if length > _PIECE_SIZE:
                # The first one, put together from many reads, is not kept twice.
                lines[0] = raw = b""
            if block.size + len(line) > limit:
                self._set_too_large(line, at)
                return blocks
            if line.startswith(b"data: "):
                self._data(line[6:], at + 6)
            elif line:
                self._field(line, at)
            elif block.has_begun:
                blocks.append(block)
                block = self.block = Block()
            at += length
        if block.size + len(self.lines.carry) > self._bound:
            if block.size + len(self.lines.carry) > limit:
                self._set_too_large(self.lines.carry, at)
            else:
                self._take_begun()
        return blocks

    def close(self, *, keep: bool) -> Block:
        """Return the block that the end of the stream leaves undone; ``keep`` takes an unfinished line as finished."""
        if self.too_large is None:
            self.lines.finish()
            line = bytes(self.lines.carry)
            at = self.offset - len(line)
            if self.block.size + len(line) > self._limit:
                self._set_too_large(line, at)
            elif (taken := self.block.taken) is not None and taken.not_data is not None:
                self._end_value(line)
            elif line and keep:
                self._field(line, at)
        return self.block

    def _field(self, line: bytes, at: int) -> None:
        """Take in a line that starts at offset ``at`` and is not empty.

        "If the line starts with a U+003A COLON character (:): Ignore the line. If the line
        contains a U+003A COLON character (:): Collect the characters on the line before the first
        U+003A COLON character (:), and let *field* be that string. Collect the characters on the
        line after the first U+003A COLON character (:), and let *value* be that string. If *value*
        starts with a U+0020 SPACE character, remove it from *value*. Otherwise [...] process the
        field using [...] the whole line as the field name, and the empty string as the field
        value."
        """
        name, _, value = line.partition(b":")
        if not name:
            return
        value = value.removeprefix(b" ")
        if name == b"data":
            return self._data(value, at + len(line) - len(value))
        block = self.block
        block.has_begun = True
        if name == b"event":
            # "Set the event type buffer to field value."
            block.size += len(value) - len(block.event)
            block.event = value
        elif name == b"id":
            # "If the field value does not contain U+0000 NULL, then set the last event ID buffer
            # to the field value. Otherwise, ignore the field."
            if 0 not in value:
                block.size += len(value) - len(block.id or b"")
                block.id = value
        elif name == b"retry":
            self._retry(value)
        elif name == b"error" and self._is_error:
            block.size += len(value) + bool(block.error)
            block.error.append(value)
            if len(block.error) > _MAX_VALUES:
                _join(block.error)
        elif line.startswith(b"{") and self._is_error and not block.error and self._is_error(line):
            # An error that a server writes as it is, in no field at all.
            block.size += len(line)
            block.error.append(line)
        # "Otherwise: The field is ignored."

    def _data(self, value: bytes, at: int) -> None:
        """Take in a value of the field ``data``, which starts at offset ``at``.

        "Append the field value to the data buffer, then append a single U+000A LINE FEED (LF)
        character to the data buffer": joined at the dispatch, which takes the last LF.
        """
        block = self.block
        block.has_begun = True
        if not block.data:
            block.offset = at
        block.size += len(value) + bool(block.data)
        block.data.append(value)
        if len(block.data) > _MAX_VALUES:
            _join(block.data)

    def _end_value(self, rest: bytes) -> None:
        """Take in the rest of a line whose beginning was taken."""
        block, taken = self.block, self.block.taken
        assert taken is not None
        assert taken.not_data is not None
        block.size += len(rest) - taken.not_data
        taken.size -= taken.not_data
        taken.not_data = None
        block.data[-1] = rest

    def _take_begun(self) -> None:
        """Take the data so far, that of the current line too, as far as more bytes cannot change how it decodes.

        It has to be much, and no small part of what was taken before: so this takes linear time even where all
        of that has to move. What stays is one empty value, which the next line, or the rest of this one, goes on from.
        """
        block, carry, values = self.block, self.lines.carry, self.block.data
        taken = block.taken or Taken()
        start = 0 if taken.not_data is not None else _value_start(carry)
        end = start if start is None else len(carry) - unfinished(carry)
        held = block.size - taken.size - len(block.event) - len(block.id or b"")
        if held + (end or 0) - (start or 0) <= max(self._held, taken.size // _SHARE):
            return
        block.taken = taken
        if start is not None and end is not None:
            if taken.not_data is None:
                block.offset = block.offset if values else self.offset - len(carry) + start
                taken.not_data = start - bool(values)
                values.append(b"")
            values[-1] = carry[start:end]
            del carry[:end]
            block.size += end
            block.has_begun = True
        taken.size += held + (end or 0)
        data = b"\n".join(values)
        values[:] = [b""]
        taken.head += data[: FRAME_SIZE - len(taken.head)]
        taken.text.append(data.decode("utf-8", "replace"))

    def _retry(self, value: bytes) -> None:
        """Take in a reconnection time; one above 2**64 - 1 counts as no number.

        "If the field value consists of only ASCII digits, then interpret the field value as an
        integer in base ten, and set the event stream's reconnection time to that integer.
        Otherwise, ignore the field."
        """
        if not value.isdigit():
            return
        digits = value.lstrip(b"0") or b"0"
        # The interpreter refuses to read very long numbers.
        if len(digits) <= _MAX_RETRY_DIGITS and int(digits) <= MAX_RETRY:
            self.block.retry = self.retry = int(digits)

    def _set_too_large(self, line: bytes | bytearray, at: int) -> None:
        """Set ``too_large``: ``line``, as far as it has come, makes its event too large.

        What is reported depends on the bytes up to the first one too many, wherever reads fall.
        """
        block, taken = self.block, self.block.taken
        cut = bytes(line[: self._limit - block.size + 1])
        offset, values = block.offset, list(block.data)
        if taken is not None and taken.not_data is not None:
            values[-1] = cut
        elif cut.startswith(b"data:"):
            value = cut[5:].removeprefix(b" ")
            offset = offset if values else at + len(cut) - len(value)
            values.append(value)
        head = b"" if taken is None else taken.head
        self.too_large = (offset if values else at), (head + b"\n".join(values))[:FRAME_SIZE]


def _join(values: list[bytes | bytearray]) -> None:
    """Join the values of a block's many lines in one buffer, which takes less than their objects."""
    first = values[0] if isinstance(values[0], bytearray) else bytearray(values[0])
    values[0] = b""
    first += b"\n".join(values)
    values[:] = [first]


def _value_start(line: bytearray) -> int | None:
    """Return where in the unfinished ``line`` its value starts, if it is data."""
    if len(line) <= len(b"data:") or not line.startswith(b"data:"):
        return None
    return 6 if line.startswith(b" ", 5) else 5


def too_large_message(limit: int) -> str:
    """Return what an exception says of an event, or a body, that grew past ``limit`` bytes."""
    return f"an event grew past max_event_size={limit} bytes"

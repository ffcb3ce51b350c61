"""What a decoder has seen of its stream, for the message of a stream that ended without output."""

from typing import Any

from .._values import describe_seen, whole_text
from .formats import AUTO, find_format
from .frames import FRAME_SIZE, Frames
from .json import WHITE_SPACE, read
from .lines import BOM

__all__ = ("Seen", "json_lines")

_HEAD_SIZE = 64
# How many keys of the first payload are kept, and how many characters of each.
_MAX_KEYS = 8
_MAX_NAME = 40


class Seen:
    """What a decoder has seen of a stream."""

    __slots__ = ("_event", "_keys", "_missing", "foreign", "head")

    def __init__(self) -> None:
        self.head = bytearray()
        """The first bytes of the stream."""
        self.foreign: tuple[str, int, bytes] | None = None
        """The first frame that is recognisably another format's: the format, the data's offset, the data, cut."""
        self._event = ""
        self._keys: list[str] = []
        self._missing: str | None = None

    def take_head(self, data: bytes) -> bool:
        """Keep the first bytes; return whether all are kept."""
        self.head += data[: _HEAD_SIZE - len(self.head)]
        return len(self.head) == _HEAD_SIZE

    def end(self, ended: str, frames: int) -> None:
        """Forget the bytes behind the end mark of the stream; of an array without elements, its own are kept."""
        if ended not in ("eof", "truncated"):
            is_empty_array = ended == "array-end" and not frames
            del self.head[self.head.find(b"]") + 1 if is_empty_array else 0 :]

    def look(self, data: bytes, offset: int, event: str, format: str, *, first: bool) -> None:
        """Look at a frame of a stream of ``format``: the first of all, or one that came before any choice."""
        members = _members(data)
        if first:
            self._event = event[:_MAX_NAME]
            self._keys = list(dict.fromkeys(whole_text(key)[:_MAX_NAME] for key in members))[:_MAX_KEYS]
        if self.foreign is None and (found := find_format(event, members)) not in (None, format):
            self.foreign = found, offset, data[:FRAME_SIZE]

    def note_missing(self, frames: Frames) -> None:
        """Note what an event stream lacks that ends without a frame."""
        frames.lines.finish()
        if frames.is_unfinished:
            start = len(BOM) if self.head.startswith(BOM) else 0
            is_one_line = frames.offset - len(frames.lines.carry) == start
            self._missing = "no line ends" if is_one_line else "no blank lines"

    def describe(self, frames: int, format: str | None) -> str:
        """Return it in words; ``format`` is given where nothing of that format came out."""
        return describe_seen(frames, self._event, self._keys, bytes(self.head), self._missing, format)


def json_lines(body: bytes, format: str) -> str | None:
    """Return the format of a body that is several JSON objects, one a line, the last perhaps cut, or ``None``.

    It is named if it is another one than ``format``.
    """
    lines = [line for line in body.split(b"\n") if line.strip(WHITE_SPACE)]
    members = [_members(line) for line in lines[:-1]]
    if not members or not all(members):
        return None
    found = find_format("", members[0])
    return "JSON lines" if found is None or format in (found, AUTO) else found


def _members(data: bytes) -> dict[str, Any]:
    """Return the object in ``data``; an empty one if it is not a JSON object."""
    try:
        value = read(data.strip(WHITE_SPACE))
    except ValueError:
        return {}
    return value if isinstance(value, dict) else {}

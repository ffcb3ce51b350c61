"""The end of a body: what is read then, and how the stream ended."""

from typing import Any

from .formats import AUTO
from .frames import FRAME_SIZE, Block
from .json import WHITE_SPACE, read
from .payload import DONE, PayloadReader, is_error, is_json
from .seen import json_lines

__all__ = ("Payloads",)


class Payloads(PayloadReader):
    """The decoding of one stream from its payloads on, to its end."""

    __slots__ = ()

    def read_unfinished(self, block: Block, out: list[Any]) -> None:
        """Take in a last frame without its blank line, as far as it is the end mark or whole JSON."""
        raw = b"\n".join(block.data).strip(WHITE_SPACE)
        if not (is_json(raw) or (raw == DONE and block.event != b"error")):
            block.data = []
        if not is_json(b"\n".join(block.error).strip(WHITE_SPACE)):
            block.error = []
        self.read_frame(block, out)

    def read_body(self, raw: bytes, offset: int, out: list[Any]) -> None:
        """Take in a body that is one JSON document: an error, or a whole response."""
        try:
            payload = read(raw)
        except ValueError:
            for line in raw.split(b"\n"):
                if line.startswith(b"{") and is_error(line):
                    self._take(self.choices.read_error(line.strip(WHITE_SPACE)), out)
                    return
            found = json_lines(raw, self.family.format)
            message = "invalid JSON in the body" if found is None else self._foreign_message(found)
            self.fail(message, offset, raw[:FRAME_SIZE], out)
            return
        self._look(raw, offset)
        if isinstance(payload, dict):
            if self.family.format == AUTO:
                self._identify(payload, "")
            self._read(payload, raw, (offset, raw[:FRAME_SIZE]), out, is_body=True)
        else:
            self._take([], out, raw)

    def end_of_bytes(self, out: list[Any]) -> None:
        """End, or fail where the stream is one of another format."""
        foreign = self.seen.foreign
        if foreign is not None and not self.choices.have_begun and self.family.format != AUTO:
            found, offset, frame = foreign
            self.fail(self._foreign_message(found), offset, frame, out)
        else:
            self.end("eof" if self.choices.are_finished else "truncated", out)

    def _foreign_message(self, found: str) -> str:
        return f"the stream's format is {found}, not {self.family.format}"

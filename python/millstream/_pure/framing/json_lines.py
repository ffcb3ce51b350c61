"""Lines of JSON: LF or CRLF ends one, wherever reads fall."""

from collections.abc import Iterator
from typing import ClassVar

from ..json import WHITE_SPACE
from ..lines import LF
from .units import TooLargeUnitError, Unit, Units

__all__ = ("JSONLines",)


class JSONLines(Units):
    """Cuts a stream into lines; those of white space alone are passed over.

    Only LF ends a line: a CR is a part of its end where an LF follows, and white space anywhere else.
    """

    __slots__ = ("_carry",)

    noun: ClassVar[str] = "line"

    def __init__(self, limit: int, offset: int) -> None:
        super().__init__(limit, offset)
        # The unfinished line.
        self._carry = bytearray()

    def feed(self, data: bytes) -> Iterator[Unit]:
        carry = self._carry
        if LF not in data:
            carry += data
        else:
            lines = data.split(b"\n")
            rest = lines.pop()
            if carry:
                carry += lines[0]
                lines[0] = bytes(carry)
                carry.clear()
            for line in lines:
                at = self.offset
                self.offset += len(line) + 1
                line = line.removesuffix(b"\r")
                if len(line) > self.limit:
                    raise TooLargeUnitError(at, line[: self.limit + 1])
                if line.strip(WHITE_SPACE):
                    yield Unit(line, at)
            carry += rest
        # A CR that makes the line too long may belong to its end.
        if len(carry) > self.limit + carry.endswith(b"\r"):
            raise TooLargeUnitError(self.offset, bytes(carry[: self.limit + 1]))

    def close(self) -> Unit | None:
        line = bytes(self._carry)
        if len(line) > self.limit:
            raise TooLargeUnitError(self.offset, line[: self.limit + 1])
        return Unit(line, self.offset) if line.strip(WHITE_SPACE) else None

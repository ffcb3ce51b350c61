"""A JSON array: its elements, each as soon as its last byte is there."""

import re
from collections.abc import Iterator
from typing import ClassVar

from .units import TooLargeUnitError, Unit, Units

__all__ = ("JSONArray",)

# What may stand between two elements; commas are not counted.
_BETWEEN = re.compile(rb"[ \t\n\r,]*")
# In an element of several tokens: whatever is neither a string nor a bracket.
_PLAIN = re.compile(rb'[^"{}\[\]]*')
# In a string: whatever neither ends it nor escapes.
_IN_STRING = re.compile(rb'[^"\\]*')
# In a scalar that is not a string: whatever does not end it.
_IN_SCALAR = re.compile(rb"[^ \t\n\r,\]]*")


class JSONArray(Units):
    """Cuts an array into its elements.

    An object or an array ends where brackets of any kind, outside of strings, balance: whether it is valid JSON
    is its reader's question.
    """

    __slots__ = ("_carry", "_depth", "_has_begun", "_is_escaped", "_is_scalar", "_is_string")

    noun: ClassVar[str] = "element"

    def __init__(self, limit: int, offset: int) -> None:
        super().__init__(limit, offset)
        self._has_begun = False
        # The unfinished element.
        self._carry = bytearray()
        self._depth = 0
        self._is_string = self._is_escaped = self._is_scalar = False

    def feed(self, data: bytes) -> Iterator[Unit]:
        at = 0
        if not self._has_begun and data:
            self._has_begun = True
            self.offset += 1
            at = 1
        while at < len(data):
            if not self._carry:
                start = at
                at = self._skip(data, at)
                self.offset += at - start
                if self.has_ended or at == len(data):
                    return
            end, is_whole = self._find_end(data, at, is_new=not self._carry)
            self._carry += data[at:end]
            at = end
            if len(self._carry) > self.limit:
                raise TooLargeUnitError(self.offset, bytes(self._carry[: self.limit + 1]))
            if is_whole:
                unit = Unit(bytes(self._carry), self.offset)
                self.offset += len(self._carry)
                self._carry.clear()
                yield unit

    def _skip(self, data: bytes, at: int) -> int:
        """Return where the next element begins, or the end of ``data``; take in the end of the array."""
        match = _BETWEEN.match(data, at)
        at = match.end() if match else at
        if data[at : at + 1] == b"]":
            self.has_ended = True
        return at

    def _find_end(self, data: bytes, at: int, *, is_new: bool) -> tuple[int, bool]:
        """Return how far the element goes in ``data``, and whether it ends there."""
        if is_new:
            self._is_scalar = data[at] not in b'"{['
        if self._is_scalar:
            match = _IN_SCALAR.match(data, at)
            at = match.end() if match else at
            return at, at < len(data)
        while at < len(data):
            at = self._find_string_end(data, at) if self._is_string else self._find_token(data, at)
            if self._depth == 0 and not self._is_string:
                return at, True
        return at, False

    def _find_token(self, data: bytes, at: int) -> int:
        """Return where the next bracket ends or the next string begins, or the end of ``data``."""
        match = _PLAIN.match(data, at)
        at = match.end() if match else at
        if at < len(data):
            self._is_string = data[at] == 0x22
            self._depth += 0 if self._is_string else 1 if data[at] in b"{[" else -1
            at += 1
        return at

    def _find_string_end(self, data: bytes, at: int) -> int:
        """Return where the string, in which ``at`` is, ends in ``data``."""
        while at < len(data):
            if self._is_escaped:
                self._is_escaped = False
                at += 1
                continue
            match = _IN_STRING.match(data, at)
            at = match.end() if match else at
            if at < len(data):
                self._is_escaped = data[at] == 0x5C
                self._is_string = self._is_escaped
                at += 1
                if not self._is_string:
                    break
        return at

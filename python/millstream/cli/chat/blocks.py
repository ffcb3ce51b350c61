"""Splits growing Markdown into blocks, each of which can be shown for good once it is complete."""

import re

__all__ = ("BlockSplitter",)

_FENCE = re.compile(r" {0,3}(```+|~~~+)")
_ITEM = re.compile(r"(?:[-*+]|\d{1,9}[.)])(?:\s|$)")


class BlockSplitter:
    """Takes the pieces of a text, and returns the blocks that they complete; :attr:`rest` is the unfinished one.

    A block is complete when a line after an empty one begins another: paragraphs, headings, tables, code. Items of
    a list, and what is indented under them, are one block.
    """

    def __init__(self) -> None:
        self._lines: list[str] = []
        self._line = ""
        self._fence = ""

    @property
    def rest(self) -> str:
        """The block that is not complete."""
        return "".join(self._lines) + self._line

    def feed(self, piece: str) -> list[str]:
        """Add a piece, and return the blocks that are complete now."""
        *lines, self._line = (self._line + piece).split("\n")
        return [block for line in lines for block in self._add(f"{line}\n")]

    def close(self) -> list[str]:
        """Return what is left."""
        line, self._line = self._line, ""
        blocks = [*self._add(line), self._take()]
        return [block for block in blocks if block]

    def _add(self, line: str) -> list[str]:
        block = self._take() if self._begins_block(line) else ""
        self._lines.append(line)
        self._follow_fence(line)
        return [block] if block else []

    def _begins_block(self, line: str) -> bool:
        if self._fence or not self._lines or self._lines[-1].strip():
            return False
        if not line.strip() or line[0] in " \t":
            return False
        return not (_ITEM.match(line) and _ITEM.match("".join(self._lines).lstrip()))

    def _follow_fence(self, line: str) -> None:
        found = _FENCE.match(line)
        if found is None:
            return
        if not self._fence:
            self._fence = found[1]
        elif found[1].startswith(self._fence) and not line.strip(" `~\n"):
            self._fence = ""

    def _take(self) -> str:
        block = "".join(self._lines).strip("\n")
        self._lines.clear()
        return block

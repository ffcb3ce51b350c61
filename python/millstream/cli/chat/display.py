"""Shows an answer while it arrives: as plain text, or as Markdown where rich is installed."""

from __future__ import annotations

import sys
from types import TracebackType
from typing import Self, TextIO

from ..terminal import dim, remove_controls

__all__ = ("Display", "PlainDisplay")


class Display:
    """Shows one answer inside ``with``, and then the next one; ``shows_reasoning`` may be changed between them."""

    def __init__(self, *, shows_reasoning: bool = False) -> None:
        self.shows_reasoning = shows_reasoning

    def add(self, text: str, reasoning: str) -> None:
        """Show what one chunk has."""
        raise NotImplementedError

    def __enter__(self) -> Self:
        """Begin an answer."""
        return self

    def __exit__(
        self, cls: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        """End the answer."""


class PlainDisplay(Display):
    """Writes each piece as it arrives.

    Text for another program is written unchanged, and reasoning to stderr. On a terminal, control characters are
    left out, and reasoning is dimmed.
    """

    def __init__(self, out: TextIO, *, shows_reasoning: bool = False) -> None:
        super().__init__(shows_reasoning=shows_reasoning)
        self._out = out
        self._is_terminal = out.isatty()
        self._thoughts = out if self._is_terminal else sys.stderr

    def __enter__(self) -> Self:
        """Begin an answer."""
        self._last = self._last_thought = ""
        return self

    def add(self, text: str, reasoning: str) -> None:
        """Write the pieces of a chunk."""
        if reasoning and self.shows_reasoning:
            self._last_thought = reasoning
            self._thoughts.write(dim(remove_controls(reasoning), self._thoughts))
            self._thoughts.flush()
        if not text:
            return
        self._end_thoughts("\n\n")
        if self._is_terminal:
            text = remove_controls(text)
            # Many answers begin with line feeds.
            text = text if self._last else text.lstrip("\n")
        # Before the write: Ctrl-C may raise right after it.
        self._last = text or self._last
        self._out.write(text)
        self._out.flush()

    def _end_thoughts(self, end: str) -> None:
        if self._last_thought:
            self._thoughts.write(end)
            self._thoughts.flush()
            self._last_thought = ""

    def __exit__(
        self, cls: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        """End the last line."""
        self._end_thoughts("\n")
        if self._last and not self._last.endswith("\n"):
            self._out.write("\n")
            self._out.flush()

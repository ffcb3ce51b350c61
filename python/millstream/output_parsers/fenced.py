"""JSON as models write it: alone, or in a Markdown code block behind some words."""

from __future__ import annotations

import re
from collections.abc import Callable

from .._backend import JSONAssembler

__all__ = ("FencedJSON",)

_Read = Callable[["FencedJSON", str], None]
_FENCE = "```"
_LABEL = "json"
_SKIPPED = re.compile(r"[\s`]*")


class FencedJSON:
    """Finds the JSON document in a text that arrives piece by piece, and reads it.

    The document is what the text begins with, white space and backticks aside; or, where that is no
    JSON, what follows the first fence of the text, and the word ``json`` if it stands there.
    ``document`` reads it; control characters may stand in its strings. What follows the document, or
    the first character that does not belong into one, is passed over. Takes time linear in the text.
    """

    __slots__ = ("_before", "_read", "document")

    def __init__(self) -> None:
        self.document = JSONAssembler(strict=False)
        # What may have to be looked at again.
        self._before: list[str] = []
        self._read: _Read = FencedJSON._lead

    def feed(self, text: str) -> None:
        """Read on in the text."""
        self._read(self, text)

    def close(self) -> None:
        """Say that the text has ended."""
        if self.document.failure is None:
            self.document.close()

    def _lead(self, text: str) -> None:
        self._before.append(text)
        if rest := _skip_lead(text):
            self._read = FencedJSON._alone
            self._try(rest)

    def _alone(self, text: str) -> None:
        self._before.append(text)
        self._try(text)

    def _try(self, text: str) -> None:
        """Read the document that the text begins with, if it is one."""
        self.document.feed(text)
        if self.document.started:
            self._before = []
            self._read = FencedJSON._inside
        elif self.document.failure is not None:
            self.document = JSONAssembler(strict=False)
            self._go_on(FencedJSON._words, "")

    def _words(self, text: str) -> None:
        """Look for the fence."""
        text = self._take_kept(text)
        before, fence, after = text.partition(_FENCE)
        if fence:
            self._go_on(FencedJSON._label, after)
        else:
            self._before = [before[1 - len(_FENCE) :]]

    def _label(self, text: str) -> None:
        """Pass over the word at the fence."""
        text = self._take_kept(text)
        if text != _LABEL and _LABEL.startswith(text):
            self._before = [text]
        else:
            self._go_on(FencedJSON._gap, text.removeprefix(_LABEL))

    def _gap(self, text: str) -> None:
        if rest := _skip_lead(text):
            self._go_on(FencedJSON._inside, rest)

    def _inside(self, text: str) -> None:
        """Read the document, as far as it is one."""
        if self.document.failure is None:
            self.document.feed(text)

    def _go_on(self, read: _Read, text: str) -> None:
        self._read = read
        read(self, text)

    def _take_kept(self, text: str) -> str:
        """Return what was kept, and ``text``."""
        before, self._before = self._before, []
        return "".join([*before, text])


def _skip_lead(text: str) -> str:
    """Return ``text`` without the white space and backticks that it begins with."""
    return text[_SKIPPED.match(text).end() :]  # type: ignore[union-attr]

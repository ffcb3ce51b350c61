"""``FencedJSON``: finds the JSON document in a model's answer, plain or in a Markdown code block.

The reader is a state machine: ``_read`` is the method that handles the next text. It starts with
``_read_lead`` (whitespace before a document), and tries the text as a document in ``_read_plain``. If that fails it
looks for a fence: ``_find_fence``, ``_skip_label``, ``_skip_gap``. Either way it ends in ``_read_document``.
"""

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

    The document is at the beginning of the text, after whitespace and backticks. If there is no valid JSON,
    it is after the first fence in the text and the optional word ``json``. ``document`` is its reader;
    strings may contain control characters. Text after the document, or after the first invalid character,
    is ignored. Takes time linear in the text.
    """

    __slots__ = ("_before", "_read", "document")

    def __init__(self) -> None:
        self.document = JSONAssembler(strict=False)
        # Text that may have to be searched again.
        self._before: list[str] = []
        self._read: _Read = FencedJSON._read_lead

    def feed(self, text: str) -> None:
        """Read the next piece of the text."""
        self._read(self, text)

    def close(self) -> None:
        """Finish at the end of the text."""
        if self.document.failure is None:
            self.document.close()

    def _read_lead(self, text: str) -> None:
        self._before.append(text)
        if rest := _strip_lead(text):
            self._read = FencedJSON._read_plain
            self._try(rest)

    def _read_plain(self, text: str) -> None:
        self._before.append(text)
        self._try(text)

    def _try(self, text: str) -> None:
        """Read the text as a document; at the first error, search for a fence instead."""
        self.document.feed(text)
        if self.document.started:
            self._before = []
            self._read = FencedJSON._read_document
        elif self.document.failure is not None:
            self.document = JSONAssembler(strict=False)
            self._go_on(FencedJSON._find_fence, "")

    def _find_fence(self, text: str) -> None:
        """Search for the fence."""
        text = self._take_kept(text)
        before, fence, after = text.partition(_FENCE)
        if fence:
            self._go_on(FencedJSON._skip_label, after)
        else:
            self._before = [before[1 - len(_FENCE) :]]

    def _skip_label(self, text: str) -> None:
        """Skip the word after the fence."""
        text = self._take_kept(text)
        if text != _LABEL and _LABEL.startswith(text):
            self._before = [text]
        else:
            self._go_on(FencedJSON._skip_gap, text.removeprefix(_LABEL))

    def _skip_gap(self, text: str) -> None:
        if rest := _strip_lead(text):
            self._go_on(FencedJSON._read_document, rest)

    def _read_document(self, text: str) -> None:
        """Read the document, up to its first error."""
        if self.document.failure is None:
            self.document.feed(text)

    def _go_on(self, read: _Read, text: str) -> None:
        self._read = read
        read(self, text)

    def _take_kept(self, text: str) -> str:
        """Return the kept text and ``text``, joined."""
        before, self._before = self._before, []
        return "".join([*before, text])


def _strip_lead(text: str) -> str:
    """Return ``text`` without leading whitespace and backticks."""
    return text[_SKIPPED.match(text).end() :]  # type: ignore[union-attr]

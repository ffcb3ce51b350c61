"""Parsers of lists: separated by commas, numbered, and of Markdown."""

from __future__ import annotations

import csv
import re
from abc import abstractmethod
from collections.abc import Callable, Iterator, Sequence
from io import StringIO
from typing import Any

from ..streaming.protocols import Stage
from .base import text_of
from .transform import BaseTransformOutputParser

__all__ = (
    "CommaSeparatedListOutputParser",
    "ListOutputParser",
    "MarkdownListOutputParser",
    "NumberedListOutputParser",
)


# The default patterns, written so that a text is read once: they match at the same items as those that users see.
_NUMBERED = re.compile(r"(?<!\d)\d+\.\s([^\n]+)")
_MARKDOWN = re.compile(r"^[^\S\n]*[-*]\s([^\n]+)$", re.MULTILINE)


class ListOutputParser(BaseTransformOutputParser[list[str]]):
    """Parses a list of texts; a subclass writes :meth:`parse`, and :meth:`parse_iter` if it can.

    A stream yields each item in a list of its own, as soon as the next item begins.
    """

    @property
    def _type(self) -> str:
        return "list"

    @abstractmethod
    def parse(self, text: str) -> list[str]:
        """Return the items in ``text``."""

    def parse_iter(self, text: str) -> Iterator[re.Match[str]]:
        """Yield a match for each item in ``text``, whose first group is the item; by default :meth:`parse` is used."""
        raise NotImplementedError

    def _is_by_lines(self) -> bool:
        """Return whether the end of a line ends an item, so that a stream may forget lines without items."""
        return False

    def _as_stage(self) -> Stage[Any, Any]:
        return _Items(self)

    def _as_call(self) -> Callable[[Any], list[str]]:
        return self._parse_answer


class CommaSeparatedListOutputParser(ListOutputParser):
    """Parses items separated by commas, with quotes as in CSV."""

    def get_format_instructions(self) -> str:
        """Return instructions for the model about the format of its answer."""
        return "Your response should be a list of comma separated values, eg: `foo, bar, baz` or `foo,bar,baz`"

    def parse(self, text: str) -> list[str]:
        """Return the items in ``text``."""
        try:
            rows = csv.reader(StringIO(text), skipinitialspace=True)
            return [item for row in rows for item in row]
        except csv.Error:
            return [item.strip() for item in text.split(",")]

    def _as_stage(self) -> Stage[Any, Any]:
        base, kind = CommaSeparatedListOutputParser, type(self)
        is_own = kind.parse is base.parse and kind.parse_iter is base.parse_iter
        return _SeparatedItems(self) if is_own else super()._as_stage()

    @property
    def _type(self) -> str:
        return "comma-separated-list"


class NumberedListOutputParser(ListOutputParser):
    """Parses the items of a numbered list; ``pattern`` matches an item, and its first group is the text."""

    pattern: str = r"\d+\.\s([^\n]+)"

    def get_format_instructions(self) -> str:
        """Return instructions for the model about the format of its answer."""
        return (
            "Your response should be a numbered list with each item on a new line. "
            "For example: \n\n1. foo\n\n2. bar\n\n3. baz"
        )

    def parse(self, text: str) -> list[str]:
        """Return the items in ``text``."""
        return re.findall(self._linear_pattern(), text)

    def parse_iter(self, text: str) -> Iterator[re.Match[str]]:
        """Yield a match for each item in ``text``."""
        return re.finditer(self._linear_pattern(), text)

    def _linear_pattern(self) -> str | re.Pattern[str]:
        return _NUMBERED if self._is_by_lines() else self.pattern

    def _is_by_lines(self) -> bool:
        return self.pattern == NumberedListOutputParser.pattern

    @property
    def _type(self) -> str:
        return "numbered-list"


class MarkdownListOutputParser(ListOutputParser):
    """Parses the items of a list in Markdown; ``pattern`` matches an item, and its first group is the text."""

    pattern: str = r"^\s*[-*]\s([^\n]+)$"

    def get_format_instructions(self) -> str:
        """Return instructions for the model about the format of its answer."""
        return "Your response should be a markdown list, eg: `- foo\n- bar\n- baz`"

    def parse(self, text: str) -> list[str]:
        """Return the items in ``text``."""
        return re.findall(self._linear_pattern(), text)

    def parse_iter(self, text: str) -> Iterator[re.Match[str]]:
        """Yield a match for each item in ``text``."""
        return re.finditer(self._linear_pattern(), text)

    def _linear_pattern(self) -> re.Pattern[str]:
        return _MARKDOWN if self._is_by_lines() else re.compile(self.pattern, re.MULTILINE)

    def _is_by_lines(self) -> bool:
        return self.pattern == MarkdownListOutputParser.pattern

    @property
    def _type(self) -> str:
        return "markdown-list"


class _Items(Stage[Any, list[str]]):
    """The stage of lists: it returns each item when the next one begins, and the last one at the end."""

    __slots__ = ("_is_by_lines", "_is_open", "_parser", "_pieces")

    def __init__(self, parser: ListOutputParser) -> None:
        self._parser = parser
        self._is_by_lines = parser._is_by_lines()
        # Whether the text that is kept has the end of a line: then any chunk may begin the next item.
        self._is_open = not self._is_by_lines
        # The text that is not returned yet.
        self._pieces: list[str] = []

    def feed(self, item: object) -> Sequence[list[str]]:
        """Return the items that the chunk completes."""
        text = text_of(item)
        self._pieces.append(text)
        if not self._is_open and "\n" not in text:
            return ()
        buffer = "".join(self._pieces)
        try:
            found, rest = self._find(buffer)
        except NotImplementedError:
            parts = self._parser.parse(buffer)
            found, rest = (parts[:-1], parts[-1]) if len(parts) > 1 else ([], buffer)
        self._pieces = [rest]
        self._is_open = not self._is_by_lines or "\n" in rest.lstrip()
        return [[part] for part in found]

    def _find(self, buffer: str) -> tuple[list[str], str]:
        """Return the complete items in ``buffer``, and the text to keep: the last item, and what follows it."""
        matches = list(self._parser.parse_iter(buffer))
        last = matches.pop() if matches else None
        found = [match.group(1) for match in matches]
        if not self._is_by_lines:
            return found, buffer[matches[-1].end() :] if matches else buffer
        if last is None:
            return found, _last_lines(buffer)
        return found, last.group() + _last_lines(buffer[last.end() :])

    def close(self) -> Sequence[list[str]]:
        """Return the items that are left."""
        return [[part] for part in self._parser.parse("".join(self._pieces))]


def _last_lines(text: str) -> str:
    """Return the last two lines of ``text``, with the line break before them: an item begins in one of them."""
    start = text.rfind("\n", 0, max(text.rfind("\n"), 0))
    return text[start:] if start > 0 else text


class _SeparatedItems(Stage[Any, list[str]]):
    """The stage of items separated by commas: it returns each item when the next one begins, as :class:`_Items` does.

    The text is parsed where an item ends only, so that a long item in quotes costs no more than others.
    """

    __slots__ = ("_has_ended", "_parser", "_pieces", "_place")

    def __init__(self, parser: ListOutputParser) -> None:
        self._parser = parser
        self._pieces: list[str] = []
        # What the last character was: the start of an item, bare or quoted text, a quote that may be the
        # closing one, or the end of a line.
        self._place = "start"
        self._has_ended = False

    def feed(self, item: object) -> Sequence[list[str]]:
        """Return the items that the chunk completes."""
        text = text_of(item)
        self._pieces.append(text)
        self._read(text)
        if not self._has_ended:
            return ()
        buffer = "".join(self._pieces)
        parts = self._parser.parse(buffer)
        self._has_ended = False
        if len(parts) < 2:
            self._pieces = [buffer]
            return ()
        self._pieces, self._place = parts[-1:], "start"
        # As in LangChain, the text that is kept has lost its quotes.
        self._read(parts[-1])
        return [[part] for part in parts[:-1]]

    def _read(self, text: str) -> None:
        """Note whether an item ends in ``text``."""
        place = self._place
        for char in text:
            if place == "quoted":
                place = "quote" if char == '"' else place
                continue
            if char == "," or (place == "line end" and char not in "\r\n"):
                self._has_ended, place = True, "start"
            if char == "\n":
                place = "line end"
            elif char == '"' and place in ("start", "quote"):
                place = "quoted"
            elif place == "quote" or (place == "start" and char not in " ,"):
                place = "bare"
        self._place = place

    def close(self) -> Sequence[list[str]]:
        """Return the items that are left."""
        return [[part] for part in self._parser.parse("".join(self._pieces))]

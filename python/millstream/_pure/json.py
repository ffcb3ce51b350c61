"""The validating JSON reader: RFC 8259, at most 128 levels deep, lone surrogates welcome.

``NaN``, ``Infinity`` and ``-Infinity`` count as numbers: servers write them in log probabilities.
orjson reads nearly everything. The standard library reads the rest: lone surrogate escapes, numbers
beyond a double, those three words.
"""

import json
import re
from collections.abc import Callable, Iterator
from typing import Any

import orjson

__all__ = ("MAX_DEPTH", "SURELY_SHALLOW", "WHITE_SPACE", "Document", "LazyJson", "read", "shallow")

MAX_DEPTH = 128
"""Arrays and objects inside each other."""

SURELY_SHALLOW = 2 * MAX_DEPTH
"""Bytes that cannot be nested too deeply: a level costs an opening and a closing bracket."""

WHITE_SPACE = b" \t\n\r"
"""RFC 8259, section 2: "Insignificant whitespace is allowed before or after any of the six structural characters."."""

# A string, to its closing quote or to the end of the text; possessive, so that no text is read twice.
_STRING = re.compile(rb'"(?:[^"\\]+|\\.)*+"?', re.DOTALL)
_NO_BRACKET = bytes(set(range(256)) - set(b"[]{}"))
_MINUS_ZERO = re.compile(rb"-0[\s,}\]]")
Path = tuple[str | int, ...]
"""Keys and positions that lead to a part of a document."""

_SPACE = re.compile(r"[ \t\n\r]*")


def read(raw: bytes) -> Any:
    """Return the value of ``raw``, or raise ``ValueError`` if it is not valid JSON.

    Bytes that are not UTF-8 count as U+FFFD, one per maximal subpart. Strings may come out with
    lone surrogates. The last of equal keys counts. An ``int`` is a number of digits alone or with
    a minus sign, but not ``-0``; integers of 20 digits and more may be floats.
    """
    try:
        value = orjson.loads(raw)
    except orjson.JSONDecodeError:
        return _read_slowly(raw)
    if not shallow(raw) and _depth(raw) > MAX_DEPTH:
        raise ValueError("nested too deeply")
    return _read_slowly(raw) if _has_minus_zero(raw) else value


def is_exact(raw: bytes) -> bool:
    """Return whether orjson's value of ``raw`` is surely the one that :func:`read` returns."""
    return shallow(raw) and not _has_minus_zero(raw)


def shallow(raw: bytes) -> bool:
    """Return whether a count of brackets is enough to say that ``raw`` is not nested too deeply."""
    return len(raw) <= SURELY_SHALLOW or raw.count(b"{") + raw.count(b"[") <= MAX_DEPTH


def _has_minus_zero(raw: bytes) -> bool:
    return raw.find(b"-0") >= 0 and _MINUS_ZERO.search(raw) is not None


def _depth(raw: bytes) -> int:
    """Return how deep the arrays and objects of ``raw`` are nested, as far as it is valid JSON."""
    depth = deepest = 0
    for bracket in _STRING.sub(b"", raw).translate(None, _NO_BRACKET):
        if bracket in b"[{":
            depth += 1
            deepest = max(deepest, depth)
        else:
            depth -= 1
    return deepest


def _read_slowly(raw: bytes) -> Any:
    # The standard library recurses once per level: too deep a text must not reach it.
    if not shallow(raw) and _depth(raw) > MAX_DEPTH:
        raise ValueError("nested too deeply")
    return _decoder.decode(raw.decode("utf-8", "replace"))


def _parse_int(digits: str) -> int | float:
    return float(digits) if len(digits) >= 20 or digits == "-0" else int(digits)


_decoder = json.JSONDecoder(parse_int=_parse_int)
# Finds where a value ends; numbers need not be converted.
_skip = json.JSONDecoder(parse_int=str, parse_float=str).raw_decode


class Document:
    """Valid JSON whose parts are cut out, as text, on demand.

    Text and not values, so that every number and every escape is still as the provider sent it.
    """

    __slots__ = ("_known", "_raw", "_spans", "_text")

    def __init__(self, raw: bytes) -> None:
        self._raw = raw
        self._text: str | None = None

    def cut(self, path: Path) -> str:
        """Return the text of the value at ``path``."""
        if self._text is None:
            self._text = self._raw.decode("utf-8", "replace")
            # Where the parts are, and which containers have been looked through: each of them once.
            self._spans: dict[Path, tuple[int, int]] = {(): (_past_space(self._text, 0), len(self._text))}
            self._known: set[Path] = set()
        start, end = self._span(path, self._text)
        return self._text[start:end]

    def _span(self, path: Path, text: str) -> tuple[int, int]:
        if path:
            parent = path[:-1]
            start, _ = self._span(parent, text)
            if parent not in self._known:
                self._known.add(parent)
                parts = _members if text[start] == "{" else _elements
                self._spans.update({(*parent, key): span for key, span in parts(text, start)})
        return self._spans[path]


class LazyJson:
    """A provider's object inside a payload, parsed on each access."""

    __slots__ = ("_document", "_parse", "_path")

    def __init__(self, document: Document, path: Path, parse: Callable[[str], dict[str, Any]]) -> None:
        self._document = document
        self._path = path
        self._parse = parse

    def cut(self) -> str:
        """Return the object's text."""
        return self._document.cut(self._path)

    def read(self) -> dict[str, Any]:
        """Return the object."""
        return self._parse(self.cut())


def _past_space(text: str, at: int) -> int:
    """Return the position of the first character from ``at`` on that is not white space."""
    match = _SPACE.match(text, at)
    assert match is not None
    return match.end()


def _members(text: str, at: int) -> Iterator[tuple[str, tuple[int, int]]]:
    """Yield the keys, unescaped, and the spans of the values of the object at ``at``."""
    at = _past_space(text, at + 1)
    while text[at] != "}":
        key, at = _skip(text, at)
        at = _past_space(text, _past_space(text, at) + 1)
        _, end = _skip(text, at)
        yield key, (at, end)
        at = _past_comma(text, end)


def _elements(text: str, at: int) -> Iterator[tuple[int, tuple[int, int]]]:
    """Yield the positions and the spans of the elements of the array at ``at``."""
    position = 0
    at = _past_space(text, at + 1)
    while text[at] != "]":
        _, end = _skip(text, at)
        yield position, (at, end)
        position += 1
        at = _past_comma(text, end)


def _past_comma(text: str, at: int) -> int:
    """Return the position behind a value that ends at ``at``: of the next part, or of the bracket."""
    at = _past_space(text, at)
    return _past_space(text, at + 1) if text[at] == "," else at

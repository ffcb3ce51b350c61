"""JSON that others wrote, embedded in a record: one line, as short as it can be without reading it."""

import re

from ..._values import escape_line_ends
from ..json import read

__all__ = ("compact_json", "valid_json")

# A string; a word that is not valid JSON; white space.
_TOKEN = re.compile(r'("(?:[^"\\]+|\\.)*+")|(-?(?:NaN|Infinity))|[ \t\n\r]+', re.DOTALL)
# An escaped pair of surrogate halves, or an escaped half; an escaped backslash first, since a "u" may follow it.
_HALF = re.compile(r"\\\\|\\u[dD][89abAB]..\\u[dD][c-fC-F]..|(\\u[dD][89a-fA-F]..)")


def compact_json(text: str) -> bytes:
    """Return ``text``, valid JSON, without white space between its tokens, and with line ends escaped.

    Numbers and strings stay as they are written. ``NaN`` and the infinities become ``null``, and the escape of a
    lone surrogate half becomes that of U+FFFD.
    """
    return escape_line_ends(_TOKEN.sub(_compact, text).encode())


def valid_json(text: str) -> bytes | None:
    """Return ``text`` compact if it is one JSON value, and ``None`` otherwise."""
    try:
        read(text.encode())
    except ValueError:
        return None
    return compact_json(text)


def _compact(match: re.Match[str]) -> str:
    string, word = match.groups()
    if string is None:
        return "null" if word else ""
    return _HALF.sub(_whole, string) if "\\" in string else string


def _whole(match: re.Match[str]) -> str:
    return "\\ufffd" if match[1] else match[0]

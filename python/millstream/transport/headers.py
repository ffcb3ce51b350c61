"""Validation of headers, the same for both transports.

A header's value, and a key in it, is printable ASCII without white space at its ends. HTTP allows more,
but libraries disagree on how to encode it, and a key that ends in a space or a newline was copied badly.
"""

import re
from collections.abc import Mapping

__all__ = ("check_header", "check_headers", "check_text")

_TOKEN = re.compile(r"[!#$%&'*+\-.^_`|~0-9A-Za-z]+")
_TEXT = re.compile(r"(?:[\x21-\x7e](?:[\x20-\x7e]*[\x21-\x7e])?)?")


def check_text(name: str, value: object) -> None:
    """Raise if ``value`` cannot be sent in a header; the message names it ``name`` and never shows it.

    :class:`TypeError` if it is not a ``str``, :class:`ValueError` for characters outside printable ASCII
    and for white space at either end.
    """
    if not isinstance(value, str):
        raise TypeError(f"{name} must be a str, not {type(value).__name__}")
    if _TEXT.fullmatch(value) is None:
        raise ValueError(f"{name} must be printable ASCII without white space at its ends")


def check_header(name: object, value: object) -> None:
    """Raise :class:`TypeError` or :class:`ValueError` if a header with this name and value cannot be sent.

    The message shows the valid beginning of the name, never the value.
    """
    if not isinstance(name, str):
        raise TypeError(f"the name of a header must be a str, not {type(name).__name__}")
    if _TOKEN.fullmatch(name) is None:
        begins = _TOKEN.match(name)
        shown = "" if begins is None else f" that begins with {begins[0]!r}"
        raise ValueError(f"the name of a header{shown} is not valid: use letters, digits, - and _")
    check_text(f"the header {name!r}", value)


def check_headers(headers: Mapping[str, str]) -> None:
    """:func:`check_header` for each of ``headers``."""
    is_token, is_text = _TOKEN.fullmatch, _TEXT.fullmatch
    for name, value in headers.items():
        # The fast path for valid headers; ``check_header`` finds the message for an invalid one.
        if not (type(name) is type(value) is str and is_token(name) and is_text(value)):
            check_header(name, value)

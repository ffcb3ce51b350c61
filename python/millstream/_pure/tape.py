"""A document in the order of its text, as tokens: the reader appends to them, values are built from them."""

from collections.abc import Callable
from typing import Any

from .._values import max_digits
from .text import is_high, join_surrogates

__all__ = ("ARRAY", "END", "OBJECT", "Number", "Tape", "Text", "build")

GROWING = 1024
"""At most this much of an unfinished number is parsed, so that polling after every digit stays linear."""


class _Mark:
    """A token that holds nothing."""

    __slots__ = ()


ARRAY, OBJECT, END = _Mark(), _Mark(), _Mark()
"""An array or an object begins; the one that began last ends."""


class Text:
    """A string, or a key, in the pieces in which it came."""

    __slots__ = ("_held", "is_key", "pieces")

    def __init__(self, *, is_key: bool) -> None:
        self.is_key = is_key
        self.pieces: list[str] = []
        # Half a surrogate pair that waits for the other half.
        self._held = ""

    def add(self, piece: str) -> None:
        """Add the next piece, with all halves of surrogate pairs in it."""
        text = self._held + piece
        self._held = text[-1:] if is_high(text[-1:]) else ""
        if whole := join_surrogates(text[: len(text) - len(self._held)]):
            self.pieces.append(whole)

    def finish(self) -> None:
        """Say that the string is over: a half that waits stays alone."""
        if self._held:
            self.pieces.append("\ufffd")

    def since(self, count: int) -> str:
        """Return the text without the first ``count`` pieces."""
        return "".join(self.pieces[count:])


class Number:
    """A number, in the pieces in which it came; it ``grows`` until something else follows."""

    __slots__ = ("grows", "pieces")

    def __init__(self, first: str) -> None:
        self.pieces = [first]
        self.grows = True

    def value(self) -> int | float:
        """Return the value of the number; while it grows, an end that cannot be its end is left out."""
        # A piece is a character, or two with the minus sign: no more of them are read than count.
        text = "".join(self.pieces[:GROWING] if self.grows else self.pieces)
        if self.grows:
            text = text[:GROWING].rstrip("+-").rstrip("eE").rstrip(".")
        is_integer = len(text) < max_digits() and not any(mark in text for mark in ".eE")
        return int(text) if is_integer else float(text)


# Literals stand for themselves: None, True, False.
Tape = list[Any]


def build(tape: Tape, at: int = 0) -> Any:
    """Return the value that begins at the token ``at``, as far as it is known, in new objects.

    The end of the tape may lack tokens that have not arrived: ends of arrays and objects, or the value
    of a key, which then does not count.
    """
    return _value(tape, at)[0]


def _value(tape: Tape, at: int) -> tuple[Any, int]:
    """Return the value that begins at the token ``at``, and the position of the token behind it."""
    token = tape[at]
    if token is ARRAY:
        return _container(tape, at + 1, [], _element)
    if token is OBJECT:
        return _container(tape, at + 1, {}, _member)
    if isinstance(token, Text):
        return token.since(0), at + 1
    return token.value() if isinstance(token, Number) else token, at + 1


def _container(tape: Tape, at: int, values: Any, take: Callable[[Tape, int, Any], int]) -> tuple[Any, int]:
    while at < len(tape) and tape[at] is not END:
        at = take(tape, at, values)
    return values, at + 1


def _element(tape: Tape, at: int, array: list[Any]) -> int:
    value, at = _value(tape, at)
    array.append(value)
    return at


def _member(tape: Tape, at: int, members: dict[str, Any]) -> int:
    if at + 1 == len(tape):
        return at + 1
    members[tape[at].since(0)], end = _value(tape, at + 1)
    return end

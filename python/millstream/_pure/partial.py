"""Documents that arrive piece by piece: a reader that stops and goes on anywhere."""

import re
from collections.abc import Callable
from typing import Any, NoReturn, final

from ..errors import StreamDecodeError
from .changes import Cursor
from .json import MAX_DEPTH
from .tape import ARRAY, END, OBJECT, Number, Tape, Text, build
from .turns import Turns, closes, feeds

__all__ = ("JSONAssembler",)

_SPACE = re.compile(r"[ \t\n\r]*")
_PLAIN = {True: re.compile(r'[^"\\\x00-\x1f]*'), False: re.compile(r'[^"\\]*')}
_LITERALS = {"t": ("rue", True), "f": ("alse", False), "n": ("ull", None)}
_ESCAPES = {'"': '"', "\\": "\\", "/": "/", "b": "\b", "f": "\f", "n": "\n", "r": "\r", "t": "\t"}
_HEX_DIGITS = frozenset("0123456789abcdefABCDEF")

# "number = [ minus ] int [ frac ] [ exp ]": for each part, what leads to which.
_DIGITS = "0123456789"
_EXPONENT = {"e": "mark", "E": "mark"}
_FIRST = {"0": "zero", **dict.fromkeys("123456789", "int")}
_NUMBER = {
    "start": {"-": "minus", **_FIRST},
    "minus": _FIRST,
    "zero": {".": "point", **_EXPONENT},
    "int": {".": "point", **_EXPONENT, **dict.fromkeys(_DIGITS, "int")},
    "point": dict.fromkeys(_DIGITS, "frac"),
    "frac": {**_EXPONENT, **dict.fromkeys(_DIGITS, "frac")},
    "mark": {"+": "sign", "-": "sign", **dict.fromkeys(_DIGITS, "exp")},
    "sign": dict.fromkeys(_DIGITS, "exp"),
    "exp": dict.fromkeys(_DIGITS, "exp"),
}
_MAY_END = frozenset({"zero", "int", "frac", "exp"})


@final
class JSONAssembler(Turns):
    """Reads a JSON document that arrives piece by piece; the document so far is available at any time.

    ``feed`` takes time linear in the text, whatever the pieces. ``value`` is the document so far, made
    of new objects on each access, at the cost of its size; ``diff`` returns the changes. The
    document is kept, without a limit of its own: at most some 25 bytes for a character of text (some 100
    in the Python half), and less the longer its strings are.

    A string is known as far as it has arrived, without an unfinished escape at its end or half a surrogate
    pair; half a pair that stays alone is U+FFFD. A number is what it would be if it ended here (``1``
    for ``1.``); of an unfinished number longer than 1,024 characters, only those are read. ``true``, ``false`` and
    ``null`` are known when they are whole, a key when its value has begun. The last of equal keys
    counts. Numbers are those of ``json.loads``: integers exact (floats from as many characters on as
    ``sys.get_int_max_str_digits()`` says), other numbers floats, infinite where they are too large.

    Text that RFC 8259 does not allow is an error at its first wrong character, and so is an array or object
    at a depth of more than 128; the document before it stays. ``strict=False`` lets control characters
    stand in strings, as ``json.loads`` does.

    >>> from millstream import JSONAssembler
    >>> json = JSONAssembler()
    >>> json.feed('{"city": "Par')
    >>> json.value, json.complete
    ({'city': 'Par'}, False)
    >>> json.feed('is", "days": [1')
    >>> json.value
    {'city': 'Paris', 'days': [1]}
    """

    __module__ = "millstream"
    __slots__ = (
        *("_closed", "_cursor", "_fed", "_open", "_part", "_plain", "_read", "_rest", "_tape", "_too_deep", "_wrong"),
    )

    def __init__(self, *, strict: bool = True) -> None:
        super().__init__()
        self._plain = _PLAIN[bool(strict)]
        self._tape: Tape = []
        self._cursor = Cursor()
        # The reader of the next character, and the containers that are open.
        self._read: _Read = JSONAssembler._value
        self._open: list[Any] = []
        # In a number, its part; in a literal, its other letters and its value; after \u, the digits.
        self._part = ""
        self._rest: Any = ""
        self._fed = 0
        self._too_deep = False
        self._closed = False
        # Where the wrong character stands.
        self._wrong: int | None = None

    @property
    def value(self) -> Any:
        """The document so far, in new objects; ``None`` before it begins."""
        return build(self._tape) if self._tape else None

    @property
    def started(self) -> bool:
        """Whether the document has begun: before, ``value`` is ``None``, as it is for ``null``."""
        return bool(self._tape)

    @property
    def complete(self) -> bool:
        """Whether the document is whole; a number that stands alone is when white space follows, or at ``close``."""
        return not self._open and self._read is JSONAssembler._after

    @property
    def failure(self) -> StreamDecodeError | None:
        """The error that ended the reading, or ``None``; later calls of ``feed`` and ``close`` raise it."""
        failure: StreamDecodeError | None = self._find_failure()
        return failure

    @feeds
    def feed(self, text: str) -> None:
        """Read on in the document.

        The text may end anywhere. The call that meets an error reads the text before it and sets
        ``failure``, a ``StreamDecodeError`` whose ``offset`` counts the characters before the wrong
        one; later calls raise it. Raises ``TypeError`` if ``text`` is not a ``str``, and ``ValueError``
        after ``close``.
        """
        if not isinstance(text, str):
            raise TypeError(f"feed() takes str, not {type(text).__name__}")
        if self._closed:
            raise ValueError("feed() after close()")
        if self._wrong is not None or self._interrupted:
            self._check_sound()
        at = 0
        while (at := self._past_space(text, at)) < len(text):
            end = self._read(self, text, at)
            if end is None:
                self._wrong = self._fed + at
                return
            at = end
        self._fed += len(text)

    @closes
    def close(self) -> None:
        """End the text: nothing more may be fed.

        A document that is not whole is not an error: ``complete`` is ``False``, and ``value`` stays. Raises
        ``failure`` if there is one.
        """
        if not self._closed and self._wrong is None and not self._open:
            self._end_number()
        self._closed = True
        self._check_sound()

    def diff(self, *, append: bool = True) -> list[dict[str, Any]]:
        """Return the changes since the last call: operations like those of JSON Patch (RFC 6902).

        Each is a dict of ``op``, ``path`` (a JSON Pointer) and ``value``. ``"add"`` has a member or
        the next element, with everything in it so far; ``"replace"`` has the document when it begins, or
        a number whose value changed; ``"append"``, which JSON Patch lacks, has the text that a string has
        grown by. With ``append=False`` such a string is replaced whole, at the cost of its length.
        Otherwise the time taken is linear in the text fed since the last call and in the paths.
        """
        return self._cursor.changes(self._tape, append=bool(append))

    @property
    def _could_end(self) -> bool:
        """Whether the text so far is a document, if nothing follows."""
        may_end = self._read is JSONAssembler._number and self._part in _MAY_END
        return self.complete or (may_end and not self._open)

    def _forget(self) -> None:
        """Drop the tokens so far: the caller only needs to know where the document ends."""
        del self._tape[:-1]
        if self._tape and isinstance(self._tape[-1], Text | Number):
            self._tape[-1].pieces.clear()

    def _make_failure(self) -> StreamDecodeError | None:
        offset = self._wrong
        what = "JSON nested too deeply" if self._too_deep else "invalid JSON"
        return None if offset is None else StreamDecodeError(f"{what} at character {offset}", offset=offset)

    def _past_space(self, text: str, at: int) -> int:
        """Return where the next token begins; inside a token, white space is part of it."""
        if self._read not in _BETWEEN:
            return at
        return _SPACE.match(text, at).end()  # type: ignore[union-attr]

    # The readers of the next character: each returns where it stopped, or None if the character is wrong.

    def _value(self, text: str, at: int) -> int | None:
        first = text[at]
        if first in "[{":
            return self._enter(first, at)
        if first == '"':
            return self._begin_text(at, is_key=False)
        if first in _LITERALS:
            self._rest = _LITERALS[first]
            self._read = JSONAssembler._literal
            return at + 1
        self._part = "start"
        self._read = JSONAssembler._number
        return self._number(text, at)

    def _first_element(self, text: str, at: int) -> int | None:
        return self._shut(at) if text[at] == "]" else self._value(text, at)

    def _first_key(self, text: str, at: int) -> int | None:
        return self._shut(at) if text[at] == "}" else self._key(text, at)

    def _key(self, text: str, at: int) -> int | None:
        return self._begin_text(at, is_key=True) if text[at] == '"' else None

    def _colon(self, text: str, at: int) -> int | None:
        self._read = JSONAssembler._value
        return at + 1 if text[at] == ":" else None

    def _after(self, text: str, at: int) -> int | None:
        container = self._open[-1] if self._open else None
        if (container is OBJECT and text[at] == "}") or (container is ARRAY and text[at] == "]"):
            return self._shut(at)
        if container is None or text[at] != ",":
            return None
        self._read = JSONAssembler._key if container is OBJECT else JSONAssembler._value
        return at + 1

    def _literal(self, text: str, at: int) -> int | None:
        letters, value = self._rest
        if text[at] != letters[0]:
            return None
        self._rest = letters[1:], value
        if len(letters) == 1:
            self._tape.append(value)
            self._read = JSONAssembler._after
        return at + 1

    def _number(self, text: str, at: int) -> int | None:
        part = _NUMBER[self._part].get(text[at])
        if part is None:
            # The character that ends a number is not part of it.
            return at if self._end_number() else None
        if part != "minus":
            # A minus sign alone says nothing: it comes with the first digit.
            if self._part in ("start", "minus"):
                # ``value`` may be asked for at any time: a number is never seen without a digit.
                self._tape.append(Number(f"-{text[at]}" if self._part == "minus" else text[at]))
            else:
                self._tape[-1].pieces.append(text[at])
        self._part = part
        return at + 1

    def _text(self, text: str, at: int) -> int | None:
        token: Text = self._tape[-1]
        end = self._plain.match(text, at).end()  # type: ignore[union-attr]
        if end > at:
            token.add(text[at:end])
            return end
        if text[at] == '"':
            token.finish()
            self._read = JSONAssembler._colon if token.is_key else JSONAssembler._after
        elif text[at] == "\\":
            self._read = JSONAssembler._escape
        else:
            return None
        return at + 1

    def _escape(self, text: str, at: int) -> int | None:
        if text[at] == "u":
            self._rest = ""
            self._read = JSONAssembler._hex_digit
        elif text[at] in _ESCAPES:
            self._tape[-1].add(_ESCAPES[text[at]])
            self._read = JSONAssembler._text
        else:
            return None
        return at + 1

    def _hex_digit(self, text: str, at: int) -> int | None:
        if text[at] not in _HEX_DIGITS:
            return None
        self._rest += text[at]
        if len(self._rest) == 4:
            self._tape[-1].add(chr(int(self._rest, 16)))
            self._read = JSONAssembler._text
        return at + 1

    # Shared by the readers.

    def _enter(self, bracket: str, at: int) -> int | None:
        if len(self._open) == MAX_DEPTH:
            self._too_deep = True
            return None
        container = ARRAY if bracket == "[" else OBJECT
        self._read = JSONAssembler._first_element if container is ARRAY else JSONAssembler._first_key
        self._open.append(container)
        self._tape.append(container)
        return at + 1

    def _shut(self, at: int) -> int:
        self._open.pop()
        self._tape.append(END)
        self._read = JSONAssembler._after
        return at + 1

    def _begin_text(self, at: int, *, is_key: bool) -> int:
        self._tape.append(Text(is_key=is_key))
        self._read = JSONAssembler._text
        return at + 1

    def _end_number(self) -> bool:
        """End the number, if one is read and may end here."""
        if self._read is not JSONAssembler._number or self._part not in _MAY_END:
            return False
        self._tape[-1].grows = False
        self._read = JSONAssembler._after
        return True

    def __repr__(self) -> str:
        return "<millstream.JSONAssembler>"

    def __reduce__(self) -> NoReturn:
        raise TypeError("JSONAssembler objects cannot be pickled")


_Read = Callable[[JSONAssembler, str, int], int | None]
# The readers between tokens, where white space may stand.
_BETWEEN: frozenset[_Read] = frozenset(
    {
        JSONAssembler._value,
        JSONAssembler._first_element,
        JSONAssembler._first_key,
        JSONAssembler._key,
        JSONAssembler._colon,
        JSONAssembler._after,
    }
)

"""Whole code points across pieces: bytes cut inside a character, strings cut inside a surrogate pair."""

import re
from typing import NoReturn, final

from .._values import check_option, has_surrogate
from ..errors import StreamDecodeError
from .turns import Turns, closes, feeds
from .utf8 import unfinished

__all__ = ("TextAssembler", "is_high", "join_surrogates")

# A high half that no low half follows, or a low half that no high half precedes.
_UNPAIRED = re.compile("[\ud800-\udbff](?![\udc00-\udfff])|(?<![\ud800-\udbff])[\udc00-\udfff]")


def is_high(character: str) -> bool:
    """Return whether ``character`` is the first half of a surrogate pair."""
    return "\ud800" <= character <= "\udbff"


def join_surrogates(text: str, instead: str = "\ufffd") -> str:
    """Return ``text`` with surrogate pairs made one character each, and ``instead`` for unpaired halves."""
    if not has_surrogate(text):
        return text
    return _UNPAIRED.sub(instead, text).encode("utf-16-le", "surrogatepass").decode("utf-16-le")


@final
class TextAssembler(Turns):
    r"""Puts pieces of text together so that only whole code points come out.

    Pieces are ``bytes`` of UTF-8, cut anywhere, or ``str`` that may end in half a surrogate pair;
    one assembler takes one of the two. What comes out depends on the text alone and not on how it
    was cut, and can always be encoded. A byte order mark is content.

    ``errors`` says what becomes of anything that is not text: ``"replace"`` makes it U+FFFD (one per maximal
    invalid subpart, one per unpaired surrogate), ``"ignore"`` drops it, ``"strict"`` makes it a
    ``StreamDecodeError`` whose ``offset`` counts the bytes or characters before it.

    >>> from millstream import TextAssembler
    >>> text = TextAssembler()
    >>> text.feed(b"caf\xc3"), text.feed(b"\xa9 \xf0\x9f"), text.close()
    ('caf', 'é ', '�')
    """

    __module__ = "millstream"
    __slots__ = ("_closed", "_errors", "_fed", "_held", "_invalid", "_takes")

    def __init__(self, *, errors: str = "replace") -> None:
        super().__init__()
        self._errors = check_option("errors", errors, ("ignore", "replace", "strict"))
        self._takes: type | None = None
        self._held: bytes | str = b""
        # Bytes or characters before the held ones.
        self._fed = 0
        self._closed = False
        # The error of a strict assembler: bytes that are not UTF-8, or "" for half a surrogate pair.
        self._invalid: bytes | str | None = None

    @property
    def failure(self) -> StreamDecodeError | None:
        """The error that a ``"strict"`` assembler met, or ``None``; later calls raise it."""
        failure: StreamDecodeError | None = self._find_failure()
        return failure

    @feeds
    def feed(self, piece: bytes | str) -> str:
        """Return the longest text that later pieces cannot change.

        At most 3 bytes, or one half of a surrogate pair, wait for the next piece. The piece in
        which a ``"strict"`` assembler meets an error gives the text before it and sets
        ``failure``. Raises ``TypeError`` if ``piece`` is not of the kind fed before, and
        ``ValueError`` after ``close``.
        """
        piece = _as_piece(piece)
        if self._closed:
            raise ValueError("feed() after close()")
        self._check_kind(bytes if isinstance(piece, bytes) else str)
        if self._invalid is not None or self._interrupted:
            self._check_sound()
        return self._feed_bytes(piece) if isinstance(piece, bytes) else self._feed_str(piece)

    @closes
    def close(self) -> str:
        """End the text, and return the rest: nothing, or U+FFFD for a character that never ended.

        Raises the ``StreamDecodeError`` of a ``"strict"`` assembler. Closing again returns ``""``.
        """
        held, self._held = self._held, b""
        self._closed = True
        if self._invalid is None and held and self._errors == "strict":
            self._invalid = held if isinstance(held, bytes) else ""
        self._check_sound()
        return "\ufffd" if held and self._errors == "replace" else ""

    def _check_kind(self, kind: type) -> None:
        """Set the kind of pieces, or raise ``TypeError`` if it is another one already."""
        if self._takes is None:
            self._takes = kind
            self._held = kind()
        elif self._takes is not kind:
            raise TypeError(
                f"this TextAssembler was fed {self._takes.__name__}: {kind.__name__} pieces need one of their own"
            )

    def _feed_bytes(self, piece: bytes) -> str:
        held = self._held
        assert isinstance(held, bytes)
        data = held + piece
        count = unfinished(data)
        decided = data[: len(data) - count]
        self._held = data[len(decided) :]
        try:
            text = decided.decode("utf-8", self._errors)
        except UnicodeDecodeError as error:
            self._fed += error.start
            self._invalid = decided[error.start : error.end]
            return decided[: error.start].decode()
        self._fed += len(decided)
        return text

    def _feed_str(self, piece: str) -> str:
        held = self._held
        assert isinstance(held, str)
        text = held + piece
        self._held = text[-1:] if is_high(text[-1:]) else ""
        decided = text[: len(text) - len(self._held)]
        bad = _UNPAIRED.search(decided) if self._errors == "strict" else None
        if bad is not None:
            self._fed += bad.start()
            self._invalid = ""
            return join_surrogates(decided[: bad.start()])
        self._fed += len(decided)
        return join_surrogates(decided, "\ufffd" if self._errors == "replace" else "")

    def _make_failure(self) -> StreamDecodeError | None:
        at, invalid = self._fed, self._invalid
        if isinstance(invalid, bytes):
            return StreamDecodeError(f"invalid UTF-8 at byte {at}", offset=at, frame=invalid)
        return None if invalid is None else StreamDecodeError(f"unpaired surrogate at character {at}", offset=at)

    def __repr__(self) -> str:
        return "<millstream.TextAssembler>"

    def __reduce__(self) -> NoReturn:
        raise TypeError("TextAssembler objects cannot be pickled")


def _as_piece(piece: object) -> bytes | str:
    if isinstance(piece, bytes | str):
        return piece
    if isinstance(piece, bytearray | memoryview):
        return bytes(piece)
    raise TypeError(f"feed() takes bytes or str, not {type(piece).__name__}")

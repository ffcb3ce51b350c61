"""Content codings: what a server compressed although it was asked not to."""

import zlib
from typing import Any, Protocol

from ...errors import StreamDecodeError

__all__ = ("Inflater", "Refused", "content_for")

# The most that comes out at once: what a small body grows to is never held as a whole.
_PIECE_SIZE = 65_536
_GZIP, _ZLIB, _RAW = 31, 15, -15


class Content(Protocol):
    """Turns a body as it came into what it means."""

    def put(self, data: bytes) -> None:
        """Take in some of the body."""

    def take(self) -> bytes:
        """Return the next piece; empty when more must be put in first."""

    def close(self) -> None:
        """Check that the body was complete."""


def content_for(coding: str) -> Content | None:
    """Return what reads a body with this ``content-encoding``; ``None`` where it is read as it is."""
    coding = coding.strip().lower()
    if coding in ("", "identity"):
        return None
    if coding in ("gzip", "x-gzip"):
        return Inflater(_GZIP)
    return Inflater(_ZLIB) if coding == "deflate" else Refused(coding)


class Inflater:
    """Reads gzip, also several members in a row, and deflate, with or without zlib's header."""

    __slots__ = ("_bits", "_data", "_decompressor", "_has_begun")

    def __init__(self, bits: int) -> None:
        self._bits = bits
        self._data = b""
        self._has_begun = False
        self._decompressor: Any = zlib.decompressobj(bits)

    def put(self, data: bytes) -> None:
        """Take in some of the body."""
        self._data += data

    def take(self) -> bytes:
        """Return the next piece, 64 KiB at most; empty when more must be put in first.

        Raises :class:`~millstream.errors.StreamDecodeError` where the data is not what it should be.
        """
        while self._data or self._has_begun:
            if self._decompressor.eof:
                if not self._data:
                    return b""
                self._decompressor, self._has_begun = zlib.decompressobj(self._bits), False
            if not self._has_begun and self._bits == _ZLIB and not self._finds_header():
                return b""
            self._has_begun = True
            try:
                piece: bytes = self._decompressor.decompress(self._data, _PIECE_SIZE)
            except zlib.error as error:
                raise StreamDecodeError(f"the body cannot be decompressed ({error})") from error
            self._data = self._decompressor.unused_data or self._decompressor.unconsumed_tail
            if piece or not self._data:
                return piece
        return b""

    def close(self) -> None:
        """Raise :class:`~millstream.errors.StreamDecodeError` if the compressed data ended early."""
        if self._data or (self._has_begun and not self._decompressor.eof):
            raise StreamDecodeError("the body cannot be decompressed (it ends early)")

    def _finds_header(self) -> bool:
        """Return whether it is known by now if zlib's header is there, which some servers leave out."""
        if len(self._data) < 2:
            return False
        if self._data[0] & 0x0F != 8 or int.from_bytes(self._data[:2], "big") % 31:
            self._bits = _RAW
            self._decompressor = zlib.decompressobj(_RAW)
        return True


class Refused:
    """Stands for a coding that cannot be read: the first byte of the body is an error."""

    __slots__ = ("_coding",)

    def __init__(self, coding: str) -> None:
        self._coding = coding

    def put(self, data: bytes) -> None:
        """Raise :class:`~millstream.errors.StreamDecodeError`."""
        raise StreamDecodeError(
            f"the body cannot be decompressed (its coding is {self._coding!r}, which was not asked for)"
        )

    def take(self) -> bytes:
        """Return nothing."""
        return b""

    def close(self) -> None:
        """Accept an empty body."""

"""Content codings: what a server compressed although it was asked not to. Both transports read them here."""

import zlib
from collections.abc import Callable, Sequence
from functools import partial
from itertools import pairwise
from typing import Any, Protocol

from ...errors import StreamDecodeError

__all__ = ("ContentDecoder", "Inflater", "MultiDecoder", "UnsupportedCoding", "content_decoder")

# The most that comes out at once: what a small body grows to is never held as a whole.
_PIECE_SIZE = 65_536
# The most that goes in at once, and how often before something has to come out: data that means nothing
# (empty members, empty blocks) comes back to whoever has a clock to look at.
_SLICE_SIZE = 4096
_MOST_SLICES = 16
_GZIP, _ZLIB, _RAW = 31, 15, -15
# Nobody applies more; each is a chance to grow a thousandfold.
_MOST_CODINGS = 5
_UNREADABLE = frozenset(("br", "zstd", "compress", "x-compress", "dcb", "dcz", "exi", "pack200-gzip"))


class ContentDecoder(Protocol):
    """Turns a body as it came into what it means."""

    def feed(self, data: bytes) -> None:
        """Take in some of the body."""

    def take(self) -> bytes | None:
        """Return the next piece, empty where this much work brought nothing; ``None`` when more must be put in."""

    def close(self) -> None:
        """Check that the body was complete."""


def content_decoder(coding: str) -> ContentDecoder | None:
    """Return what reads a body with this ``content-encoding``; ``None`` where it is read as it is.

    As httpx2 has it, a name that is no coding (``UTF-8``, ``none``) says nothing; unlike it, a coding that
    cannot be read is an error, not a body of noise.
    """
    names = [name for name in (part.strip().lower() for part in coding.split(",")) if name in _KNOWN]
    if not names:
        return None
    unreadable = next((name for name in names if name in _UNREADABLE), None)
    if unreadable is not None or len(names) > _MOST_CODINGS:
        return UnsupportedCoding(unreadable or ", ".join(names))
    # They were applied in this order, so that the last is taken off first.
    steps = [_KNOWN[name]() for name in reversed(names)]
    return steps[0] if len(steps) == 1 else MultiDecoder(steps)


class Inflater:
    """Reads gzip, also several members in a row, and deflate, with or without zlib's header."""

    __slots__ = ("_at", "_bits", "_data", "_decompressor", "_has_begun")

    def __init__(self, bits: int) -> None:
        self._bits = bits
        self._data = b""
        self._at = 0
        self._has_begun = False
        self._decompressor: Any = zlib.decompressobj(bits)

    def feed(self, data: bytes) -> None:
        """Take in some of the body."""
        self._data = self._data[self._at :] + data
        self._at = 0

    def take(self) -> bytes | None:
        """Return the next piece, 64 KiB at most, empty where this much work brought nothing.

        ``None`` when more must be put in first. Raises :class:`~millstream.errors.StreamDecodeError`
        where the data is not what it should be.
        """
        for _ in range(_MOST_SLICES):
            data = self._data[self._at : self._at + _SLICE_SIZE]
            if self._decompressor.eof and data:
                self._decompressor, self._has_begun = zlib.decompressobj(self._bits), False
            if not self._has_begun and (not data or (self._bits == _ZLIB and not self._check_header())):
                return None
            self._has_begun = True
            if piece := self._inflate(data):
                return piece
            if self._at == len(self._data):
                return None
        return b""

    def close(self) -> None:
        """Raise :class:`~millstream.errors.StreamDecodeError` if the compressed data ended early."""
        if self._at < len(self._data) or (self._has_begun and not self._decompressor.eof):
            raise StreamDecodeError("the body cannot be decompressed (it ends early)")

    def _inflate(self, data: bytes) -> bytes:
        try:
            piece: bytes = self._decompressor.decompress(data, _PIECE_SIZE)
        except zlib.error as error:
            raise StreamDecodeError(f"the body cannot be decompressed ({error})") from error
        self._at += len(data) - len(self._decompressor.unused_data) - len(self._decompressor.unconsumed_tail)
        return piece

    def _check_header(self) -> bool:
        """Return whether it is known by now if zlib's header is there, which some servers leave out."""
        header = self._data[self._at : self._at + 2]
        if len(header) < 2:
            return False
        if header[0] & 0x0F != 8 or int.from_bytes(header, "big") % 31:
            self._bits = _RAW
            self._decompressor = zlib.decompressobj(_RAW)
        return True


class UnsupportedCoding:
    """Stands for a coding that cannot be read: the first byte of the body is an error."""

    __slots__ = ("_coding",)

    def __init__(self, coding: str) -> None:
        self._coding = coding

    def feed(self, data: bytes) -> None:
        """Raise :class:`~millstream.errors.StreamDecodeError`."""
        raise StreamDecodeError(
            f"the body cannot be decompressed (its coding is {self._coding!r}, which was not asked for)"
        )

    def take(self) -> None:
        """Return nothing."""

    def close(self) -> None:
        """Accept an empty body."""


class MultiDecoder:
    """Reads a body to which several codings were applied; each of ``steps`` takes one off."""

    __slots__ = ("_steps",)

    def __init__(self, steps: Sequence[ContentDecoder]) -> None:
        self._steps = steps

    def feed(self, data: bytes) -> None:
        """Take in some of the body."""
        self._steps[0].feed(data)

    def take(self) -> bytes | None:
        """Return the next piece, empty where this much work brought nothing; ``None`` when more must be put in."""
        piece = self._steps[-1].take()
        if piece is not None:
            return piece
        for step, following in reversed(tuple(pairwise(self._steps))):
            if (piece := step.take()) is not None:
                following.feed(piece)
                return b""
        return None

    def close(self) -> None:
        """Raise :class:`~millstream.errors.StreamDecodeError` if the compressed data ended early."""
        for step in self._steps:
            step.close()


_KNOWN: dict[str, Callable[[], ContentDecoder]] = {
    "gzip": partial(Inflater, _GZIP),
    "x-gzip": partial(Inflater, _GZIP),
    "deflate": partial(Inflater, _ZLIB),
    **{name: partial(UnsupportedCoding, name) for name in _UNREADABLE},
}

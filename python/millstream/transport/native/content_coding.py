"""Content codings: decompresses bodies, for both transports. We ask for none, but servers may ignore that."""

import zlib
from collections.abc import Callable, Sequence
from functools import partial
from itertools import pairwise
from typing import Any, Protocol

from ...errors import StreamDecodeError

__all__ = ("ContentDecoder", "Inflater", "MultiDecoder", "UnsupportedCoding", "content_decoder")

# Maximum size of one piece of output: a small body that inflates a thousandfold is never held as a whole.
_PIECE_SIZE = 65_536
# Maximum size of one step's input, and the number of steps without output before an empty piece is returned:
# a body of empty members or blocks must not keep the consumer from checking its deadline.
_SLICE_SIZE = 4096
_MOST_SLICES = 16
_GZIP, _ZLIB, _RAW = 31, 15, -15
# No server applies more, and each one may inflate the data a thousandfold.
_MOST_CODINGS = 5
_UNREADABLE = frozenset(("br", "zstd", "compress", "x-compress", "dcb", "dcz", "exi", "pack200-gzip"))


class ContentDecoder(Protocol):
    """Decodes a body. Call :meth:`take` until it returns ``None`` before the next :meth:`feed`."""

    def feed(self, data: bytes) -> None:
        """Feed data of the body."""

    def take(self) -> bytes | None:
        """Return the next piece, which may be empty; ``None`` if more data is needed."""

    def close(self) -> None:
        """Raise if the body is incomplete."""


def content_decoder(coding: str) -> ContentDecoder | None:
    """Return the decoder for a ``content-encoding``; ``None`` if there is nothing to decode.

    As in httpx2, a name that is not a coding (``UTF-8``, ``none``) is ignored. Unlike there, a coding that
    cannot be read is an error; httpx2 returns the compressed bytes.
    """
    names = [name for name in (part.strip().lower() for part in coding.split(",")) if name in _KNOWN]
    if not names:
        return None
    unreadable = next((name for name in names if name in _UNREADABLE), None)
    if unreadable is not None or len(names) > _MOST_CODINGS:
        return UnsupportedCoding(unreadable or ", ".join(names))
    # They were applied in this order, so the last one is decoded first.
    steps = [_KNOWN[name]() for name in reversed(names)]
    return steps[0] if len(steps) == 1 else MultiDecoder(steps)


class Inflater:
    """Decodes gzip, with any number of members, and deflate, with or without zlib's header."""

    __slots__ = ("_at", "_bits", "_data", "_decompressor", "_has_begun")

    def __init__(self, bits: int) -> None:
        self._bits = bits
        self._data = b""
        self._at = 0
        self._has_begun = False
        self._decompressor: Any = zlib.decompressobj(bits)

    def feed(self, data: bytes) -> None:
        """Feed data of the body."""
        self._data = self._data[self._at :] + data
        self._at = 0

    def take(self) -> bytes | None:
        """Return the next piece, of at most 64 KiB; it may be empty. ``None`` if more data is needed.

        Raises :class:`~millstream.errors.StreamDecodeError` for invalid data.
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
        """Detect a missing zlib header, which some servers omit; return ``False`` if that needs more data."""
        header = self._data[self._at : self._at + 2]
        if len(header) < 2:
            return False
        if header[0] & 0x0F != 8 or int.from_bytes(header, "big") % 31:
            self._bits = _RAW
            self._decompressor = zlib.decompressobj(_RAW)
        return True


class UnsupportedCoding:
    """Stands for a coding that cannot be read: any data is an error, an empty body is not."""

    __slots__ = ("_coding",)

    def __init__(self, coding: str) -> None:
        self._coding = coding

    def feed(self, data: bytes) -> None:
        """Raise :class:`~millstream.errors.StreamDecodeError`."""
        raise StreamDecodeError(
            f"the body cannot be decompressed (its coding is {self._coding!r}, which was not asked for)"
        )

    def take(self) -> None:
        """Return ``None``: there is no data."""

    def close(self) -> None:
        """Accept an empty body."""


class MultiDecoder:
    """Decodes a body to which several codings were applied; each of ``steps`` decodes one."""

    __slots__ = ("_steps",)

    def __init__(self, steps: Sequence[ContentDecoder]) -> None:
        self._steps = steps

    def feed(self, data: bytes) -> None:
        """Feed data of the body."""
        self._steps[0].feed(data)

    def take(self) -> bytes | None:
        """Return the next piece, which may be empty; ``None`` if more data is needed."""
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

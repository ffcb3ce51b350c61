"""The text of choice 0 so far: in pieces, which are joined now and then, and no more of it than errors carry."""

__all__ = ("KeptText",)

# Pieces are counted once in so many bytes of the stream.
_STEP = 1 << 16


class KeptText:
    """The text of choice 0; of its UTF-8 bytes, the first ``limit`` are kept, unless ``keeps_all``."""

    __slots__ = ("_counted", "_limit", "_size", "keeps_all", "next", "pieces")

    def __init__(self, limit: int) -> None:
        self.pieces: list[str] = []
        """Where pieces are added; only ever changed in place."""
        self.keeps_all = False
        self.next = _STEP
        """The number of bytes of the stream after which the pieces are to be counted."""
        self._limit = limit
        # How many pieces were counted, and their bytes; once too much has come, all that ever came.
        self._counted = 0
        self._size = 0

    @property
    def text(self) -> str:
        """The text that errors carry."""
        text = self.kept
        if self.complete or len(data := text.encode()) <= self._limit:
            return text
        return data[: self._limit].decode("utf-8", "ignore")

    @property
    def kept(self) -> str:
        """The text as far as it is kept."""
        self._count()
        self.pieces[:] = ["".join(self.pieces)]
        self._counted = 1
        return self.pieces[0]

    @property
    def complete(self) -> bool:
        """Whether errors carry all of it."""
        self._count()
        return self._size <= self._limit

    def count(self, seen: int) -> None:
        """Count the pieces, and drop those past the limit; ``seen`` bytes of the stream have arrived."""
        self._count()
        self.next = seen + _STEP

    def _count(self) -> None:
        """Count the pieces that are new, as one from now on."""
        if len(self.pieces) == self._counted:
            return
        new = "".join(self.pieces[self._counted :])
        before, self._size = self._size, self._size + len(new.encode())
        if self._size > self._limit and not self.keeps_all:
            room = max(self._limit - before, 0)
            new = new.encode()[:room].decode("utf-8", "ignore")
        self.pieces[self._counted :] = [new] if new else []
        self._counted = len(self.pieces)

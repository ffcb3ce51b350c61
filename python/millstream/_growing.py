"""``GrowingText``: a string buffer that grows in place; both halves build large events with it."""

__all__ = ("GrowingText",)


class GrowingText:
    """A string that pieces are appended to.

    CPython extends a string in place, as ``realloc`` does, if a local variable holds the only reference to it
    and the result is assigned to the same variable. Appending then copies only the piece, and the buffer takes
    hardly more memory than its text.
    """

    __slots__ = ("_text",)

    def __init__(self) -> None:
        self._text = ""

    def append(self, piece: str) -> None:
        """Append ``piece``."""
        text = self._text
        self._text = ""
        text += piece
        self._text = text

    def finish(self, piece: str) -> str:
        """Append the last piece, return the whole text, and start again with an empty one."""
        self.append(piece)
        text = self._text
        self._text = ""
        return text

"""Text that grows where it stands: what both halves put a large event together with."""

__all__ = ("GrowingText",)


class GrowingText:
    """A string that pieces are appended to.

    CPython makes a string longer where it stands, as ``realloc`` does, if one local variable has the only
    reference to it, and the result goes to that variable. Text of any size then takes no copy of it, and hardly
    more memory than its own.
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
        """Return the whole text, of which ``piece`` is the end, and start again with none."""
        self.append(piece)
        text = self._text
        self._text = ""
        return text

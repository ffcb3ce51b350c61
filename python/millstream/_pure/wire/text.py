"""``text``: the text itself in UTF-8, and nothing else."""

from ..delta import Delta
from ..text import join_surrogates
from .wire import Failure, Wire

__all__ = ("TextWire",)


class TextWire(Wire):
    """A refusal is text. All else is left out, an error too: the connection is cut instead of being closed."""

    __slots__ = ()

    lacks = ("sources", "data", "snapshots")

    def text(self, out: bytearray, text: str) -> None:
        out += text.encode()

    def delta(self, out: bytearray, delta: Delta) -> None:
        for text in (delta.text, delta.refusal):
            out += join_surrogates(text or "").encode()

    def fail(self, out: bytearray, failure: Failure) -> None:
        pass

    def close(self, out: bytearray) -> None:
        pass

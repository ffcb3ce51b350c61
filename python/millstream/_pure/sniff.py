"""The kind of a body, by its first byte: servers that fail answer a stream's request with JSON or HTML."""

from .json import WHITE_SPACE
from .lines import BOM

__all__ = ("Sniffer",)

# For each framing, the kind of a body by its first byte; any other one is an event stream.
_KINDS = {
    "sse": {b"{": "json", b"<": "html"},
    "sse or array": {b"{": "json", b"<": "html", b"[": "array"},
    "ndjson": {b"{": "lines", b"<": "html"},
    "event stream": {b"{": "json", b"<": "html", b"\0": "messages"},
    "any": {b"{": "lines or json", b"<": "html", b"[": "array", b"\0": "messages"},
}


class Sniffer:
    """Looks for the first byte that is not white space, after a BOM if there is one."""

    __slots__ = ("_bom", "_kinds")

    def __init__(self, framing: str) -> None:
        self._kinds = _KINDS[framing]
        # The bytes of a possible BOM; None once it is settled.
        self._bom: bytes | None = b""

    def feed(self, data: bytes) -> tuple[str | None, bytes]:
        """Return the kind of the body and the end of ``data`` that starts with its first byte.

        ``"json"`` and ``"html"`` are whole bodies, ``"lines"``, ``"array"`` and ``"messages"`` have framings of
        their own; anything else is ``"sse"``. ``None`` says that nothing but white space has come.
        """
        if self._bom is not None:
            data = self._bom + data
            if len(data) < len(BOM) and BOM.startswith(data):
                self._bom = data
                return None, b""
            data = data.removeprefix(BOM)
            self._bom = None
        rest = data.lstrip(WHITE_SPACE)
        if not rest:
            return None, b""
        return self._kinds.get(rest[:1], "sse"), rest

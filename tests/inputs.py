"""The classes with ``feed`` and ``close``, with good input and input that stops each of them."""

from collections.abc import Callable
from dataclasses import dataclass
from types import ModuleType
from typing import Any

__all__ = ("BROKEN", "INPUTS", "PROPERTIES", "Input", "outcome", "pass_over")

_FRAME = b'data: {"choices":[{"index":0,"text":"x"}]}\n\n'


@dataclass(frozen=True)
class Input:
    """A class, one piece of input that it reads any number of times, and what a feed of it hands out."""

    name: str
    feed: str
    close: str
    piece: Any
    items: int
    arguments: tuple[Any, ...] = ()
    begin: Any = None

    def make(self, half: ModuleType, **options: Any) -> Any:
        """Return a new object that has read ``begin``."""
        made = getattr(half, self.name)(*self.arguments, **options)
        if self.begin is not None:
            getattr(made, self.feed)(self.begin)
        return made

    def count(self, out: Any) -> int:
        """Return how many items a call handed out."""
        return 0 if out is None else len(out)


_DECODER = ("openai.completions",)
INPUTS = [
    Input("StreamDecoder", "feed", "close", _FRAME * 20, 20, _DECODER),
    Input("StreamDecoder", "feed_text", "close_text", _FRAME * 20, 20, _DECODER),
    Input("StreamDecoder", "_feed_parts", "_close_parts", _FRAME * 20, 20, _DECODER),
    Input("StreamDecoder", "feed_payloads", "close_payloads", _FRAME * 20, 20, _DECODER),
    Input("SSEParser", "feed", "close", b"data: x\n\n" * 20, 20),
    Input("TextAssembler", "feed", "close", b"four" * 5, 20),
    Input("JSONAssembler", "feed", "close", "1," * 20, 0, begin="["),
]

PROPERTIES = {
    "StreamDecoder": ("failure", "done", "ended", "text", "usage", "error", "finish_reason", "deltas_seen"),
    "SSEParser": ("failure", "retry", "last_event_id", "truncated"),
    "TextAssembler": ("failure",),
    "JSONAssembler": ("failure", "value", "complete", "started"),
}


def _broken(name: str, piece: Any, **options: Any) -> tuple[str, Any, dict[str, Any]]:
    return name, piece, options


# For each kind of failure: the class, what stops it, and its options.
BROKEN = {
    "a payload that is not JSON": _broken("StreamDecoder", _FRAME + b"data: {bad\n\n"),
    "an event too large": _broken("StreamDecoder", b"data: " + b"x" * 99, max_event_size=64),
    "a body that is HTML": _broken("StreamDecoder", b"<html>" + b" " * 600),
    "a server-sent event too large": _broken("SSEParser", b"data: " + b"x" * 99, max_event_size=64),
    "bytes that are not UTF-8": _broken("TextAssembler", b"ok\xff", errors="strict"),
    "half a surrogate pair": _broken("TextAssembler", "ok\udc00", errors="strict"),
    "a document that is not JSON": _broken("JSONAssembler", "[1, nul!"),
    "a document that is too deep": _broken("JSONAssembler", "[" * 129),
}


def pass_over(act: Callable[[], Any], *errors: type[BaseException]) -> Any:
    """Return what ``act`` returns, or the exception it raises if it is one of ``errors``."""
    try:
        return act()
    except errors as error:
        return error


def outcome(act: Callable[[], Any]) -> str:
    """Return the name and the message of the exception that ``act`` raises, or ``""``."""
    error = pass_over(act, Exception)
    return f"{type(error).__name__}: {error}" if isinstance(error, Exception) else ""

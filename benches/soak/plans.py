"""The plan of each stream. Server and client derive it from the stream's number, which is the prompt."""

import json
import random
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from millstream.errors import (
    APIConnectionError,
    EventTooLargeError,
    InternalServerError,
    MillstreamError,
    ProviderError,
    RateLimitError,
    StreamDecodeError,
    StreamStalledError,
    StreamTruncatedError,
)
from millstream.testing import (
    Chunking,
    Compress,
    Cut,
    Drip,
    ErrorFrame,
    ErrorStatus,
    Fault,
    Garble,
    GiantHead,
    Interim,
    Refuse,
    Reply,
    Stall,
    varied,
)

KINDS = ("completions", "chat")
SYNC_WAYS = ("stream", "events", "invoke", "left")
ASYNC_WAYS = ("stream", "events", "records", "invoke", "left")

ONE_IN = 5
# The timeout of stalled streams; all others have none.
STALL_SECONDS = 1.0
SOON = {"retry-after-ms": "1"}


@dataclass(frozen=True)
class Trouble:
    """A fault, and the errors that it may cause; without errors, the stream is complete all the same."""

    fault: Fault | tuple[Fault, ...] | None
    error: type[MillstreamError] | None = None
    # Sent by the server in place of a frame.
    bad: bytes = b""
    weight: int = 10


TROUBLES = (
    Trouble(Cut(3, "reset"), StreamTruncatedError),
    Trouble(Cut(4, "fin"), StreamTruncatedError),
    Trouble(Cut(2, "end"), StreamTruncatedError),
    Trouble(Cut(3, "reset", inside=True), StreamTruncatedError),
    Trouble(Cut(3, "fin", inside="chunk"), StreamTruncatedError),
    Trouble(Cut("head", "fin"), StreamTruncatedError),
    Trouble(Cut("request", "fin"), APIConnectionError),
    Trouble(Cut("half-head", "reset"), APIConnectionError),
    Trouble(Refuse(), APIConnectionError),
    Trouble(GiantHead(), APIConnectionError),
    Trouble(Garble("chunk-size"), StreamTruncatedError),
    Trouble(Garble("conflicting-lengths"), APIConnectionError),
    Trouble(ErrorStatus(429, headers=SOON), RateLimitError),
    Trouble(ErrorStatus(500, headers=SOON), InternalServerError),
    Trouble(ErrorFrame(3), ProviderError),
    Trouble(None, StreamDecodeError, b"data: {bad}\n\n", weight=30),
    Trouble(None, EventTooLargeError, b"data: " + b"x" * (17 << 20) + b"\n\n", weight=1),
    Trouble(Stall(3), StreamStalledError, weight=1),
    Trouble(Interim()),
    Trouble(Chunking()),
    Trouble(Compress()),
    Trouble((Drip(7), Interim(), Chunking())),
)
WEIGHTS = [trouble.weight for trouble in TROUBLES]


class Plan:
    """Stream number ``number``."""

    def __init__(self, number: int) -> None:
        self.number = number
        self._source = random.Random(number)
        self.kind = self._source.choice(KINDS)
        faulty = self._source.randrange(ONE_IN) == 0
        self.trouble = self._source.choices(TROUBLES, WEIGHTS)[0] if faulty else None
        self._count = self._source.randint(8, 150)
        self._per_write = self._source.choice((1, 1, 3, 20))

    @cached_property
    def pieces(self) -> Sequence[str]:
        """The text, piece by piece."""
        return varied(self._count, self.number)

    @property
    def text(self) -> str:
        """The whole text."""
        return "".join(self.pieces)

    def reply(self) -> Reply:
        """Return the server's reply."""
        common: dict[str, Any] = {"pieces": self.pieces, "pieces_per_write": self._per_write}
        if self.trouble is None:
            return Reply(**common)
        if self.trouble.bad:
            return Reply(body=[*map(self._frame, self.pieces), self.trouble.bad])
        return Reply(**common, fault=self.trouble.fault)

    def _frame(self, piece: str) -> bytes:
        choice = {"text": piece} if self.kind == "completions" else {"delta": {"content": piece}}
        return b"data: " + json.dumps({"choices": [{"index": 0, **choice}]}).encode() + b"\n\n"

    def fault_found(self, text: str, error: BaseException | None, way: str) -> str | None:
        """Return why the end of the stream is wrong, or nothing if it is right."""
        allowed = None if self.trouble is None else self.trouble.error
        if error is None:
            if way == "left" and self.text.startswith(text):
                return None
            # A document is complete where a stream would lack its end, and frames are not a document.
            excused = way == "invoke" and (text == self.text or (self.trouble is not None and self.trouble.bad))
            if allowed is not None and not excused:
                return f"no {allowed.__name__}, but {len(text)} characters"
            return None if excused or text == self.text else "the text is another one"
        if allowed is None or not isinstance(error, MillstreamError):
            return f"{type(error).__name__}: {error}"
        # A response that does not stream has no frames: it fails as a document does.
        if way != "invoke" and not isinstance(error, allowed):
            return f"{type(error).__name__}, not {allowed.__name__}: {error}"
        if not self.text.startswith(text):
            return "what came before the error is no prefix"
        carried = getattr(error, "text", None)
        return "the error carries another text" if carried and carried != text and way != "invoke" else None

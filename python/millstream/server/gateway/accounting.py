"""What a gateway knows of each request, and its line in the access log."""

from __future__ import annotations

import json
import logging
import time
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from .limits import KeyLimits

__all__ = ("Account", "Usage")

logger = logging.getLogger("millstream.access")


@dataclass(slots=True)
class Usage:
    """The tokens of an answer; ``is_estimate`` says that the upstream did not count them.

    An answer that was left before its end has no count: its deltas are counted in place of its tokens.
    """

    input_tokens: int = 0
    output_tokens: int = 0
    is_estimate: bool = False

    @classmethod
    def of(cls, usage: Mapping[str, Any] | None, deltas: int) -> Usage:
        """Return the upstream's counts; without them, an estimate by the number of deltas."""
        if usage:
            return cls(_count(usage, "prompt_tokens"), _count(usage, "completion_tokens"))
        return cls(0, deltas, is_estimate=True)


def _count(usage: Mapping[str, Any], name: str) -> int:
    value = usage.get(name)
    return value if isinstance(value, int) else 0


@dataclass(slots=True)
class Account:
    """One request, from its first byte to its last.

    ``outcome`` is ``"ok"``, ``"error"`` or ``"left"``, where the client left first. Times are seconds: until the
    answer's first bytes, and of the whole request. ``close`` may be called several times; the first call counts.
    """

    id: str
    path: str
    key: str
    model: str
    wire: str
    stream: bool
    limits: KeyLimits
    report: Callable[[Account], None]
    started: float = field(default_factory=time.monotonic)
    status: int = 200
    outcome: str = "left"
    error: str | None = None
    upstream: str | None = None
    tried: int = 0
    usage: Usage = field(default_factory=Usage)
    first_chunk_seconds: float | None = None
    seconds: float = 0.0
    _is_closed: bool = False

    def note_first_chunk(self) -> None:
        """Note the answer's first bytes."""
        if self.first_chunk_seconds is None:
            self.first_chunk_seconds = time.monotonic() - self.started

    def close(self) -> None:
        """End the request: its tokens are subtracted from those of its key, and it is logged and counted."""
        if self._is_closed:
            return
        self._is_closed = True
        self.seconds = time.monotonic() - self.started
        self.limits.leave(self.usage.input_tokens + self.usage.output_tokens)
        if logger.isEnabledFor(logging.INFO):
            logger.info("%s", json.dumps(self.line()))
        self.report(self)

    def line(self) -> dict[str, Any]:
        """Return the line of the access log, without texts and keys."""
        return {
            "time": time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime()),
            "id": self.id,
            "path": self.path,
            "key": self.key,
            "model": self.model,
            "upstream": self.upstream,
            "upstreams_tried": self.tried,
            "wire": self.wire,
            "stream": self.stream,
            "status": self.status,
            "outcome": self.outcome,
            "error": self.error,
            "input_tokens": self.usage.input_tokens,
            "output_tokens": self.usage.output_tokens,
            "tokens_estimated": self.usage.is_estimate,
            "first_chunk_ms": None if self.first_chunk_seconds is None else round(self.first_chunk_seconds * 1e3, 3),
            "ms": round(self.seconds * 1e3, 3),
        }

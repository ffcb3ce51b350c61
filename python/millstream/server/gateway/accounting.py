"""What a gateway knows of each request, and its line in the access log."""

from __future__ import annotations

import json
import logging
import time
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from ...wires.public_error import describe_error

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from ..._backend import ChunkTimes
    from .limits import KeyLimits
    from .upstreams import Upstream

__all__ = ("Account", "Usage", "estimate_tokens")

logger = logging.getLogger("millstream.access")

_CHARACTERS_PER_TOKEN = 4
_MOST_TOKENS = 2**40
_CLIENT_CLOSED = 499


@dataclass(slots=True)
class Usage:
    """The tokens of an answer; ``is_estimate`` says that the upstream did not count them.

    An answer that was left before its end has no count: its deltas are counted in place of its tokens, and a
    token for every four characters of the request.
    """

    input_tokens: int = 0
    output_tokens: int = 0
    is_estimate: bool = False


@dataclass(slots=True)
class Account:
    """One request, from its head to the last byte of its answer.

    ``outcome`` is ``"ok"``, ``"error"``, or ``"left"`` where the client was gone, did not read, or the server shut
    down. ``status`` is what the client was sent, 499 if it left before. ``error`` is the type of an error.
    Times are seconds: until the answer's first bytes, and of the whole request. ``chunk_counts`` are how many chunks
    came how long after the one before, by the bounds of :class:`~millstream.ChunkTimes`, and ``chunk_seconds``
    is the time of all.
    """

    id: str
    path: str
    report: Callable[[Account], None]
    started: float = field(default_factory=time.monotonic)
    key: str = ""
    model: str = ""
    wire: str = ""
    stream: bool = False
    status: int = 200
    outcome: str = "left"
    error: str | None = None
    asked: Upstream | None = None
    tried: int = 0
    usage: Usage = field(default_factory=Usage)
    first_chunk_seconds: float | None = None
    chunk_counts: tuple[int, ...] = ()
    chunk_seconds: float = 0.0
    seconds: float = 0.0
    input_estimate: int = 0
    _limits: KeyLimits | None = None
    _times: ChunkTimes | None = None
    _times_began: float = 0.0
    _counted: Mapping[str, Any] | None = None
    _deltas: int = 0

    @property
    def upstream(self) -> str | None:
        """The name of the upstream that answered, or was asked last."""
        return None if self.asked is None else self.asked.name

    def enter(self, limits: KeyLimits) -> None:
        """Count the request of a key; :class:`~millstream.server.openai_api.RequestError` if it has none left."""
        limits.enter()
        self._limits = limits

    def ask(self, upstream: Upstream) -> None:
        """Note that an upstream is asked."""
        self.asked = upstream
        self.tried += 1

    def measure(self, times: ChunkTimes) -> None:
        """Take the times of the chunks, at the end, from what was made now."""
        self._times, self._times_began = times, time.monotonic()

    def note_answer(self) -> None:
        """Note an answer that is whole at once."""
        self.first_chunk_seconds = time.monotonic() - self.started

    def count(self, usage: Mapping[str, Any] | None, deltas: int) -> None:
        """Note the upstream's counts, and the number of deltas."""
        self._counted, self._deltas = usage, deltas

    def fail(self, error: BaseException) -> None:
        """Note how the request failed."""
        if isinstance(error, TimeoutError):
            # The client does not read.
            self.error = "client_timeout"
            return
        public = describe_error(error)
        self.outcome, self.error = "error", public.type
        if not self._has_begun:
            self.status = public.status

    def close(self) -> None:
        """End the request: its tokens are subtracted from those of its key, and it is logged and counted."""
        self.seconds = time.monotonic() - self.started
        if self._times is not None:
            self._read_times(self._times)
        if self.outcome == "left" and not self._has_begun:
            self.status = _CLIENT_CLOSED
        self.usage = self._find_usage()
        if self._limits is not None:
            self._limits.leave(self.usage.input_tokens + self.usage.output_tokens)
        if logger.isEnabledFor(logging.INFO):
            logger.info("%s", json.dumps(self.line()))
        self.report(self)

    @property
    def _has_begun(self) -> bool:
        """Whether the client was sent a part of the answer."""
        return self.first_chunk_seconds is not None or (self._times is not None and self._times.first is not None)

    def _read_times(self, times: ChunkTimes) -> None:
        if times.first is not None:
            self.first_chunk_seconds = self._times_began - self.started + times.first
            self.chunk_counts, self.chunk_seconds = times.counts, times.total

    def _find_usage(self) -> Usage:
        if self._counted:
            return Usage(_count(self._counted, "prompt_tokens"), _count(self._counted, "completion_tokens"))
        if self._deltas or (self.outcome == "left" and self.tried):
            return Usage(self.input_estimate, self._deltas, is_estimate=True)
        return Usage()

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


def estimate_tokens(body: Mapping[str, Any]) -> int:
    """Return about how many tokens the texts of a request have: a token for every four characters."""
    characters = _length(body.get("prompt")) + _length(body.get("input"))
    messages = body.get("messages")
    for message in messages if isinstance(messages, list) else ():
        if isinstance(message, dict):
            characters += _length(message.get("content"))
    return characters // _CHARACTERS_PER_TOKEN


def _length(content: object) -> int:
    """Return the length of a text, or of those in a list of texts and parts; other parts are not counted."""
    if isinstance(content, str):
        return len(content)
    if not isinstance(content, list):
        return 0
    texts = (part.get("text") if isinstance(part, dict) else part for part in content)
    return sum(len(text) for text in texts if isinstance(text, str))


def _count(usage: Mapping[str, Any], name: str) -> int:
    """Return a count; what is none must not give tokens back to a key."""
    value = usage.get(name)
    return min(max(value, 0), _MOST_TOKENS) if type(value) is int else 0

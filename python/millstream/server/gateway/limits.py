"""The limits of a client's key, in this process: requests and tokens in a minute, and streams at the same time."""

from __future__ import annotations

import math
import time
from collections.abc import Callable

from ..openai_api.errors import RequestError
from .config import KeyConfig

__all__ = ("KeyLimits", "Limits")

_MINUTE = 60.0


class _Bucket:
    """An allowance of so many in a minute, which fills up evenly. It may be overdrawn by what nobody knew before."""

    __slots__ = ("_at", "_left", "_most", "_now")

    def __init__(self, most: int, now: Callable[[], float]) -> None:
        self._most = most
        self._left = float(most)
        self._now = now
        self._at = now()

    def seconds_until(self, count: float) -> float:
        """Return the seconds until ``count`` are left; 0 if they are."""
        now = self._now()
        self._left = min(self._most, self._left + (now - self._at) * self._most / _MINUTE)
        self._at = now
        return max(0.0, (count - self._left) * _MINUTE / self._most)

    def take(self, count: float) -> None:
        """Take ``count``."""
        self._left -= count


class KeyLimits:
    """What one key has left."""

    __slots__ = ("_now", "_requests", "_streams", "_tokens", "key", "running")

    def __init__(self, key: KeyConfig, now: Callable[[], float]) -> None:
        self._now = now
        self.running = 0
        self.set_limits(key)

    def set_limits(self, key: KeyConfig) -> None:
        """Set the limits to those of ``key``; what runs goes on, and the minute begins again."""
        self.key = key
        self._streams = math.inf if key.streams is None else key.streams
        self._requests = None if key.requests_per_minute is None else _Bucket(key.requests_per_minute, self._now)
        self._tokens = None if key.tokens_per_minute is None else _Bucket(key.tokens_per_minute, self._now)

    def enter(self) -> None:
        """Begin a request; :class:`RequestError` with status 429 if the key has none left."""
        if self.running >= self._streams:
            raise _exceeded(f"{self.key.streams} answers at the same time", "concurrency_limit_exceeded", 1.0)
        if self._requests is not None and (seconds := self._requests.seconds_until(1)):
            raise _exceeded(f"{self.key.requests_per_minute} requests in a minute", "rate_limit_exceeded", seconds)
        # The tokens of an answer are known at its end: a request begins while any are left.
        if self._tokens is not None and (seconds := self._tokens.seconds_until(1)):
            raise _exceeded(f"{self.key.tokens_per_minute} tokens in a minute", "rate_limit_exceeded", seconds)
        if self._requests is not None:
            self._requests.take(1)
        self.running += 1

    def leave(self, tokens: int) -> None:
        """End a request that has used so many tokens."""
        self.running -= 1
        if self._tokens is not None:
            self._tokens.take(tokens)


class Limits:
    """The limits of all keys. A key whose configuration stays the same keeps its counts when the file is read again."""

    def __init__(self, now: Callable[[], float] = time.monotonic) -> None:
        self._now = now
        self._by_name: dict[str, KeyLimits] = {}

    def running(self) -> dict[str, int]:
        """Return how many requests of each key run."""
        return {name: limits.running for name, limits in self._by_name.items()}

    def of(self, key: KeyConfig) -> KeyLimits:
        """Return what ``key`` has left."""
        found = self._by_name.get(key.name)
        if found is None:
            found = self._by_name[key.name] = KeyLimits(key, self._now)
        elif found.key != key:
            found.set_limits(key)
        return found


def _exceeded(what: str, code: str, seconds: float) -> RequestError:
    return RequestError(
        f"Rate limit reached for this key: {what}. Try again later.",
        status=429,
        type="rate_limit_error",
        code=code,
        headers={"retry-after": str(math.ceil(seconds))},
    )

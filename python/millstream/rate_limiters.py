"""Rate limiters: models wait for them before each request."""

from __future__ import annotations

import time
from abc import ABC, abstractmethod
from threading import Lock

__all__ = ("BaseRateLimiter", "InMemoryRateLimiter")


class BaseRateLimiter(ABC):
    """The interface of a rate limiter: the permission for one request is acquired before the request."""

    @abstractmethod
    def acquire(self, *, blocking: bool = True) -> bool:
        """Wait until a request is allowed, and return ``True``.

        Without ``blocking`` it does not wait, and returns whether the request is allowed.
        """

    @abstractmethod
    async def aacquire(self, *, blocking: bool = True) -> bool:
        """Do what :meth:`acquire` does, without blocking the event loop."""


class InMemoryRateLimiter(BaseRateLimiter):
    """Allows ``requests_per_second``, for all threads and tasks of the process: a token bucket.

    The bucket is empty at first. It is filled by ``requests_per_second``, up to ``max_bucket_size``, which is
    the number of requests that are allowed at once after a pause. Each request takes one token from it. A
    request that waits looks for one every ``check_every_n_seconds``.

    Raises :class:`ValueError` for values with which a request would wait for ever.
    """

    def __init__(
        self, *, requests_per_second: float = 1, check_every_n_seconds: float = 0.1, max_bucket_size: float = 1
    ) -> None:
        if not requests_per_second > 0:
            raise ValueError("requests_per_second must be greater than 0")
        if not check_every_n_seconds > 0:
            raise ValueError("check_every_n_seconds must be greater than 0")
        if not max_bucket_size >= 1:
            raise ValueError("max_bucket_size must be at least 1")
        self.requests_per_second = requests_per_second
        self.check_every_n_seconds = check_every_n_seconds
        self.max_bucket_size = max_bucket_size
        self.available_tokens = 0.0
        # The time of the last filling, by the monotonic clock.
        self.last: float | None = None
        self._consume_lock = Lock()

    def _consume(self) -> bool:
        """Take a token, and return whether there was one."""
        with self._consume_lock:
            now = time.monotonic()
            if self.last is None:
                self.last = now
            added = (now - self.last) * self.requests_per_second
            # The bucket is filled by whole requests, so that rounding errors do not add up.
            if added >= 1:
                self.available_tokens += added
                self.last = now
            self.available_tokens = min(self.available_tokens, self.max_bucket_size)
            if self.available_tokens < 1:
                return False
            self.available_tokens -= 1
            return True

    def acquire(self, *, blocking: bool = True) -> bool:
        """Take a token; with ``blocking``, wait for it. Return whether there was one."""
        while not self._consume():
            if not blocking:
                return False
            time.sleep(self.check_every_n_seconds)
        return True

    async def aacquire(self, *, blocking: bool = True) -> bool:
        """Do what :meth:`acquire` does, without blocking the event loop."""
        from .transport.running import sleep

        while not self._consume():
            if not blocking:
                return False
            await sleep(self.check_every_n_seconds)
        return True

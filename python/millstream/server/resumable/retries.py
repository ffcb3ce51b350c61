"""Calls of a store that fails for a while."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable
from typing import TypeVar

__all__ = ("call_until",)

Answer = TypeVar("Answer")

_FIRST_DELAY, _LAST_DELAY = 0.05, 1.0


async def call_until(call: Callable[[], Awaitable[Answer]], seconds: float) -> Answer:
    """Return the answer of ``call``, which is repeated while it fails; raise its error when ``seconds`` are over."""
    deadline, delay = time.monotonic() + seconds, _FIRST_DELAY
    while True:
        try:
            return await call()
        except Exception:
            if time.monotonic() + delay >= deadline:
                raise
        await asyncio.sleep(delay)
        delay = min(2 * delay, _LAST_DELAY)

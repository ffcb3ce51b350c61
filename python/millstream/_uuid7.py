"""UUIDs of version 7 for runs: those of one process sort in the order in which they were made."""

import os
import threading
import time
from uuid import UUID

__all__ = ("uuid7",)

_lock = threading.Lock()
_last = 0


def uuid7(nanoseconds: int | None = None) -> UUID:
    """Return a new UUID of version 7: 48 bits of milliseconds, then a counter and random bits.

    Those of one process increase strictly, whichever thread asks, except for those of a passed time.
    """
    global _last
    random = int.from_bytes(os.urandom(8), "big")
    # 60 bits of time: milliseconds, then 12 bits of their fraction (RFC 9562, section 6.2, method 3).
    now = time.time_ns() if nanoseconds is None else nanoseconds
    stamp = (now // 1_000_000 << 12) | (now % 1_000_000 << 12) // 1_000_000
    if nanoseconds is None:
        with _lock:
            # Two within a quarter of a microsecond, or a clock set back: go on counting from the last one.
            stamp = _last = max(stamp, _last + 1)
    value = (stamp >> 12) << 80 | 0x7 << 76 | (stamp & 0xFFF) << 64 | 0b10 << 62 | random >> 2
    return UUID(int=value)


def _reset_after_fork() -> None:
    """Replace the lock: at the fork, another thread of the parent may have held it."""
    global _lock
    _lock = threading.Lock()


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_reset_after_fork)

"""A run: one execution of a Runnable."""

import os
import threading
import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any
from uuid import UUID

__all__ = ("Run", "ids_below", "merge_tags", "uuid7")


@dataclass(slots=True)
class Run:
    """One execution of a Runnable.

    ``parent_ids`` go from the root down. ``tags`` and ``metadata`` belong to the run: they were
    copied from the configuration and the model when it began, and all its events share them.
    """

    run_id: str
    name: str
    run_type: str
    tags: list[str] = field(default_factory=list)
    metadata: dict[str, Any] = field(default_factory=dict)
    parent_ids: list[str] = field(default_factory=list)


def ids_below(parent_ids: Sequence[str], run_id: UUID) -> list[str]:
    """Return the ``parent_ids`` of what is below the run that has these; each once, where users gave an id twice."""
    parent = str(run_id)
    return list(parent_ids) if parent in parent_ids else [*parent_ids, parent]


def merge_tags(inherited: Sequence[str] | None, own: Sequence[str] | None) -> list[str]:
    """Return the tags of a run: the inherited ones, then its own; one that is in both stands at the end."""
    tags = list(inherited or ())
    for tag in own or ():
        if tag in tags:
            tags.remove(tag)
    return [*tags, *(own or ())]


_lock = threading.Lock()
_last = 0


def uuid7() -> UUID:
    """Return a new UUID of version 7: 48 bits of milliseconds, then a counter and random bits.

    Those of one process increase strictly, whichever thread asks.
    """
    global _last
    random = int.from_bytes(os.urandom(8), "big")
    # 60 bits of time: milliseconds, then 12 bits of their fraction (RFC 9562, section 6.2, method 3).
    now = time.time_ns()
    stamp = (now // 1_000_000 << 12) | (now % 1_000_000 << 12) // 1_000_000
    with _lock:
        # Two within a quarter of a microsecond, or a clock set back: go on counting from the last one.
        stamp = _last = max(stamp, _last + 1)
    value = (stamp >> 12) << 80 | 0x7 << 76 | (stamp & 0xFFF) << 64 | 0b10 << 62 | random >> 2
    return UUID(int=value)

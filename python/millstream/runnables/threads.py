"""Calls in threads, for a caller that an interrupt must reach at once."""

from __future__ import annotations

import os
import threading
from collections import deque
from collections.abc import Callable, Sequence
from queue import SimpleQueue
from typing import Any

__all__ = ("run_all",)

# As many as those of the standard library's executor.
_THREADS = min(32, (os.cpu_count() or 1) + 4)


def run_all(calls: Sequence[Callable[[], Any]], at_once: int | None = None) -> list[Any]:
    """Return what ``calls`` return, in their order; ``at_once`` of them run at the same time, in threads.

    Once a call has failed, no other is begun. When those that run have ended, the exception is raised
    of the first one, in their order, that failed. A ``KeyboardInterrupt``, or what else a signal
    handler raises, goes up at once: nobody waits for the threads then, the interpreter neither.
    """
    left = deque(enumerate(calls))
    ended: SimpleQueue[tuple[int, Any, BaseException | None]] = SimpleQueue()
    running = min(at_once or _THREADS, len(calls))
    # The last place is for those who say that they are done.
    results: list[Any] = [None] * (len(calls) + 1)
    failures: dict[int, BaseException] = {}
    failure: BaseException | None = None
    try:
        for number in range(running):
            threading.Thread(target=_work, args=(left, ended), name=f"millstream-batch-{number}", daemon=True).start()
        while running:
            place, results[place], failure = ended.get()
            if place < 0:
                running -= 1
            elif failure is not None:
                failures[place] = failure
        if failures:
            raise failures[min(failures)]
        return results[:-1]
    finally:
        left.clear()
        # A traceback keeps this frame, which would keep the exceptions in it.
        del failures, failure


def _work(
    left: deque[tuple[int, Callable[[], Any]]], ended: SimpleQueue[tuple[int, Any, BaseException | None]]
) -> None:
    """Make one of the calls that are left after the other; say what came of each, and the end."""
    while True:
        try:
            place, call = left.popleft()
        except IndexError:
            return ended.put((-1, None, None))
        try:
            ended.put((place, call(), None))
        except BaseException as error:
            left.clear()
            ended.put((place, None, error))

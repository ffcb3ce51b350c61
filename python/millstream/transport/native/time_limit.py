"""``TimeLimit``: the time limit of several steps, which a blocked event loop does not make expire.

A loop that was blocked calls timers whose time has passed meanwhile, perhaps before it looks at its sockets: what was
waited for may have happened long before. So the time by which a timer is late is not counted: the steps get it again.
"""

from __future__ import annotations

import asyncio
from contextvars import Context

__all__ = ("TimeLimit",)

# A timer that is later than this was kept from running: the loop was blocked, or waited for the GIL.
_LATE_SECONDS = 0.05


class TimeLimit:
    """Lets ``timeout``, which was made without a limit, expire after ``seconds`` of a loop that runs."""

    __slots__ = ("_context", "_due", "_loop", "_seconds", "_timeout", "_timer")

    def __init__(
        self, loop: asyncio.AbstractEventLoop, timeout: asyncio.Timeout, seconds: float, context: Context
    ) -> None:
        self._loop = loop
        self._timeout = timeout
        self._seconds = seconds
        self._context = context
        self._start(loop.time() + seconds)

    def stop(self) -> None:
        """End the limit: the steps are over."""
        self._timer.cancel()

    def _start(self, due: float) -> None:
        self._due = due
        self._timer = self._loop.call_at(due, self._on_timer, context=self._context)

    def _on_timer(self) -> None:
        now = self._loop.time()
        late = now - self._due
        if late > _LATE_SECONDS:
            self._start(now + min(late, self._seconds))
        else:
            self._timeout.reschedule(now)

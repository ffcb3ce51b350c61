"""One timer for all responses of an event loop: keep-alive bytes, send timeouts, and the server's shutdown.

The timer runs while there are responses. A response keeps no clock: it counts what it sends, and the timer compares
the count with that of the last look. A tick costs a fraction of a microsecond for each response.
"""

from __future__ import annotations

import asyncio
import signal
from contextvars import Context
from math import inf
from typing import Protocol

from .errors import logger

__all__ = ("Ticker", "Watched", "running_ticker", "set_grace", "ticker_of")

# The longest time between two ticks: how fast the server's shutdown is noticed, in seconds.
_TICK_SECONDS = 0.5
_SHORTEST_TICK = 0.01


class Watched(Protocol):
    """A running response, as the timer sees it."""

    def check(self, now: float, late: float = 0.0) -> float:
        """Do what is due at ``now``; return the time of the next check.

        ``late`` is for how long a blocked loop could not check.
        """

    def shut_down(self) -> None:
        """Say farewell, and end."""


class Ticker:
    """The running responses of one loop, and the timer that checks them; it is not used again once they have ended."""

    __slots__ = ("_context", "_emptied", "_ends_at", "_loop", "_responses", "_timer", "_timer_at")

    def __init__(self, loop: asyncio.AbstractEventLoop) -> None:
        self._loop = loop
        self._responses: dict[Watched, None] = {}
        self._timer: asyncio.TimerHandle | None = None
        self._timer_at = inf
        # Empty: the timer must not keep the variables of the request that armed it.
        self._context = Context()
        self._emptied = asyncio.Event()
        # When responses say farewell, once the server has been asked to stop.
        self._ends_at: float | None = None

    def add(self, response: Watched) -> None:
        """Check ``response`` until it is removed."""
        self._responses[response] = None
        now = self._loop.time()
        self._arm(min(response.check(now), now + _TICK_SECONDS), now)

    def remove(self, response: Watched) -> None:
        """Forget ``response``; without responses there is no timer."""
        del self._responses[response]
        if not self._responses:
            if self._timer is not None:
                self._timer.cancel()
            self._timer, self._timer_at = None, inf
            self._emptied.set()
            del _tickers[self._loop]

    def shut_down(self) -> None:
        """Let all running responses say farewell."""
        for response in tuple(self._responses):
            response.shut_down()

    async def wait_empty(self, seconds: float) -> bool:
        """Wait until no response is running; return ``False`` if that takes longer."""
        try:
            async with asyncio.timeout(seconds):
                await self._emptied.wait()
        except TimeoutError:
            return False
        return True

    def _arm(self, at: float, now: float) -> None:
        at = max(at, now + _SHORTEST_TICK)
        if at < self._timer_at:
            if self._timer is not None:
                self._timer.cancel()
            self._timer_at = at
            self._timer = self._loop.call_at(at, self._tick, context=self._context)

    def _tick(self) -> None:
        now = self._loop.time()
        late = max(0.0, now - self._timer_at)
        self._timer, self._timer_at = None, inf
        due = now + _TICK_SECONDS
        if is_server_stopping():
            self._ends_at = now + _grace if self._ends_at is None else self._ends_at
            if now >= self._ends_at:
                self.shut_down()
        for response in tuple(self._responses):
            try:
                due = min(due, response.check(now, late))
            except Exception:
                logger.exception("the check of a response failed")
        if self._responses:
            self._arm(due, now)


_tickers: dict[asyncio.AbstractEventLoop, Ticker] = {}
_grace = 0.0


def set_grace(seconds: float) -> None:
    """Let the responses of this process go on for so long once uvicorn has been asked to stop."""
    global _grace
    _grace = seconds


def ticker_of(loop: asyncio.AbstractEventLoop) -> Ticker:
    """Return the ticker of ``loop``, to which a response is added at once."""
    ticker = _tickers.get(loop)
    if ticker is None:
        for closed in [other for other in _tickers if other.is_closed()]:
            del _tickers[closed]
        ticker = _tickers[loop] = Ticker(loop)
    return ticker


def running_ticker(loop: asyncio.AbstractEventLoop) -> Ticker | None:
    """Return the ticker of ``loop``; ``None`` if no response is running."""
    return _tickers.get(loop)


def is_server_stopping() -> bool:
    """Return whether uvicorn has been asked to stop: its ``Server`` handles the process's signals while it runs."""
    handler = signal.getsignal(signal.SIGTERM)
    return getattr(getattr(handler, "__self__", None), "should_exit", False) is True

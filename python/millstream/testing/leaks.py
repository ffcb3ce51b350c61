"""``assert_no_leaks``: a block of code leaves nothing behind, at once."""

import asyncio
import gc
from collections.abc import Collection
from types import TracebackType
from typing import Self

from .leak_watchers import Descriptors, Generators, Tasks, Threads, Warnings, Watcher

__all__ = ("SHARED_THREADS", "assert_no_leaks")

SHARED_THREADS = ("millstream-watchdog", "asyncio_")
"""How the names of threads begin that serve the whole process or loop, and stay for a while when they are idle.

The watchdog of sync streams, and the default executor of a loop, in which asyncio resolves names.
"""


class assert_no_leaks:
    """The block leaves nothing behind, or its end raises :class:`AssertionError`, which lists what it left.

    What counts: tasks that are not done (of the running loop, or of loops that ended in the block),
    open file descriptors, threads, async generators that were begun and neither exhausted nor
    closed, :class:`ResourceWarning`, coroutines that were never awaited, and whatever asyncio
    reports to its logger (a task that was destroyed while pending, an exception that nobody
    retrieved). ::

        with assert_no_leaks():                         # around asyncio.run, or sync code
            asyncio.run(main())

        async with assert_no_leaks():
            async for chunk in llm.astream("hello"):    # inside of a loop
                ...

    The garbage collector is off meanwhile, so that nothing is closed by its luck; with
    ``collect=True`` it stays on and runs before the check, which then proves less. ``with`` checks
    at once; ``async with`` after ``turns`` turns of the loop, since asyncio takes one to begin
    closing what was left, one to close it, and one to close its socket.

    Connections that Millstream keeps in its pools for the next request are no leaks. ``idle_connections``
    is how many others may be kept, by clients of your own; they are counted, not examined. ``threads`` is
    how the names of threads begin that may stay. Sockets of a :class:`~millstream.testing.MockServer` that
    runs are its own business. A block that raises is not checked, for a traceback keeps everything alive.
    One block at a time: warnings, the collector and file descriptors are the process's; what a library
    opens once for the process counts when it does. As a pytest fixture: ``no_leaks``.
    """

    def __init__(
        self,
        *,
        idle_connections: int = 0,
        collect: bool = False,
        threads: Collection[str] = SHARED_THREADS,
        turns: int = 3,
    ) -> None:
        self.idle_connections = idle_connections
        self.collect = collect
        self.threads = threads
        self.turns = turns
        self._watchers: tuple[Watcher, ...] = ()
        self._collected = False

    def start(self) -> None:
        """Begin: what is there now is nobody's leak."""
        if self._watchers:
            raise RuntimeError("this block has begun already")
        self._collected = gc.isenabled()
        if self.collect:
            gc.collect()
        else:
            gc.disable()
        self._watchers = Warnings(), Tasks(), Generators(), Threads(), Descriptors()
        for watcher in self._watchers:
            watcher.start()

    def stop(self) -> None:
        """Stop watching, without a check; again does nothing."""
        watchers, self._watchers = self._watchers, ()
        for watcher in reversed(watchers):
            watcher.stop()
        if watchers and self._collected:
            gc.enable()

    def check(self) -> None:
        """Raise :class:`AssertionError` for what has been left by now."""
        if self.collect:
            gc.collect()
        leaks = [leak for watcher in self._watchers for leak in watcher.found(self)]
        if leaks:
            raise AssertionError("\n- ".join([f"{len(leaks)} left behind:", *leaks]))

    def __enter__(self) -> Self:
        """Begin."""
        self.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Check, at once."""
        try:
            if kind is None:
                self.check()
        finally:
            self.stop()

    async def __aenter__(self) -> Self:
        """Begin."""
        self.start()
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Check after a few turns of the loop."""
        try:
            if kind is None:
                for _ in range(self.turns):
                    await asyncio.sleep(0)
                self.check()
        finally:
            self.stop()

"""``assert_no_leaks``: checks that a block of code leaves nothing behind."""

import asyncio
import gc
from collections.abc import Collection
from types import TracebackType
from typing import Self

from .leak_watchers import Descriptors, Generators, Tasks, Threads, Warnings, Watcher

__all__ = ("SHARED_THREADS", "assert_no_leaks")

SHARED_THREADS = ("millstream-watchdog", "asyncio_")
"""Prefixes of the names of threads that belong to the whole process or loop, and outlive the block.

These are the watchdog of sync streams, and the default executor of a loop, in which asyncio resolves names.
"""


class assert_no_leaks:
    """Raises :class:`AssertionError` at the end of a block that leaves something behind, and lists it.

    These are leaks: tasks that are not done (of the running loop, or of loops that ended in the block),
    open file descriptors, threads, async generators that have started and are neither exhausted nor
    closed, :class:`ResourceWarning`, coroutines that were never awaited, and whatever asyncio
    reports to its logger (a task that was destroyed while pending, an exception that was never
    retrieved). ::

        with assert_no_leaks():                         # around asyncio.run, or sync code
            asyncio.run(main())

        async with assert_no_leaks():
            async for chunk in llm.astream("hello"):    # inside of a loop
                ...

    The garbage collector is off meanwhile, so that nothing is closed by accident; with
    ``collect=True`` it stays on and runs before the check, which then proves less. ``with`` checks
    at once; ``async with`` after ``turns`` turns of the loop, since asyncio takes one to begin
    closing what was left, one to close it, and one to close its socket.

    Idle connections in Millstream's pools are not leaks. ``idle_connections`` is the number of other
    connections that may stay open, those of your own clients; they are counted, not examined. ``threads``
    are prefixes of the names of threads that may stay. Sockets of a running
    :class:`~millstream.testing.MockServer` are ignored. A block that raises is not checked, since the
    traceback keeps everything alive. Use one block at a time: warnings, the collector and file descriptors
    belong to the process. A descriptor that a library opens once per process is reported by the block in
    which that happens. The pytest fixture is ``no_leaks``.
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
        """Begin: what exists now is not a leak."""
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
        """Stop watching, without a check; a second call does nothing."""
        watchers, self._watchers = self._watchers, ()
        for watcher in reversed(watchers):
            watcher.stop()
        if watchers and self._collected:
            gc.enable()

    def check(self) -> None:
        """Raise :class:`AssertionError` for what has leaked so far."""
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

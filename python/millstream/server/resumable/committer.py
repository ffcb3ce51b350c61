"""Stores the records of all streams that one event loop generates: one call of the store per interval."""

from __future__ import annotations

import asyncio
import time
from contextlib import suppress
from functools import partial
from typing import Protocol

from .errors import StoreUnavailableError, StreamStoppedError, WriterFencedError
from .retries import call_until
from .stores.base import Append, Outcome, StreamStore

__all__ = ("Committer", "StreamWriter", "committer_for")

HEARTBEAT_SECONDS = 1.0


class StreamWriter(Protocol):
    """A stream that is being generated, as its committer sees it."""

    def next_append(self) -> Append | None:
        """Return what is to be stored now, or ``None``; the same again until it is :meth:`stored`."""

    def heartbeat(self) -> Append:
        """Return an append that renews the lease."""

    def stored(self, append: Append) -> None:
        """Take note that the append was stored."""

    def interrupt(self, error: BaseException) -> None:
        """End the stream with ``error``, which the store knows of or cannot be told."""


class Committer:
    """Appends for the streams of one store and one event loop, in a task that ends with the last of them."""

    def __init__(self, store: StreamStore) -> None:
        self.store = store
        # The time at which each writer's lease was last renewed.
        self._writers: dict[StreamWriter, float] = {}
        self._news = asyncio.Event()
        self._urgent = asyncio.Event()
        self._task: asyncio.Task[None] | None = None
        self._loop = asyncio.get_running_loop()
        self._key = id(store), self._loop
        self._heartbeat = min(HEARTBEAT_SECONDS, store.lease / 3)

    def add(self, writer: StreamWriter) -> None:
        """Store the records of ``writer``, and renew its lease, until it is removed."""
        self._writers[writer] = time.monotonic()
        if self._task is None or self._task.done():
            self._task = self._loop.create_task(self._run(), name="millstream-committer")

    def remove(self, writer: StreamWriter) -> None:
        """Leave ``writer`` alone from now on."""
        self._writers.pop(writer, None)
        if not self._writers:
            self.notify(urgent=True)

    def notify(self, *, urgent: bool = False) -> None:
        """Take note that a writer has something to store; ``urgent`` ends the interval."""
        self._news.set()
        if urgent:
            self._urgent.set()

    async def _run(self) -> None:
        try:
            while self._writers:
                # A loop that ends cancels its tasks, the writers' too: they end now, and their ends are to be stored.
                with suppress(asyncio.CancelledError):
                    await self._run_once()
        finally:
            if _committers.get(self._key) is self:
                del _committers[self._key]

    async def _run_once(self) -> None:
        await _wait(self._news, self._heartbeat)
        if self._news.is_set() and self.store.flush_interval > 0:
            await _wait(self._urgent, self.store.flush_interval)
        self._news.clear()
        self._urgent.clear()
        await self._commit()

    async def _commit(self) -> None:
        now = time.monotonic()
        due: list[tuple[StreamWriter, Append]] = []
        for writer, renewed in self._writers.items():
            append = writer.next_append()
            if append is not None:
                due.append((writer, append))
            elif renewed + self._heartbeat <= now:
                due.append((writer, writer.heartbeat()))
        if not due:
            return
        try:
            append_all = partial(self.store.append, [append for _, append in due])
            outcomes = await call_until(append_all, self.store.lease)
            settled = list(zip(due, outcomes, strict=True))
        except Exception as error:
            for writer, _ in due:
                failure = StoreUnavailableError()
                failure.__cause__ = error
                writer.interrupt(failure)
                self.remove(writer)
            return
        for (writer, append), outcome in settled:
            self._settle(writer, append, outcome, now)

    def _settle(self, writer: StreamWriter, append: Append, outcome: Outcome, now: float) -> None:
        if outcome == "fenced":
            self.remove(writer)
            writer.interrupt(WriterFencedError())
            return
        if writer in self._writers:
            self._writers[writer] = now
        writer.stored(append)
        if outcome == "stop" and append.status == "running":
            writer.interrupt(StreamStoppedError())


_committers: dict[tuple[int, asyncio.AbstractEventLoop], Committer] = {}


def committer_for(store: StreamStore) -> Committer:
    """Return the committer of the store in the running event loop."""
    key = id(store), asyncio.get_running_loop()
    found = _committers.get(key)
    if found is None:
        found = _committers[key] = Committer(store)
    return found


async def _wait(event: asyncio.Event, seconds: float) -> None:
    if not event.is_set():
        loop = asyncio.get_running_loop()
        timer = loop.call_later(seconds, event.set)
        try:
            await event.wait()
        finally:
            timer.cancel()

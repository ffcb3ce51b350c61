"""Streams of steps that run users' code: driven apart from the consumer where the consumer is async."""

from __future__ import annotations

from collections.abc import AsyncIterable, Callable, Iterable, Iterator, Sequence
from typing import Any

from .channel import Handover
from .drive import adrive
from .protocols import Processor
from .stream import AsyncStream
from .workers import OwnTask, OwnThread, pass_on

__all__ = ("Apart", "PassThrough")


class Apart:
    """The source of a stream that users' code makes: a task of its own for async code, a thread for sync code.

    ``steps`` returns the sync iterable of items, ``asteps`` the async one; both are closed in the
    thread or task that runs them. Whatever ends them reaches the consumer after the last item.
    """

    def __init__(
        self, line: Handover, steps: Callable[[], Iterable[Any]], asteps: Callable[[], AsyncIterable[Any]]
    ) -> None:
        self._line = line
        self._steps = steps
        self._asteps = asteps

    def open(self) -> OwnThread:
        """Begin, with the first read."""
        return OwnThread(self._batches, self._line)

    async def aopen(self) -> OwnTask:
        """Begin, with the first read."""
        return OwnTask(self._perform, self._line)

    def _batches(self) -> Iterator[Sequence[Any]]:
        items = iter(self._steps())
        try:
            for item in items:
                yield (item,)
        finally:
            if (close := getattr(items, "close", None)) is not None:
                close()

    async def _perform(self) -> None:
        await pass_on(aiter(self._asteps()), self._line, _let_pass)


class PassThrough(Processor[Any]):
    """The processor over :class:`Apart`: ``read`` makes outputs of the channel's items, by default it hands them on.

    Users' code may take its time, and is not run twice; its own end alone ends such a stream.
    """

    __slots__ = ("error", "feed")

    def __init__(self, read: Callable[[Sequence[Any]], Sequence[Any]] | None = None) -> None:
        self.error: BaseException | None = None
        self.feed: Callable[[Any], Sequence[Any]] = read or _as_they_are

    def on_disconnect(self, error: Exception) -> None:
        """Keep a stream error of users' code; it is raised as it is."""
        self.error = error


def _as_they_are(items: Sequence[Any]) -> Sequence[Any]:
    return items


def _let_pass(item: Any) -> None:
    """Keep nothing of ``item``."""


def apart(outputs: Callable[[], AsyncIterable[Any]]) -> AsyncStream[Any]:
    """Return a stream of what ``outputs`` yields, in a task of its own."""
    line = Handover(lockstep=True)
    return AsyncStream(adrive(Apart(line, tuple, outputs), PassThrough()))

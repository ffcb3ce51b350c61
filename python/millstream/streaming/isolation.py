"""Isolation: streams whose steps run users' code, in a worker of their own where the consumer is async."""

from __future__ import annotations

from collections.abc import AsyncIterable, Callable, Iterable, Iterator, Sequence
from typing import Any, Self

from .channel import Channel
from .drive import adrive
from .inputs import close_iterator
from .protocols import Processor
from .stream import AsyncStream
from .workers import TaskBody, ThreadBody, pump

__all__ = ("NO_ITEMS", "IsolatedSource", "PassThrough", "isolated_stream")


class IsolatedSource:
    """A source of items that users' code produces: in its own task for async code, in a thread for sync code.

    ``steps`` returns the sync iterable of items, ``asteps`` the async one. Each is closed in the thread or
    task that runs it. The consumer receives the error that ends it after the last item.
    """

    def __init__(
        self, channel: Channel, steps: Callable[[], Iterable[Any]], asteps: Callable[[], AsyncIterable[Any]]
    ) -> None:
        self._channel = channel
        self._steps = steps
        self._asteps = asteps

    def open(self) -> ThreadBody:
        """Return the body; its worker starts with the first read."""
        return ThreadBody(self._batches, self._channel)

    async def aopen(self) -> TaskBody:
        """Return the body; its worker starts with the first read."""
        return TaskBody(self._perform, self._channel)

    def _batches(self) -> Iterator[Sequence[Any]]:
        items = iter(self._steps())
        try:
            for item in items:
                yield (item,)
        finally:
            close_iterator(items)

    async def _perform(self) -> None:
        await pump(aiter(self._asteps()), self._channel, lambda item: None)


class PassThrough(Processor[Any]):
    """The processor over :class:`IsolatedSource`: the channel's items are the outputs, or a subclass makes them.

    Users' code may take its time, and is not run twice; its own end alone ends such a stream.
    """

    __slots__ = ("error",)

    def __init__(self) -> None:
        self.error: BaseException | None = None

    @property
    def feed(self) -> Callable[[Any], Sequence[Any]]:
        """The function that returns the outputs of the items."""
        return self._read

    def _read(self, items: Sequence[Any]) -> Sequence[Any]:
        return items

    def on_disconnect(self, error: Exception) -> None:
        """Keep a stream error of users' code; it is raised as it is."""
        self.error = error


class _NoItems:
    """A source, and its body, without any item."""

    def open(self) -> Self:
        return self

    async def aopen(self) -> Self:
        return self

    def __iter__(self) -> Iterator[Any]:
        return iter(())

    async def read(self) -> Sequence[Any]:
        return ()

    def drain(self) -> None:
        pass

    def close(self) -> None:
        pass

    async def adrain(self) -> None:
        pass

    async def aclose(self) -> None:
        pass


NO_ITEMS = _NoItems()
"""A source without any item."""


def isolated_stream(outputs: Callable[[], AsyncIterable[Any]]) -> AsyncStream[Any]:
    """Return a stream of the items of ``outputs()``, which run in their own task."""
    channel = Channel(rendezvous=True)
    return AsyncStream(adrive(IsolatedSource(channel, tuple, outputs), PassThrough()))

"""Branches: transformations of one input that run at the same time, each in a worker of its own.

The input has a worker too. It sends each item to every branch, and waits while a branch is
:data:`~.channel.MAX_BUFFERED_ITEMS` items behind. The consumer receives the outputs of all branches as they come. The
first error, or a consumer that leaves, stops all workers at once; then their ends are awaited.
"""

from __future__ import annotations

import sys
from collections.abc import (
    AsyncGenerator,
    AsyncIterable,
    AsyncIterator,
    Awaitable,
    Callable,
    Generator,
    Iterable,
    Iterator,
    Mapping,
    Sequence,
)
from typing import TYPE_CHECKING, Any

from .._back_off import sharing_back_off
from .channel import Channel, areceive_any, is_leaving, receive_any
from .inputs import Accumulating, AsyncInputIterator, InputIterator, aclose_iterator, close_iterator
from .replay import WholeInput, as_whole_input
from .workers import TaskBody, ThreadBody, pump, raise_error_of

if TYPE_CHECKING:
    import asyncio

__all__ = ("Arrange", "SharedInput", "TaskBranches", "ThreadBranches", "amerge", "merge", "share_input")

Arrange = Callable[[str, list[Any], bool], Iterable[Any]]
"""Takes the key of a branch, its next outputs, and whether it has ended; returns what the consumer is to receive."""


class FanOut(Channel):
    """The producer's end of several channels: an item goes to all of them, and the slowest one sets the pace."""

    __slots__ = ("channels",)

    def __init__(self, count: int) -> None:
        super().__init__()
        self.channels = [Channel() for _ in range(count)]

    def send(self, item: object) -> None:
        """Add an item to all channels."""
        for channel in self.channels:
            channel.send(item)
        self._note_closed()

    @property
    def is_full(self) -> bool:
        """Whether any channel is full."""
        return any(channel.is_full for channel in self.channels)

    async def await_writable(self) -> None:
        """Wait until no channel is full."""
        for channel in self.channels:
            await channel.await_writable()
        self._note_closed()

    def wait_writable(self) -> None:
        """Wait until no channel is full; this blocks the thread."""
        for channel in self.channels:
            channel.wait_writable()
        self._note_closed()

    def end(self, error: BaseException | None) -> None:
        """End all channels; each consumer raises ``error``."""
        super().end(error)
        for channel in self.channels:
            channel.end(error)

    def close(self, leaving: BaseException | None) -> None:
        """Close all channels, and wake their consumers too."""
        super().close(leaving)
        for channel in self.channels:
            channel.close(leaving)
            channel.end(None)

    def _note_closed(self) -> None:
        if all(channel.closed for channel in self.channels):
            self.closed = True


# Sync code: a thread for each branch, and one for the input.


class ThreadBranches:
    """A body whose raw items are lists of the outputs of ``transforms`` as they come; see :func:`merge`."""

    def __init__(
        self, transforms: Mapping[str, Callable[[Iterator[Any]], Iterable[Any]]], items: Any, arrange: Arrange
    ) -> None:
        self._outputs = {key: Channel() for key in transforms}
        self._arrange = arrange
        self._workers: list[ThreadBody] = []
        copies: list[Iterator[Any]]
        if (whole := as_whole_input(items)) is None:
            fan = FanOut(len(transforms))
            self._workers.append(ThreadBody(_batches(iter, items.lend()), fan))
            copies = [_copy(*pair) for pair in zip(fan.channels, self._outputs.values(), strict=True)]
        else:
            copies = [WholeInput(whole.value) for _ in transforms]
        with sharing_back_off():
            for transform, copy, channel in zip(transforms.values(), copies, self._outputs.values(), strict=True):
                self._workers.append(ThreadBody(_batches(transform, copy), channel))

    def __iter__(self) -> Iterator[list[Any]]:
        for worker in self._workers:
            worker.start()
        outputs = self._outputs
        while outputs:
            ended = None
            arranged: list[Any] = []
            for key, arrived, has_ended in receive_any(outputs):
                arranged += self._arrange(key, arrived, has_ended)
                if has_ended and (ended := outputs.pop(key)).error is not None:
                    break
            yield arranged
            if ended is not None:
                raise_error_of(ended)

    def drain(self) -> None:
        """Wait for the threads, which have nothing more to do."""
        for worker in self._workers:
            worker.drain()

    def close(self) -> None:
        """Stop all threads."""
        _stop_all(self._workers)


def merge(
    transforms: Mapping[str, Callable[[Iterator[Any]], Iterable[Any]]], items: InputIterator, arrange: Arrange
) -> Generator[Any, None, None]:
    """Yield the outputs of ``transforms`` as they come; each is called in its own thread, with a copy of ``items``."""
    branches = ThreadBranches(transforms, items, arrange)
    try:
        for outputs in branches:
            yield from outputs
    finally:
        branches.close()


def _copy(channel: Channel, output: Channel) -> Generator[Any, None, None]:
    """Yield the items of ``channel``; raise :class:`GeneratorExit` once the consumer of ``output`` has left."""
    try:
        while True:
            # A thread that only waits for input ends as soon as it is stopped.
            output.paused = True
            items = channel.receive()
            output.paused = False
            if output.closed:
                raise GeneratorExit
            if not items:
                return raise_error_of(channel)
            yield from items
    finally:
        channel.close(None)


def _batches(
    transform: Callable[[Iterator[Any]], Iterable[Any]], items: Iterator[Any]
) -> Callable[[], Iterator[Sequence[Any]]]:
    def batches() -> Iterator[Sequence[Any]]:
        try:
            outputs = iter(transform(items))
            try:
                for output in outputs:
                    yield (output,)
            finally:
                close_iterator(outputs)
        finally:
            close_iterator(items)

    return batches


def _stop_all(workers: Sequence[ThreadBody]) -> None:
    """Stop all workers, then wait for those that end at once; raise the first error, unless another one is raised."""
    raised, failure = sys.exception(), None
    try:
        for worker in [worker for worker in workers if worker.stop()]:
            try:
                worker.join()
            except Exception as error:
                failure = failure or error
        if failure is not None and (raised is None or is_leaving(raised)):
            raise failure
    finally:
        # A traceback keeps this frame, which would keep the errors.
        del raised, failure


# Async code: a task for each branch, and one for the input.


class TaskBranches:
    """A body whose raw items are lists of the outputs of ``transforms`` as they come; see :func:`amerge`."""

    def __init__(
        self, transforms: Mapping[str, Callable[[AsyncIterator[Any]], AsyncIterable[Any]]], items: Any, arrange: Arrange
    ) -> None:
        self._outputs = {key: Channel() for key in transforms}
        self._arrange = arrange
        self._failed: Channel | None = None
        copies: list[Any]
        if isinstance(items, SharedInput):
            copies = items.copies()
        else:
            whole = as_whole_input(items)
            assert whole is not None
            copies = [WholeInput(whole.value) for _ in transforms]
        with sharing_back_off():
            self._workers = [
                TaskBody(_perform(transform, copy, channel), channel)
                for transform, copy, channel in zip(transforms.values(), copies, self._outputs.values(), strict=True)
            ]
        self._has_started = False
        self._all_workers = [items.worker, *self._workers] if isinstance(items, SharedInput) else self._workers

    async def read(self) -> Sequence[list[Any]]:
        """Return the outputs that have arrived, as one raw item."""
        if not self._has_started:
            self._has_started = True
            for worker in self._workers:
                worker.start()
        if self._failed is not None:
            raise_error_of(self._failed)
        outputs = self._outputs
        arranged: list[Any] = []
        while outputs and not arranged:
            for key, arrived, ended in await areceive_any(outputs):
                arranged += self._arrange(key, arrived, ended)
                if ended and outputs[key].error is not None:
                    self._failed = outputs[key]
                    if not arranged:
                        raise_error_of(self._failed)
                    return (arranged,)
                if ended:
                    del outputs[key]
        return (arranged,) if arranged else ()

    async def adrain(self) -> None:
        """Wait for the tasks, which have nothing more to do."""
        await self.aclose()

    async def aclose(self) -> None:
        """Stop all tasks, and wait for their ends."""
        await _astop_all(self._all_workers)


async def amerge(
    transforms: Mapping[str, Callable[[AsyncIterator[Any]], AsyncIterable[Any]]],
    items: SharedInput | AsyncInputIterator,
    arrange: Arrange,
) -> AsyncGenerator[Any, None]:
    """Yield the outputs of ``transforms`` as they come; each is called in its own task, with a copy of ``items``.

    ``items`` are a :class:`SharedInput`, or one whole value.
    """
    branches = TaskBranches(transforms, items, arrange)
    try:
        while raws := await branches.read():
            for output in raws[0]:
                yield output
    finally:
        await branches.aclose()


def _perform(
    transform: Callable[[AsyncIterator[Any]], AsyncIterable[Any]], items: AsyncIterator[Any], channel: Channel
) -> Callable[[], Awaitable[None]]:
    async def perform() -> None:
        try:
            await pump(aiter(transform(items)), channel, lambda item: None)
        finally:
            await aclose_iterator(items)

    return perform


async def _acopy(channel: Channel) -> AsyncGenerator[Any, None]:
    try:
        while items := await channel.areceive():
            for item in items:
                yield item
        raise_error_of(channel)
    finally:
        channel.close(None)


async def _astop_all(workers: Sequence[TaskBody]) -> None:
    """Stop all workers, then wait for their ends; raise the first error, unless another one is raised."""
    raised, failure = sys.exception(), None
    try:
        for worker in [worker for worker in workers if worker.stop()]:
            try:
                await worker.join()
            except Exception as error:
                failure = failure or error
        if failure is not None and (raised is None or is_leaving(raised)):
            raise failure
    finally:
        del raised, failure


def share_input(items: AsyncIterator[Any], count: int) -> SharedInput | None:
    """Return the input that ``count`` branches share; ``None`` for one branch, or where each may have it at once."""
    return None if count < 2 or as_whole_input(items) is not None else SharedInput(items, count)


class SharedInput(Accumulating):
    """The input of a run that has branches, in async code; its own task reads it.

    After the first item the task waits for :meth:`copies`: the run starts in between, and may ask for the sum
    of all items.
    """

    # A scope that is open across a yield of the producer lives in the producer's task.
    thrown: BaseException | None = None

    def __init__(self, items: AsyncIterator[Any], count: int) -> None:
        self._items = items
        self._fan = FanOut(count)
        self._first = Channel()
        self._head: list[Any] = []
        self._shared: asyncio.Event
        self.worker = TaskBody(self._read, self._fan)

    async def read_first(self) -> None:
        """Wait for the first item, so that the run of the producer starts before the run of its readers."""
        import asyncio

        self._shared = asyncio.Event()
        self.worker.start()
        await self._first.areceive()
        raise_error_of(self._first)

    def accumulate(self, *, adds_on: bool = False) -> None:
        """Accumulate all items."""
        super().accumulate(adds_on=adds_on)
        for item in self._head:
            self._add(item)

    def copies(self) -> list[AsyncIterator[Any]]:
        """Return an iterator over all items for each branch."""
        self._shared.set()
        self._head = []
        return [_acopy(channel) for channel in self._fan.channels]

    async def throw(self, error: BaseException) -> None:
        """Do nothing: the producer's task has no part in a cancellation of its reader."""

    async def aclose(self) -> None:
        """Close the producer of the input."""
        await self.worker.aclose()
        await aclose_iterator(self._items)

    async def _read(self) -> None:
        try:
            await pump(self._items, self._fan, self._keep)
        except BaseException as error:
            self._first.end(error)
            raise
        self._first.end(None)

    def _keep(self, item: object) -> Awaitable[Any] | None:
        if self._shared.is_set():
            self._add(item)
            return None
        self._head = [item]
        self._first.end(None)
        return self._shared.wait()

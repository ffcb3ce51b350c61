"""Workers: bodies whose items users' code produces in its own task or thread, away from the consumer.

Timeouts, cancel scopes and context variables that the code leaves open stay in its task or thread. It
sends its items through a :class:`Channel`, which is closed when the consumer leaves the stream.
"""

from __future__ import annotations

import contextvars
import sys
import threading
from collections.abc import AsyncGenerator, AsyncIterator, Awaitable, Callable, Coroutine, Iterator, Sequence
from contextlib import aclosing, suppress
from typing import TYPE_CHECKING, Any, TypeVar

from .._context import caller_loop, running_loop
from .channel import CONSUMER_LEFT, Channel, is_cancelled, is_leaving
from .inputs import aclose_iterator, close_iterator

if TYPE_CHECKING:
    import asyncio

__all__ = ("TaskBody", "ThreadBody", "iterate_in_thread", "pump", "raise_error_of", "run_in_task", "running_worker")

T = TypeVar("T")

# The loop keeps weak references to its tasks only.
_tasks: set[asyncio.Task[Any]] = set()


class _Running(threading.local):
    worker: ThreadBody | None = None


_running = _Running()


def running_worker() -> ThreadBody | None:
    """Return the worker whose thread is running; ``None`` in any other thread."""
    return _running.worker


class TaskBody:
    """A body whose items ``perform`` sends through the channel, in a task with its own context.

    The consumer receives the error that ends ``perform`` after the last item. Closing the body cancels
    the task, unless it only waits for a writable channel, and returns when the task has ended.
    """

    __slots__ = ("_channel", "_context", "_perform", "_task")

    def __init__(self, perform: Callable[[], Awaitable[None]], channel: Channel) -> None:
        self._perform = perform
        self._channel = channel
        self._context = contextvars.copy_context()
        self._task: asyncio.Task[None] | None = None

    def start(self) -> None:
        """Start the task; :meth:`read` does so, if it has to."""
        import asyncio

        # ``perform`` may refer to the owner of this body, which is freed at once then.
        perform, self._perform = self._perform, _do_nothing
        self._task = _start_task(_run_to_end(perform, self._channel), self._context)
        # A task that is cancelled before its first step never runs ``_run_to_end``.
        channel = self._channel
        self._task.add_done_callback(lambda task: channel.end(asyncio.CancelledError()))

    async def read(self) -> Sequence[list[Any]]:
        """Return the items that have arrived, as one raw item."""
        if self._task is None:
            self.start()
        if items := await self._channel.areceive():
            return (items,)
        raise_error_of(self._channel)
        return ()

    async def adrain(self) -> None:
        """Wait for the task, which has nothing more to do."""
        await self.aclose()

    async def aclose(self) -> None:
        """Close the channel, stop the task, and wait for its end."""
        if self.stop():
            await self.join()

    def stop(self) -> bool:
        """Close the channel and stop the task; return whether :meth:`join` has to be awaited."""
        paused, why = self._channel.paused, CONSUMER_LEFT if is_leaving(sys.exception()) else None
        self._channel.close(sys.exception())
        if self._task is None or self._task.done():
            return False
        if not paused:
            self._task.cancel(why)
        return True

    async def join(self) -> None:
        """Wait for the end of a stopped task."""
        import asyncio

        if self._task is not None:
            await asyncio.wait([self._task])
        raise_error_of(self._channel)


class ThreadBody:
    """A body whose items a sync iterator yields in its own thread; for async code, or for sync code.

    Each item of the iterator is a sequence of items for the channel. Closing the body closes the iterator
    before it returns. If a step of the iterator is running, it is closed after that step. Nobody waits for
    it, unless the step only waits for a connection of ours, which is interrupted (:meth:`on_stop`).
    """

    __slots__ = ("_channel", "_context", "_ended", "_interrupts", "_make", "_thread")

    def __init__(self, make: Callable[[], Iterator[Any]], channel: Channel) -> None:
        self._make = make
        self._channel = channel
        self._context = contextvars.copy_context()
        self._thread: threading.Thread | None = None
        self._ended = Channel()
        self._interrupts: list[Callable[[], bool]] = []

    async def read(self) -> Sequence[list[Any]]:
        """Return the items that have arrived, as one raw item."""
        if self._thread is None:
            self.start(running_loop())
        if items := await self._channel.areceive():
            return (items,)
        raise_error_of(self._channel)
        return ()

    def __iter__(self) -> Iterator[list[Any]]:
        return self

    def __next__(self) -> list[Any]:
        if self._thread is None:
            self.start()
        if items := self._channel.receive():
            return items
        raise_error_of(self._channel)
        raise StopIteration

    async def adrain(self) -> None:
        """Wait for the thread, which has nothing more to do."""
        await self._ended.areceive()

    def drain(self) -> None:
        """Wait for the thread, which has nothing more to do."""
        self._ended.receive()

    async def aclose(self) -> None:
        """Close the channel, and the iterator with it."""
        if self.stop():
            await self._ended.areceive()
            raise_error_of(self._channel)

    def close(self) -> None:
        """Close the channel, and the iterator with it."""
        if self.stop():
            self.join()

    def join(self) -> None:
        """Wait for the end of a stopped thread."""
        self._ended.receive()
        raise_error_of(self._channel)

    def stop(self) -> bool:
        """Close the channel; return whether the thread will end at once."""
        paused = self._channel.paused
        self._channel.close(sys.exception())
        waits = [interrupt() for interrupt in self._interrupts.copy()]
        if self._thread is not None and (paused or any(waits)):
            return True
        # Nobody waits for the thread, nor raises the error that may end it.
        self._channel.end(None)
        return False

    def on_stop(self, interrupt: Callable[[], bool]) -> None:
        """Call ``interrupt`` when the worker is stopped: it ends a wait, and returns whether the thread is in one.

        Raises :class:`GeneratorExit` if the worker has been stopped already.
        """
        self._interrupts.append(interrupt)
        if self._channel.closed:
            raise GeneratorExit

    def forget(self, interrupt: Callable[[], bool]) -> None:
        """Do not call ``interrupt`` any more."""
        with suppress(ValueError):
            self._interrupts.remove(interrupt)

    def start(self, loop: asyncio.AbstractEventLoop | None = None) -> None:
        """Start the thread; reading does so, if it has to. ``loop`` is the event loop that waits for it."""
        args = (self._run, loop)
        self._thread = threading.Thread(target=self._context.run, args=args, name="millstream-stream", daemon=True)
        self._thread.start()

    def _run(self, loop: asyncio.AbstractEventLoop | None) -> None:
        caller_loop.loop = loop
        _running.worker = self
        failure = None
        try:
            self._pump(self._make())
        except BaseException as error:
            failure = error
        self._channel.end(failure)
        self._ended.end(None)
        del failure

    def _pump(self, iterator: Iterator[Any]) -> None:
        try:
            for items in iterator:
                for item in items:
                    self._channel.send(item)
                if self._channel.is_full:
                    self._channel.paused = True
                    self._channel.wait_writable()
                    self._channel.paused = False
                if self._channel.closed:
                    break
        finally:
            close_iterator(iterator)


async def iterate_in_thread(make: Callable[[], Iterator[Any]]) -> AsyncGenerator[Any, None]:
    """Yield the items of the iterator that ``make`` returns; it runs in its own thread."""
    async with aclosing(ThreadBody(lambda: ((item,) for item in make()), Channel())) as batches:
        while batch := await batches.read():
            for item in batch[0]:
                yield item


async def pump(items: AsyncIterator[Any], channel: Channel, keep: Callable[[Any], Awaitable[None] | None]) -> None:
    """Send the items of a user's async iterator through ``channel``, after ``keep``; close the iterator at the end.

    The iterator runs in this task, and may have left a cancel scope open across its ``yield``
    (``async with asyncio.timeout(…): yield …``). Such a scope cancels this task wherever it happens to wait:

    * in the iterator itself: nothing to do, the scope catches its own cancellation;
    * in an async handler or at a full channel: the cancellation is thrown into the iterator (``athrow``), where
      it would have been raised had the iterator been awaiting something. It becomes the scope's
      ``TimeoutError``, or, if no scope of the iterator claims it, comes back and ends this task.

    ``channel.paused`` is set meanwhile, so that leaving the stream wakes the task instead of cancelling it:
    a cancellation would look like one of the iterator's own. If the consumer was itself cancelled, the
    iterator receives that cancellation before it is closed; on ``break`` or ``close`` it is only closed.
    """
    thrown: BaseException | None = None
    try:
        while True:
            try:
                item = await (items.__anext__() if thrown is None else items.athrow(thrown))  # type: ignore[attr-defined]
            except StopAsyncIteration:
                return
            thrown = None
            if (notifying := keep(item)) is not None:
                thrown = await _wait_for(notifying, items, channel)
            channel.send(item)
            if channel.is_full and thrown is None:
                channel.paused = True
                thrown = await _wait_for(channel.await_writable(), items, channel)
                channel.paused = False
            if channel.closed:
                await _stop(items, channel)
    finally:
        del thrown
        await aclose_iterator(items)


async def _wait_for(waiting: Awaitable[None], items: AsyncIterator[Any], channel: Channel) -> BaseException | None:
    """Await ``waiting``; return the cancellation that interrupts it, if it may be that of a scope of ``items``."""
    import asyncio

    try:
        await waiting
    except asyncio.CancelledError as error:
        if channel.closed or not hasattr(items, "athrow"):
            raise
        return error
    return None


async def _stop(items: AsyncIterator[Any], channel: Channel) -> None:
    """Stop after the consumer has left; its cancellation is thrown into ``items`` first, as an error of theirs."""
    import asyncio

    if is_cancelled(channel.leaving) and not is_leaving(channel.leaving) and hasattr(items, "athrow"):
        with suppress(StopAsyncIteration):
            await items.athrow(asyncio.CancelledError(*channel.leaving.args))
    raise GeneratorExit


async def run_in_task(coroutine: Coroutine[Any, Any, T]) -> T:
    """Run ``coroutine`` in its own task; a second cancellation does not wait for the cleanup of the first one."""
    import asyncio

    task = _start_task(coroutine, contextvars.copy_context())
    try:
        await asyncio.wait([task])
    except asyncio.CancelledError as error:
        task.cancel(*error.args)
        await asyncio.wait([task])
        if task.cancelled() or task.exception() is None:
            raise
    try:
        return task.result()
    finally:
        # A traceback keeps this frame, which would keep the task, and the task the exception.
        del task


async def _do_nothing() -> None:
    pass


def _start_task(coroutine: Coroutine[Any, Any, T], context: contextvars.Context) -> asyncio.Task[T]:
    try:
        task = running_loop().create_task(coroutine, context=context)
    except BaseException:
        coroutine.close()
        raise
    _tasks.add(task)
    task.add_done_callback(_forget)
    return task


def _forget(task: asyncio.Task[Any]) -> None:
    _tasks.discard(task)
    if not task.cancelled():
        # A waiting consumer raises it; without one, asyncio must not report it as never retrieved.
        task.exception()


async def _run_to_end(perform: Callable[[], Awaitable[None]], channel: Channel) -> None:
    """Run ``perform``; its exception ends the channel, not the task, so that the consumer receives it."""
    try:
        await perform()
    except BaseException as error:
        channel.end(error)
    else:
        channel.end(None)


def raise_error_of(channel: Channel) -> None:
    """Raise the error that ended the producer of ``channel``, if there is one; only once."""
    error, channel.error = channel.error, None
    if error is not None:
        try:
            raise error
        finally:
            # A traceback keeps this frame, which would keep the error.
            del error

"""Bodies of streams that users' code makes, driven apart from the consumer: in a task, or in a thread.

What that code opens and leaves open (timeouts, cancel scopes, context variables) stays in its task
or thread. It hands its items over through a :class:`Handover`; leaving the stream closes it.
"""

from __future__ import annotations

import contextvars
import sys
import threading
from collections.abc import AsyncGenerator, AsyncIterator, Awaitable, Callable, Iterator, Sequence
from contextlib import aclosing, suppress
from typing import TYPE_CHECKING, Any

from .._context import caller_loop
from .channel import LEFT, Handover, is_cancelled, is_leaving

if TYPE_CHECKING:
    import asyncio

__all__ = ("OwnTask", "OwnThread", "from_thread", "in_own_task", "pass_on")

# The loop keeps weak references to its tasks only.
_tasks: set[asyncio.Task[Any]] = set()


class OwnTask:
    """A body whose items ``perform`` puts into the line, in a task with a context of its own.

    Whatever ends ``perform`` reaches the consumer after the last item. Closing the body cancels the
    task, unless it only waits for room, and returns when the task has ended.
    """

    __slots__ = ("_context", "_line", "_perform", "_task")

    def __init__(self, perform: Callable[[], Awaitable[None]], line: Handover) -> None:
        self._perform = perform
        self._line = line
        self._context = contextvars.copy_context()
        self._task: asyncio.Task[None] | None = None

    async def read(self) -> Sequence[list[Any]]:
        """Return the items that have come, as one raw item."""
        import asyncio

        if self._task is None:
            self._task = _begin(_performed(self._perform, self._line), self._context)
            # A task that is cancelled before its first step ends without a word.
            line = self._line
            self._task.add_done_callback(lambda task: line.finish(asyncio.CancelledError()))
        if items := await self._line.atake():
            return (items,)
        _raise_from(self._line)
        return ()

    async def adrain(self) -> None:
        """Wait for the task, which has nothing more to do."""
        await self.aclose()

    async def aclose(self) -> None:
        """Close the line, stop the task, and wait for its end."""
        import asyncio

        paused, why = self._line.paused, LEFT if is_leaving(sys.exception()) else None
        self._line.close(sys.exception())
        if self._task is not None and not self._task.done():
            if not paused:
                self._task.cancel(why)
            await asyncio.wait([self._task])
            _raise_from(self._line)


class OwnThread:
    """A body whose items a sync iterator makes, in a thread of its own; for async code, or for sync code.

    Each item of the iterator is a sequence of items for the line. Closing the body closes the
    iterator before it returns; but where a step of it runs, after that step, and without waiting
    for it: what blocks a thread cannot be interrupted.
    """

    __slots__ = ("_context", "_ended", "_line", "_make", "_thread")

    def __init__(self, make: Callable[[], Iterator[Any]], line: Handover) -> None:
        self._make = make
        self._line = line
        self._context = contextvars.copy_context()
        self._thread: threading.Thread | None = None
        self._ended = Handover()

    async def read(self) -> Sequence[list[Any]]:
        """Return the items that have come, as one raw item."""
        if self._thread is None:
            import asyncio

            self._start(asyncio.get_running_loop())
        if items := await self._line.atake():
            return (items,)
        _raise_from(self._line)
        return ()

    def __iter__(self) -> Iterator[list[Any]]:
        return self

    def __next__(self) -> list[Any]:
        if self._thread is None:
            self._start(None)
        if items := self._line.take():
            return items
        _raise_from(self._line)
        raise StopIteration

    async def adrain(self) -> None:
        """Wait for the thread, which has nothing more to do."""
        await self._ended.atake()

    def drain(self) -> None:
        """Wait for the thread, which has nothing more to do."""
        self._ended.take()

    async def aclose(self) -> None:
        """Close the line, and the iterator with it."""
        if self._close():
            await self._ended.atake()
            _raise_from(self._line)

    def close(self) -> None:
        """Close the line, and the iterator with it."""
        if self._close():
            self._ended.take()
            _raise_from(self._line)

    def _close(self) -> bool:
        """Close the line; return whether the thread will end at once."""
        paused = self._line.paused
        self._line.close(sys.exception())
        return self._thread is not None and paused

    def _start(self, loop: asyncio.AbstractEventLoop | None) -> None:
        args = (self._run, loop)
        self._thread = threading.Thread(target=self._context.run, args=args, name="millstream-stream", daemon=True)
        self._thread.start()

    def _run(self, loop: asyncio.AbstractEventLoop | None) -> None:
        caller_loop.loop = loop
        failure = None
        try:
            self._pass_on(self._make())
        except BaseException as error:
            failure = error
        self._line.finish(failure)
        self._ended.finish(None)
        del failure

    def _pass_on(self, iterator: Iterator[Any]) -> None:
        try:
            for items in iterator:
                for item in items:
                    self._line.put(item)
                if self._line.full:
                    self._line.paused = True
                    self._line.room()
                    self._line.paused = False
                if self._line.closed:
                    break
        finally:
            close = getattr(iterator, "close", None)
            if close is not None:
                close()


async def from_thread(make: Callable[[], Iterator[Any]]) -> AsyncGenerator[Any, None]:
    """Yield what the iterator that ``make`` returns yields, which runs in a thread of its own."""
    async with aclosing(OwnThread(lambda: ((item,) for item in make()), Handover())) as batches:
        while batch := await batches.read():
            for item in batch[0]:
                yield item


async def pass_on(items: AsyncIterator[Any], line: Handover, keep: Callable[[Any], Awaitable[None] | None]) -> None:
    """Put what a user's async iterator yields into ``line``, after ``keep``; it is closed at the end.

    A cancellation while the line is full was meant for the iterator, by a scope that it has left
    open across its yield: it is thrown in there.
    """
    import asyncio

    thrown: BaseException | None = None
    try:
        while True:
            try:
                item = await (items.__anext__() if thrown is None else items.athrow(thrown))  # type: ignore[attr-defined]
            except StopAsyncIteration:
                return
            thrown = None
            if (keeping := keep(item)) is not None:
                await keeping
            line.put(item)
            if line.full:
                line.paused = True
                try:
                    await line.aroom()
                except asyncio.CancelledError as error:
                    if line.closed or not hasattr(items, "athrow"):
                        raise
                    thrown = error
                line.paused = False
            if line.closed:
                await _leave(items, line)
    finally:
        del thrown
        aclose = getattr(items, "aclose", None)
        if aclose is not None:
            await aclose()


async def _leave(items: AsyncIterator[Any], line: Handover) -> None:
    """Raise what the consumer left by; its cancellation is raised in ``items`` first, to which it is an error."""
    import asyncio

    if is_cancelled(line.leaving) and not is_leaving(line.leaving) and hasattr(items, "athrow"):
        with suppress(StopAsyncIteration):
            await items.athrow(asyncio.CancelledError(*line.leaving.args))
    raise GeneratorExit


async def in_own_task(coroutine: Any) -> Any:
    """Run ``coroutine`` in a task of its own; a second cancellation does not wait for what the first one began."""
    import asyncio

    task = _begin(coroutine, contextvars.copy_context())
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


def _begin(coroutine: Any, context: contextvars.Context) -> asyncio.Task[Any]:
    import asyncio

    task: asyncio.Task[Any] = asyncio.get_running_loop().create_task(coroutine, context=context)
    _tasks.add(task)
    task.add_done_callback(_forget)
    return task


def _forget(task: asyncio.Task[Any]) -> None:
    _tasks.discard(task)
    if not task.cancelled():
        # Whoever still waits will raise it; if nobody does, it was left behind.
        task.exception()


async def _performed(perform: Callable[[], Awaitable[None]], line: Handover) -> None:
    """Run ``perform``; what it raises is the line's, not the task's, so that nobody misses it."""
    try:
        await perform()
    except BaseException as error:
        line.finish(error)
    else:
        line.finish(None)


def _raise_from(line: Handover) -> None:
    error, line.error = line.error, None
    if error is not None:
        try:
            raise error
        finally:
            # A traceback keeps this frame, which would keep the error.
            del error

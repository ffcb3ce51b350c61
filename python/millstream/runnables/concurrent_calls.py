"""Calls that run at the same time, in threads or tasks, with a limit."""

from __future__ import annotations

import os
import threading
from collections import deque
from collections.abc import AsyncGenerator, Callable, Coroutine, Generator, Sequence
from queue import SimpleQueue
from typing import Any

from .._back_off import BatchEnded, Ending, in_own_contexts, sharing_back_off
from .._context import running_loop

__all__ = ("aiter_completed", "arun_all", "iter_completed", "run_all")


async def arun_all(calls: Sequence[Callable[[], Coroutine[Any, Any, Any]]], at_once: int | None = None) -> list[Any]:
    """Return the results of ``calls``, in their order; ``at_once`` of them run at the same time, in tasks.

    The first failure stops the others, and is raised when they have ended, with the cause it has.
    """
    import asyncio

    running_loop()
    gate = asyncio.Semaphore(at_once or len(calls))
    tasks: list[asyncio.Task[Any]] = []
    group: asyncio.TaskGroup | None = None
    failure: BaseException | None = None

    async def run(call: Callable[[], Coroutine[Any, Any, Any]]) -> Any:
        async with gate:
            return await call()

    try:
        # A group, not gather, which would leave the others running.
        try:
            async with asyncio.TaskGroup() as group:
                with sharing_back_off():
                    tasks = [group.create_task(run(call)) for call in calls]
        except BaseExceptionGroup as failed:
            failure = failed.exceptions[0]
            # The group's frame refers to the group.
            failed.__traceback__ = None
        # Raised out here, it keeps its context, which would become the group.
        if failure is not None:
            raise failure
        return [task.result() for task in tasks]
    finally:
        # A traceback keeps this frame, which would keep the exceptions in it. The group refers to the parent
        # task, whose result may be the exception.
        del failure, tasks, group


async def aiter_completed(
    calls: Sequence[Callable[[], Coroutine[Any, Any, Any]]], at_once: int | None = None
) -> AsyncGenerator[tuple[int, Any], None]:
    """Yield the place and the result of each call when it has ended; ``at_once`` run at the same time, in tasks.

    The first failure is raised at once. After that, and when the generator is closed, the others are cancelled.
    """
    import asyncio

    if not calls:
        return
    gate = asyncio.Semaphore(at_once or len(calls))
    ended: asyncio.Queue[asyncio.Task[tuple[int, Any]]] = asyncio.Queue()

    async def run(place: int, call: Callable[[], Coroutine[Any, Any, Any]]) -> tuple[int, Any]:
        async with gate:
            return place, await call()

    with sharing_back_off():
        tasks = [asyncio.ensure_future(run(place, call)) for place, call in enumerate(calls)]
    try:
        for task in tasks:
            task.add_done_callback(ended.put_nowait)
        for _ in calls:
            yield (await ended.get()).result()
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.wait(tasks)
        for task in tasks:
            # Another failure is not raised; asyncio must not report it as never retrieved.
            _ = task.cancelled() or task.exception()
        # A traceback keeps this frame, which would keep the tasks, and they their exceptions.
        del tasks, task


# As many as those of the standard library's executor.
_THREADS = min(32, (os.cpu_count() or 1) + 4)


def run_all(calls: Sequence[Callable[[], Any]], at_once: int | None = None) -> list[Any]:
    """Return the results of ``calls``, in their order; ``at_once`` of them run at the same time, in threads.

    Each runs in a copy of the caller's context.
    Once a call has failed, no other is begun, and none waits for its next try. When those that run have ended, the
    exception is raised of the first one, in their order, that failed. A ``KeyboardInterrupt``, or what else a signal
    handler raises, is raised at once: neither the caller nor the interpreter waits for the threads then.
    """
    results: list[Any] = [None] * len(calls)
    failures: dict[int, BaseException] = {}
    failure: BaseException | None = None
    ending = Ending()
    try:
        for place, result, failure in _run_each(in_own_contexts(calls, ending), at_once, ending):
            if failure is None:
                results[place] = result
            else:
                failures[place] = failure
        if failures:
            # Not one that the end of this batch has caused; all may have ended with a batch around it.
            own = [place for place, error in failures.items() if not isinstance(error, BatchEnded)]
            raise failures[min(own or failures)]
        return results
    finally:
        # A traceback keeps this frame, which would keep the exceptions in it.
        del failures, failure


def iter_completed(
    calls: Sequence[Callable[[], Any]], at_once: int | None = None
) -> Generator[tuple[int, Any], None, None]:
    """Yield the place and the result of each call when it has ended; ``at_once`` run at the same time, in threads.

    Each runs in a copy of the context of this call. The first failure is raised at once. After that, and when the
    generator is closed, no other call is begun; those that run are not waited for.
    """
    ending = Ending()
    return _iter_completed(in_own_contexts(calls, ending), at_once, ending)


def _iter_completed(
    calls: Sequence[Callable[[], Any]], at_once: int | None, ending: Ending
) -> Generator[tuple[int, Any], None, None]:
    if len(calls) == 1:
        yield 0, calls[0]()
        return
    failure: BaseException | None = None
    ended = _run_each(calls, at_once, ending)
    try:
        for place, result, failure in ended:
            if failure is not None:
                raise failure
            yield place, result
    finally:
        ended.close()
        del failure


def _run_each(
    calls: Sequence[Callable[[], Any]], at_once: int | None, ending: Ending
) -> Generator[tuple[int, Any, BaseException | None], None, None]:
    """Run the calls in threads; yield the place, the result and the exception of each one that has ended."""
    left = deque(enumerate(calls))
    ended: SimpleQueue[tuple[int, Any, BaseException | None]] = SimpleQueue()
    running = min(at_once or _THREADS, len(calls))
    try:
        for number in range(running):
            threading.Thread(
                target=_work, args=(left, ended, ending), name=f"millstream-batch-{number}", daemon=True
            ).start()
        while running:
            item = ended.get()
            # A worker that is done reports a place of its own.
            if item[0] < 0:
                running -= 1
            else:
                yield item
            del item
    finally:
        left.clear()
        if running:
            ending.set()


def _work(
    left: deque[tuple[int, Callable[[], Any]]],
    ended: SimpleQueue[tuple[int, Any, BaseException | None]],
    ending: Ending,
) -> None:
    """Run the remaining calls one after the other; report each result, and the end."""
    while True:
        try:
            place, call = left.popleft()
        except IndexError:
            return ended.put((-1, None, None))
        try:
            ended.put((place, call(), None))
        except BaseException as error:
            left.clear()
            ended.put((place, None, error))
            # After the failure: those that the end causes come behind it.
            ending.set()

"""Batches: calls in threads or tasks with a limit, and a sequence that batches step by step."""

from __future__ import annotations

import os
import threading
from collections import deque
from collections.abc import Callable, Coroutine, Iterator, Sequence
from queue import SimpleQueue
from typing import Any, Protocol

from .config import RunnableConfig, batch_configs, child_config
from .runs import Named, RunStart

__all__ = ("SequenceBatch", "arun_all", "run_all")

Call = tuple[Any, list[Any], list[RunnableConfig], dict[str, Any]]
"""A step, its inputs, their configurations, and further arguments."""


class _Steps(Named, Protocol):
    @property
    def steps(self) -> Sequence[Any]: ...


class SequenceBatch:
    """The calls of one batch of a sequence: a run for each input, and their outputs so far.

    With ``return_exceptions`` an input that failed in one step does not go through the next, and
    its exception stands in its output's place.
    """

    def __init__(
        self,
        sequence: _Steps,
        inputs: Sequence[Any],
        config: Any,
        kwargs: dict[str, Any],
        *,
        return_exceptions: bool,
    ) -> None:
        self.inputs = inputs
        self.begins = [RunStart(sequence, one) for one in batch_configs(inputs, config)[0]]
        self.runs: list[Any] = []
        self.return_exceptions = return_exceptions
        self._values = list(inputs)
        self._steps = sequence.steps
        self._kwargs = kwargs
        self._left = list(range(len(inputs)))

    def calls(self) -> Iterator[Call]:
        """Yield the call of each step; its outputs must be passed to :meth:`take` before the next."""
        kwargs = self._kwargs
        for place, step in enumerate(self._steps, 1):
            if not self._left:
                return
            configs = [child_config(self.begins[i].config, self.runs[i], f"seq:step:{place}") for i in self._left]
            yield step, [self._values[i] for i in self._left], configs, kwargs
            kwargs = {}

    def take(self, outputs: Sequence[Any]) -> None:
        """Take the outputs of a call."""
        for i, output in zip(self._left, outputs, strict=True):
            self._values[i] = output
        if self.return_exceptions:
            self._left = [i for i in self._left if not isinstance(self._values[i], Exception)]

    def ends(self) -> Iterator[tuple[Any, Any]]:
        """Yield each run with its output, or its exception."""
        yield from zip(self.runs, self._values, strict=True)

    def result(self) -> list[Any]:
        """Return the outputs; an exception among them is raised, unless it was asked for."""
        failure = next((value for value in self._values if isinstance(value, Exception)), None)
        if failure is not None and not self.return_exceptions:
            raise failure
        return self._values

    def failed(self, error: BaseException) -> list[Any]:
        """Return ``error`` for each input where exceptions were asked for; raise it otherwise."""
        if self.return_exceptions and isinstance(error, Exception):
            return [error for _ in self.inputs]
        raise error


async def arun_all(calls: Sequence[Callable[[], Coroutine[Any, Any, Any]]], at_once: int | None = None) -> list[Any]:
    """Return the results of ``calls``, in their order; ``at_once`` of them run at the same time, in tasks.

    The first failure stops the others, and is raised when they have ended, with the cause it has.
    """
    import asyncio

    gate = asyncio.Semaphore(at_once or len(calls))
    tasks: list[asyncio.Task[Any]] = []
    failure: BaseException | None = None

    async def run(call: Callable[[], Coroutine[Any, Any, Any]]) -> Any:
        async with gate:
            return await call()

    try:
        # A group, not gather, which would leave the others running.
        try:
            async with asyncio.TaskGroup() as group:
                tasks = [group.create_task(run(call)) for call in calls]
        except BaseExceptionGroup as failed:
            failure = failed.exceptions[0]
        # Raised out here, it keeps its context, which would become the group.
        if failure is not None:
            raise failure
        return [task.result() for task in tasks]
    finally:
        # A traceback keeps this frame, which would keep the exceptions in it.
        del failure, tasks


# As many as those of the standard library's executor.
_THREADS = min(32, (os.cpu_count() or 1) + 4)


def run_all(calls: Sequence[Callable[[], Any]], at_once: int | None = None) -> list[Any]:
    """Return the results of ``calls``, in their order; ``at_once`` of them run at the same time, in threads.

    Once a call has failed, no other is begun. When those that run have ended, the exception is raised
    of the first one, in their order, that failed. A ``KeyboardInterrupt``, or what else a signal
    handler raises, goes up at once: nobody waits for the threads then, the interpreter neither.
    """
    left = deque(enumerate(calls))
    ended: SimpleQueue[tuple[int, Any, BaseException | None]] = SimpleQueue()
    running = min(at_once or _THREADS, len(calls))
    # A worker that is done reports it in the last place.
    results: list[Any] = [None] * (len(calls) + 1)
    failures: dict[int, BaseException] = {}
    failure: BaseException | None = None
    try:
        for number in range(running):
            threading.Thread(target=_work, args=(left, ended), name=f"millstream-batch-{number}", daemon=True).start()
        while running:
            place, results[place], failure = ended.get()
            if place < 0:
                running -= 1
            elif failure is not None:
                failures[place] = failure
        if failures:
            raise failures[min(failures)]
        return results[:-1]
    finally:
        left.clear()
        # A traceback keeps this frame, which would keep the exceptions in it.
        del failures, failure


def _work(
    left: deque[tuple[int, Callable[[], Any]]], ended: SimpleQueue[tuple[int, Any, BaseException | None]]
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

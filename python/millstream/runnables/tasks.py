"""Calls in tasks, at most so many at a time: what ``abatch`` runs on."""

from collections.abc import Callable, Coroutine, Sequence
from typing import Any

__all__ = ("arun_all",)


async def arun_all(calls: Sequence[Callable[[], Coroutine[Any, Any, Any]]], at_once: int | None = None) -> list[Any]:
    """Return what ``calls`` return, in their order; ``at_once`` of them run at the same time, in tasks.

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

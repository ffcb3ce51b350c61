"""Tasks of a request: they end when the client leaves, and their upstream connections are closed then."""

from __future__ import annotations

import asyncio
from collections.abc import Coroutine
from typing import TYPE_CHECKING, Any, TypeVar

from ..disconnects import watch_disconnect

if TYPE_CHECKING:
    from starlette.types import Receive

__all__ = ("run_together", "run_until_disconnect", "stop_tasks")

Result = TypeVar("Result")


async def run_until_disconnect(receive: Receive, work: Coroutine[Any, Any, Result]) -> Result | None:
    """Return the result of ``work``; ``None`` if the client leaves before, and ``work`` has been cancelled then."""
    task = asyncio.ensure_future(work)

    def cancel() -> None:
        task.cancel()

    watcher = asyncio.ensure_future(watch_disconnect(receive, cancel))
    try:
        await asyncio.wait((task,))
        return None if task.cancelled() else task.result()
    finally:
        await stop_tasks(task, watcher)


async def run_together(works: list[Coroutine[Any, Any, Result]]) -> list[Result]:
    """Return the results of ``works``, which run at the same time. The first error cancels the others."""
    if len(works) == 1:
        return [await works[0]]
    tasks = [asyncio.ensure_future(work) for work in works]
    try:
        return list(await asyncio.gather(*tasks))
    finally:
        await stop_tasks(*tasks)


async def stop_tasks(*tasks: asyncio.Future[Any]) -> None:
    """Cancel the tasks that run, and return when all have ended."""
    for task in tasks:
        task.cancel()
    await asyncio.wait(tasks)
    for task in tasks:
        # An error that the caller does not raise is not reported as lost either.
        if not task.cancelled():
            task.exception()

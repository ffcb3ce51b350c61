"""Tasks of a request: they end together, and their upstream connections are closed then."""

from __future__ import annotations

import asyncio
from collections.abc import Coroutine
from typing import Any, TypeVar

__all__ = ("run_together", "stop_tasks")

Result = TypeVar("Result")


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

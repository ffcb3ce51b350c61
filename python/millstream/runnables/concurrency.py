"""LangChain's names for coroutines that run with a limit."""

from __future__ import annotations

import asyncio
from collections.abc import Coroutine
from typing import Any

__all__ = ("gated_coro", "gather_with_concurrency")


async def gated_coro(semaphore: asyncio.Semaphore, coro: Coroutine[Any, Any, Any]) -> Any:
    """Return the result of ``coro``, which runs inside ``semaphore``."""
    async with semaphore:
        return await coro


async def gather_with_concurrency(n: int | None, *coros: Coroutine[Any, Any, Any]) -> list[Any]:
    """Return the results of ``coros``, in their order; ``n`` of them run at the same time, without a limit if ``None``.

    The first failure is raised at once; the others run on, as with :func:`asyncio.gather`.
    """
    if n is None:
        return await asyncio.gather(*coros)
    semaphore = asyncio.Semaphore(n)
    return await asyncio.gather(*(gated_coro(semaphore, coro) for coro in coros))

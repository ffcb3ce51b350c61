"""LangChain's names for coroutines that run with a limit."""

from __future__ import annotations

import asyncio
import contextvars
from collections.abc import Awaitable, Coroutine
from typing import Any, TypeVar

__all__ = ("asyncio_accepts_context", "coro_with_context", "gated_coro", "gather_with_concurrency")

T = TypeVar("T")


def asyncio_accepts_context() -> bool:
    """Return ``True``: tasks take a context on every Python that is supported."""
    return True


def coro_with_context(
    coro: Coroutine[Any, Any, T], context: contextvars.Context, *, create_task: bool = False
) -> Awaitable[T]:
    """Return a task that runs ``coro`` in ``context``; ``create_task`` changes nothing."""
    return asyncio.create_task(coro, context=context)


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

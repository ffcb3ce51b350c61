"""Stages: steps of a chain that transform a stream synchronously, by code that is ours."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Generator, Iterable
from typing import TYPE_CHECKING, Any

from ..streaming.protocols import Stage

if TYPE_CHECKING:
    from ..streaming.inputs import AsyncGiven

__all__ = ("Stage", "astaged", "staged")


def staged(stage: Stage[Any, Any], items: Iterable[Any]) -> Generator[Any, None, None]:
    """Yield what ``stage`` makes of ``items``, for sync code."""
    for item in items:
        yield from stage.feed(item)
    yield from stage.close()


async def astaged(stage: Stage[Any, Any], items: AsyncGiven) -> AsyncGenerator[Any, None]:
    """Yield what ``stage`` makes of ``items``, for async code."""
    import asyncio

    async for item in items:
        for output in stage.feed(item):
            try:
                yield output
            except asyncio.CancelledError as error:
                items.thrown = error
    for output in stage.close():
        yield output

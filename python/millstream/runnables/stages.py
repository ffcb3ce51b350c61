"""Stages: steps of a chain that transform a stream synchronously, by code that is ours."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Generator, Iterable, Sequence
from typing import TYPE_CHECKING, Any, Protocol, TypeVar

if TYPE_CHECKING:
    from .given import AsyncGiven

__all__ = ("Stage", "astaged", "staged")

In_contra = TypeVar("In_contra", contravariant=True)
Out_co = TypeVar("Out_co", covariant=True)


class Stage(Protocol[In_contra, Out_co]):
    """One stream's transformation, without I/O: what one item brings, and what the end brings.

    A Runnable that transforms so says it by ``_stage()``, which returns a new stage for each stream
    (or ``None``, where a subclass of a user's own has to be asked in another way). Chains feed stages
    from inside the one generator that reads the connection, so sync and async share everything.
    """

    def feed(self, item: In_contra, /) -> Sequence[Out_co]:
        """Return what comes out by ``item``: nothing, one output or many."""

    def close(self) -> Sequence[Out_co]:
        """Return what the end of the input brings."""


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

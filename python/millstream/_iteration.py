"""Batches of items."""

from collections.abc import AsyncIterable, AsyncIterator, Iterable, Iterator
from itertools import islice
from typing import TypeVar

__all__ = ("abatch_iterate", "batch_iterate")

T = TypeVar("T")


def batch_iterate(size: int | None, iterable: Iterable[T]) -> Iterator[list[T]]:
    """Yield the items in lists of ``size``, the last one shorter; all in one list if ``size`` is ``None``.

    Raises :class:`ValueError` for a size below 1.
    """
    _check_size(size)
    items = iter(iterable)
    while batch := list(islice(items, size)):
        yield batch


async def abatch_iterate(size: int | None, iterable: AsyncIterable[T]) -> AsyncIterator[list[T]]:
    """Yield the items in lists of ``size``; see :func:`batch_iterate`."""
    _check_size(size)
    batch: list[T] = []
    async for item in iterable:
        batch.append(item)
        if len(batch) == size:
            yield batch
            batch = []
    if batch:
        yield batch


def _check_size(size: int | None) -> None:
    if size is not None and size <= 0:
        raise ValueError(f"Batch size must be a positive integer, got {size}.")

"""The input of a transformation: read chunk by chunk, accumulated on request, and closed."""

from __future__ import annotations

import sys
from collections.abc import AsyncIterable, AsyncIterator, Awaitable, Callable, Iterable, Iterator
from contextlib import suppress
from typing import Any, Generic, Self, TypeVar

from .accumulate import ChunkAccumulator

__all__ = (
    "Accumulating",
    "AsyncInputIterator",
    "InputIterator",
    "NestedIterator",
    "aclose_iterator",
    "aread_whole",
    "close_iterator",
    "read_whole",
)

Item = TypeVar("Item")

_END: Any = object()


def close_iterator(items: object) -> None:
    """Close what can be closed: a generator, or another iterator of users' code with a ``close``."""
    if (close := getattr(items, "close", None)) is not None:
        close()


async def aclose_iterator(items: object) -> None:
    """Close what can be closed: an async generator, or another async iterator with an ``aclose``."""
    if (aclose := getattr(items, "aclose", None)) is not None:
        await aclose()


class NestedIterator(Generic[Item]):
    """An async generator inside another one, which steps through it and closes it.

    An event loop that ends closes all generators it knows of, all at the same time. A nested generator
    can only be closed by its owner, so it is hidden from the loop's hooks.
    """

    __slots__ = ("_items", "_step")

    def __init__(self, items: AsyncIterable[Item]) -> None:
        self._items = aiter(items)
        self._step: Callable[[], Awaitable[Item]] | None = None

    def __aiter__(self) -> AsyncIterator[Item]:
        return self

    def __anext__(self) -> Awaitable[Item]:
        if (step := self._step) is not None:
            return step()
        self._step = self._items.__anext__
        hooks = sys.get_asyncgen_hooks()
        sys.set_asyncgen_hooks(None, None)
        try:
            return self._step()
        finally:
            sys.set_asyncgen_hooks(*hooks)

    @property
    def athrow(self) -> Any:
        """The generator's own ``athrow``; :class:`AttributeError` for another iterator."""
        return self._items.athrow  # type: ignore[attr-defined]

    async def aclose(self) -> None:
        """Close the generator."""
        await aclose_iterator(self._items)

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *raised: object) -> None:
        await self.aclose()


class Accumulating:
    """Accumulates the items that pass, once asked to."""

    _sum: ChunkAccumulator | None = None
    _first: Any = _END

    def take_whole(self, value: object) -> None:
        """Count the input as read, which is the one item ``value``."""
        self._first = _END
        self._add(value)

    def accumulate(self, *, adds_on: bool = False) -> None:
        """Accumulate from here on; for ``adds_on`` see :class:`ChunkAccumulator`."""
        self._sum = ChunkAccumulator(adds_on=adds_on)

    def total(self) -> Any:
        """Return the sum of the items so far; ``None`` without items, or if they were not accumulated."""
        return None if self._sum is None else self._sum.total()

    def _add(self, item: object) -> None:
        if self._sum is not None:
            self._sum.add(item)

    def partial(self) -> Any:
        """Return :meth:`ChunkAccumulator.partial`, ``None`` if the items were not accumulated."""
        return None if self._sum is None else self._sum.partial()


class InputIterator(Accumulating):
    """The input of one transformation, for sync code."""

    def __init__(self, items: Iterable[Any]) -> None:
        self._items = iter(items)
        # The input, if it is one whole value.
        self.whole = getattr(items, "whole", None)
        self._first = _END
        self._lent = False

    def read_first(self) -> None:
        """Read the first item, so that the run of the producer starts before the run of its reader."""
        self._first = next(self._items, _END)

    def __iter__(self) -> Iterator[Any]:
        return self

    def __next__(self) -> Any:
        item, self._first = self._first, _END
        if item is _END:
            item = next(self._items)
        if self._sum is not None:
            self._sum.add(item)
        return item

    def lend(self) -> Iterator[Any]:
        """Return the items for another thread, which closes the producer: :meth:`close` does nothing from now on."""
        self._lent = True
        return self._lend()

    def _lend(self) -> Iterator[Any]:
        try:
            yield from self
        finally:
            close_iterator(self._items)

    def close(self) -> None:
        """Close the producer of the input."""
        if not self._lent:
            close_iterator(self._items)


class AsyncInputIterator(Accumulating):
    """The input of one transformation, for async code; or its output, which has to be closed as well.

    ``thrown`` is a cancellation that arrived while the last item was being consumed. It is meant for a scope
    that users' code has left open across its ``yield``, so the next step throws it in there.
    """

    thrown: BaseException | None = None

    def __init__(self, items: AsyncIterable[Any]) -> None:
        self._items = NestedIterator(items)
        self.whole = getattr(items, "whole", None)
        self._first = _END

    async def read_first(self) -> None:
        """Read the first item, so that the run of the producer starts before the run of its reader."""
        self._first = await anext(self._items, _END)

    def __aiter__(self) -> AsyncIterator[Any]:
        return self

    async def __anext__(self) -> Any:
        item, self._first = self._first, _END
        if item is _END:
            item = await (self._items.__anext__() if self.thrown is None else self._throw())
        if self._sum is not None:
            self._sum.add(item)
        return item

    async def throw(self, error: BaseException) -> None:
        """Throw a cancellation into the producer, and raise what its scopes make of it; see ``thrown``."""
        self.thrown = error
        with suppress(StopAsyncIteration):
            await self._throw()

    async def _throw(self) -> Any:
        error, self.thrown = self.thrown, None
        assert error is not None
        try:
            if not hasattr(self._items, "athrow"):
                raise error
            return await self._items.athrow(error)
        finally:
            # A traceback keeps this frame, which would keep the error.
            del error

    async def aclose(self) -> None:
        """Close the producer of the input."""
        await self._items.aclose()


def read_whole(items: Iterable[Any]) -> tuple[Any, ...]:
    """Read all items, and close their producer; return their sum, or nothing where there are none."""
    input = InputIterator(items)
    input.accumulate(adds_on=True)
    try:
        count = sum(1 for _ in input)
    finally:
        input.close()
    return (input.total(),) if count else ()


async def aread_whole(items: AsyncIterable[Any]) -> tuple[Any, ...]:
    """Read all items, and close their producer; see :func:`read_whole`."""
    input = AsyncInputIterator(items)
    input.accumulate(adds_on=True)
    count = 0
    try:
        async for _ in input:
            count += 1
    finally:
        await input.aclose()
    return (input.total(),) if count else ()

"""The input of a transformation, chunk by chunk, and its sum."""

from __future__ import annotations

import sys
from collections.abc import AsyncIterable, AsyncIterator, Awaitable, Callable, Iterable, Iterator
from typing import Any, Generic, Self, TypeVar

from .accumulate import ChunkAccumulator

__all__ = ("AsyncInputIterator", "InputIterator", "NestedIterator", "aclose_iterator", "close_iterator")

Item = TypeVar("Item")

_END: Any = object()


def close_iterator(items: Any) -> None:
    """Close what can be closed: a generator, or another iterator of users' code with a ``close``."""
    if (close := getattr(items, "close", None)) is not None:
        close()


async def aclose_iterator(items: Any) -> None:
    """Close what can be closed: an async generator, or another async iterator with an ``aclose``."""
    if (aclose := getattr(items, "aclose", None)) is not None:
        await aclose()


class NestedIterator(Generic[Item]):
    """An async generator that another one steps through, and closes: an ``aclosing`` that can be iterated.

    A loop that ends closes all generators it knows of, and at the same time. One that is inside of
    another can only be closed by that, so the loop does not come to know of it.
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
        """Return what throws into the generator, where it is one."""
        return self._items.athrow  # type: ignore[attr-defined]

    async def aclose(self) -> None:
        """Close the generator."""
        await aclose_iterator(self._items)

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *raised: object) -> None:
        await self.aclose()


class _Summed:
    """What remembers the sum of what passes, where somebody wants to know it."""

    _sum: ChunkAccumulator | None = None

    def keep(self, *, adds_on: bool = False) -> None:
        """Remember from here on; for ``adds_on`` see :class:`ChunkAccumulator`."""
        self._sum = ChunkAccumulator(adds_on=adds_on)

    def total(self) -> Any:
        """Return the sum of what has passed; ``None`` if nothing has, or nothing was kept."""
        return None if self._sum is None else self._sum.total()

    def arrived(self) -> Any:
        """Return :meth:`total`, and never raise."""
        return None if self._sum is None else self._sum.arrived()


class InputIterator(_Summed):
    """The input of one transformation, for sync code."""

    def __init__(self, items: Iterable[Any]) -> None:
        self._items = iter(items)
        self._first = _END

    def begin(self) -> None:
        """Read the first item, so that what makes the input begins before what takes it."""
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

    def close(self) -> None:
        """Let go of what makes the input."""
        close_iterator(self._items)


class AsyncInputIterator(_Summed):
    """The input of one transformation, for async code; or its output, which has to be closed as well.

    ``thrown`` is a cancellation that came while what was made of the last item was being consumed. It
    was meant for users' code that has left a scope open across its yield: it is thrown in there.
    """

    thrown: BaseException | None = None

    def __init__(self, items: AsyncIterable[Any]) -> None:
        self._items = NestedIterator(items)
        self._first = _END

    async def begin(self) -> None:
        """Read the first item, so that what makes the input begins before what takes it."""
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
        """Let go of what makes the input."""
        await self._items.aclose()

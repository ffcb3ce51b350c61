"""An input that several attempts read, each from its beginning."""

from __future__ import annotations

from collections.abc import AsyncIterable, AsyncIterator, Iterable, Iterator
from typing import Any, Self

from .inputs import AsyncInputIterator, InputIterator, aclose_iterator, close_iterator

__all__ = ("AsyncReplay", "Replay", "WholeInput", "as_whole_input")

_END: Any = object()


class WholeInput:
    """An input stream of one item, which is the whole input; for sync code and for async code."""

    __slots__ = ("_is_read", "value")

    def __init__(self, value: Any) -> None:
        self.value = value
        self._is_read = False

    @property
    def whole(self) -> Self:
        """The input itself; an iterator over it has it too."""
        return self

    def __iter__(self) -> Self:
        return self

    def __next__(self) -> Any:
        if self._is_read:
            raise StopIteration
        self._is_read = True
        return self.value

    def __aiter__(self) -> Self:
        return self

    async def __anext__(self) -> Any:
        if self._is_read:
            raise StopAsyncIteration
        self._is_read = True
        return self.value


def as_whole_input(items: object) -> WholeInput | None:
    """Return the input that ``items`` iterates over, if that is one whole value; it counts as read then."""
    whole = getattr(items, "whole", None)
    if not isinstance(whole, WholeInput):
        return None
    if isinstance(items, InputIterator | AsyncInputIterator):
        items.take_whole(whole.value)
    return whole


class _Kept:
    """The items of the input that have been read, until one of the attempts needs no other one after it."""

    def __init__(self) -> None:
        self._kept: list[Any] = []
        self._is_settled = False
        # Whether the producer has raised: no attempt can read the rest.
        self.has_failed = False

    def settle(self) -> None:
        """Note that the last attempt is the one that counts: items are kept no longer."""
        self._is_settled = True

    def keep(self, item: object) -> None:
        """Keep an item for the attempts after this one."""
        if not self._is_settled:
            self._kept.append(item)

    def item(self, place: int) -> Any:
        """Return the item at ``place``, if it was kept."""
        if place < len(self._kept):
            return self._kept[place]
        if self._is_settled:
            self._kept.clear()
        return _END


class Replay(_Kept):
    """The input of several attempts, for sync code: each of them has an iterator of its own."""

    def __init__(self, items: Iterable[Any]) -> None:
        super().__init__()
        self._items = iter(items)

    def attempt(self) -> Iterator[Any]:
        """Yield the items from the first one on; closing this iterator does not close the input."""
        place = 0
        while True:
            if (item := self.item(place)) is _END:
                try:
                    item = next(self._items, _END)
                except BaseException:
                    self.has_failed = True
                    raise
                if item is _END:
                    return
                self.keep(item)
            place += 1
            yield item

    def close(self) -> None:
        """Close the producer of the input."""
        close_iterator(self._items)


class AsyncReplay(_Kept):
    """The input of several attempts, for async code."""

    def __init__(self, items: AsyncIterable[Any]) -> None:
        super().__init__()
        self.items = aiter(items)

    def attempt(self) -> AsyncIterator[Any]:
        """Return an iterator of the items from the first one on."""
        return _AsyncAttempt(self)

    async def aclose(self) -> None:
        """Close the producer of the input."""
        await aclose_iterator(self.items)


class _AsyncAttempt:
    def __init__(self, replay: AsyncReplay) -> None:
        self._replay = replay
        self._place = 0

    def __aiter__(self) -> Self:
        return self

    async def __anext__(self) -> Any:
        replay = self._replay
        if (item := replay.item(self._place)) is _END:
            try:
                item = await anext(replay.items)
            except StopAsyncIteration:
                raise
            except BaseException:
                replay.has_failed = True
                raise
            replay.keep(item)
        self._place += 1
        return item

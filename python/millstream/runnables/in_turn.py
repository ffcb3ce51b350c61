"""Branches in turn: steps of our own that only wait for their input take a chunk each, without a thread or a task."""

from __future__ import annotations

from collections import deque
from collections.abc import (
    AsyncGenerator,
    AsyncIterable,
    AsyncIterator,
    Callable,
    Generator,
    Iterable,
    Iterator,
    Mapping,
)
from typing import Any

from ..streaming.branches import Arrange
from ..streaming.inputs import AsyncInputIterator, close_iterator
from ..streaming.replay import WholeInput, as_whole_input
from .fusion.plan import build_part

__all__ = ("arun_in_turn", "run_in_turn", "runs_in_turn")

_END: Any = object()


def runs_in_turn(step: object) -> bool:
    """Return whether ``step`` runs our own code alone, and waits for nothing but its input."""
    return build_part(step, None) is not None


class _Tee:
    """The items of one input for several readers, which all run in the same thread or task."""

    def __init__(self, items: Any, count: int) -> None:
        self._items = items
        self._buffers: dict[int, deque[Any]] = {reader: deque() for reader in range(count)}

    def copies(self) -> list[Iterator[Any]]:
        """Return an iterator over all items for each reader."""
        return [self._copy(reader, buffer) for reader, buffer in self._buffers.items()]

    def acopies(self) -> list[AsyncIterator[Any]]:
        """Return an async iterator over all items for each reader."""
        return [self._acopy(reader, buffer) for reader, buffer in self._buffers.items()]

    def _copy(self, reader: int, buffer: deque[Any]) -> Iterator[Any]:
        try:
            while buffer or self._keep(next(self._items, _END)):
                yield buffer.popleft()
        finally:
            del self._buffers[reader]

    async def _acopy(self, reader: int, buffer: deque[Any]) -> AsyncGenerator[Any, None]:
        import asyncio

        try:
            while buffer or self._keep(await anext(self._items, _END)):
                try:
                    yield buffer.popleft()
                except asyncio.CancelledError as error:
                    self._items.thrown = error
        finally:
            del self._buffers[reader]

    def _keep(self, item: object) -> bool:
        if item is _END:
            return False
        for buffer in self._buffers.values():
            buffer.append(item)
        return True


def run_in_turn(
    transforms: Mapping[str, Callable[[Iterator[Any]], Iterable[Any]]], items: object, arrange: Arrange
) -> Generator[Any, None, None]:
    """Yield the outputs of ``transforms``, which take turns at ``items``."""
    whole = as_whole_input(items)
    copies: list[Any] = (
        _Tee(items, len(transforms)).copies() if whole is None else [WholeInput(whole.value) for _ in transforms]
    )
    outputs = {key: iter(transform(copy)) for (key, transform), copy in zip(transforms.items(), copies, strict=True)}
    running = dict(outputs)
    try:
        while running:
            for key, steps in list(running.items()):
                if (output := next(steps, _END)) is not _END:
                    yield from arrange(key, [output], False)
                else:
                    del running[key]
                    yield from arrange(key, [], True)
    finally:
        for steps in outputs.values():
            close_iterator(steps)


async def arun_in_turn(
    transforms: Mapping[str, Callable[[AsyncIterator[Any]], AsyncIterable[Any]]], items: object, arrange: Arrange
) -> AsyncGenerator[Any, None]:
    """Yield the outputs of ``transforms``, which take turns at ``items``."""
    import asyncio

    whole = as_whole_input(items)
    copies: list[Any] = (
        _Tee(items, len(transforms)).acopies() if whole is None else [WholeInput(whole.value) for _ in transforms]
    )
    outputs = {
        key: AsyncInputIterator(transform(copy))
        for (key, transform), copy in zip(transforms.items(), copies, strict=True)
    }
    running = dict(outputs)
    try:
        while running:
            for key, steps in list(running.items()):
                output = await anext(steps, _END)
                ended = output is _END
                if ended:
                    del running[key]
                for arranged in arrange(key, [] if ended else [output], ended):
                    try:
                        yield arranged
                    except asyncio.CancelledError as error:
                        steps.thrown = error
    finally:
        for steps in outputs.values():
            await steps.aclose()

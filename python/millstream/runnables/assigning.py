"""Joins the chunks of the input of ``RunnableAssign`` and those of its mapper."""

from __future__ import annotations

from collections.abc import AsyncGenerator, AsyncIterator, Generator, Iterable, Iterator
from typing import Any

from ..streaming.accumulate import AddableDict
from ..streaming.channel import MAX_BUFFERED_ITEMS
from ..streaming.inputs import NestedIterator, close_iterator
from .nodes import Node, Take

__all__ = ("Arrangement", "AssignNode", "adicts_of", "check_dict", "dicts_of")

Dict = dict[str, Any]


class Arrangement:
    """The order of the outputs of :class:`RunnableAssign`: its input's chunks first, then those of the mapper."""

    def __init__(self, assigned: Iterable[str]) -> None:
        self._assigned = set(assigned)
        self._held: list[Any] = []
        self._input_ended = False

    def __call__(self, key: str, outputs: list[Any], ended: bool) -> list[Any]:
        """Return what the consumer receives of the next outputs of a branch, ``"input"`` or ``"mapper"``."""
        if key == "input":
            for chunk in outputs:
                check_dict(chunk)
            kept = [{name: value for name, value in chunk.items() if name not in self._assigned} for chunk in outputs]
            self._input_ended = ended
            return [AddableDict(chunk) for chunk in kept if chunk] + (self._release() if ended else [])
        self._held += outputs
        return self._release() if self._input_ended or len(self._held) > MAX_BUFFERED_ITEMS else []

    def _release(self) -> list[Any]:
        held, self._held = self._held, []
        return held


class AssignNode(Node):
    """The node of :class:`RunnableAssign`."""

    def __init__(self, assigned: Iterable[str], mapper: Node) -> None:
        self._arrange = Arrangement(assigned)
        self._mapper = mapper
        self._take: Take

    def feed_into(self, take: Take) -> Take:
        """Return the function for the chunks of the input."""
        self._take = take
        feed_mapper = self._mapper.feed_into(self._take_mapped)

        def feed_chunk(chunk: object, passed: list[Any]) -> None:
            self._push("input", [chunk], passed)
            feed_mapper(chunk, passed)

        return feed_chunk

    def _take_mapped(self, output: object, passed: list[Any]) -> None:
        self._push("mapper", [output], passed)

    def _push(self, key: str, outputs: list[Any], passed: list[Any], *, ended: bool = False) -> None:
        for output in self._arrange(key, outputs, ended):
            self._take(output, passed)

    def close(self, passed: list[Any]) -> None:
        """Push the chunks of the mapper, which are held till then."""
        self._push("input", [], passed, ended=True)
        self._mapper.close(passed)

    def fail(self, passed: list[Any]) -> None:
        """Pass it on."""
        self._mapper.fail(passed)


def check_dict(value: object) -> None:
    """Raise :class:`ValueError` if ``value`` is not a dict."""
    if not isinstance(value, dict):
        raise ValueError("The input to RunnablePassthrough.assign() must be a dict.")


def dicts_of(chunks: Iterator[Any]) -> Generator[Dict, None, None]:
    """Yield ``chunks``; raise :class:`ValueError` for one that is not a dict."""
    try:
        for chunk in chunks:
            check_dict(chunk)
            yield chunk
    finally:
        close_iterator(chunks)


async def adicts_of(chunks: AsyncIterator[Any]) -> AsyncGenerator[Dict, None]:
    """Yield ``chunks``; raise :class:`ValueError` for one that is not a dict."""
    async with NestedIterator(chunks) as nested:
        async for chunk in nested:
            check_dict(chunk)
            yield chunk

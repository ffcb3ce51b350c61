"""``ConvertedChunks``: the stream of a model of Millstream's in LangChain's chunks."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from ...callbacks.values_to_langchain import to_langchain
from ...streaming.protocols import ChunkProcessor, ProcessorAround

__all__ = ("ConvertedChunks",)


class ConvertedChunks(ProcessorAround[Any], ChunkProcessor[Any]):
    """The chunks of another processor as LangChain's: they are converted where they are made, without a generator."""

    __slots__ = ("_inner",)

    def __init__(self, inner: ChunkProcessor[Any]) -> None:
        self._inner: ChunkProcessor[Any] = inner

    @property
    def feed(self) -> Callable[[Any], Sequence[Any]]:
        """Return the function from a raw item to chunks of LangChain's."""
        feed = self._inner.feed
        return lambda item: list(map(to_langchain, feed(item)))

    def start(self) -> Sequence[Any]:
        """Return the chunks before the source is opened."""
        return list(map(to_langchain, self._inner.start()))

    def opened(self, body: object) -> Sequence[Any] | None:
        """Return the chunks of what the source has read already."""
        begun = self._inner.opened(body)
        return None if begun is None else list(map(to_langchain, begun))

    def close(self) -> Sequence[Any]:
        """Return the last chunks."""
        return list(map(to_langchain, self._inner.close()))

    def result(self) -> Any:
        """Return the result of the run."""
        return to_langchain(self._inner.result())

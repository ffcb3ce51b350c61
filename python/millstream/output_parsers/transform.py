"""Parsers of an answer that streams: chunk by chunk, or of all that has come so far.

They parse where the stream is read, in async code too, without a hop to a thread for each chunk.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from ..runnables.stages import StageRunnable
from ..streaming.protocols import Stage
from .base import BaseOutputParser, T, generation_of

__all__ = ("BaseCumulativeTransformOutputParser", "BaseTransformOutputParser")


class BaseTransformOutputParser(BaseOutputParser[T], StageRunnable[Any, T]):
    """A parser that parses each chunk of a stream by itself."""

    def _as_stage(self) -> Stage[Any, Any]:
        return _EachChunk(self)


class BaseCumulativeTransformOutputParser(BaseTransformOutputParser[T]):
    """A parser that parses, with each chunk of a stream, all that has come so far.

    What comes out is what changed: where :meth:`parse_result` returns ``None`` or what it returned
    before, nothing does. With ``diff`` it is what :meth:`_diff` makes of the last two. A subclass that
    writes only :meth:`parse_result` reads the whole answer again with each chunk.
    """

    def __init__(self, *, name: str | None = None, diff: bool = False) -> None:
        self.name = name
        self.diff = diff

    def _diff(self, prev: T | None, next: T) -> Any:
        """Return what leads from ``prev`` to ``next``."""
        raise NotImplementedError

    def _as_stage(self) -> Stage[Any, Any]:
        return _AllChunks(self)


class _EachChunk:
    """The stage that parses each chunk by itself."""

    __slots__ = ("_parser",)

    def __init__(self, parser: BaseOutputParser[Any]) -> None:
        self._parser = parser

    def feed(self, item: Any) -> Sequence[Any]:
        """Return what the chunk says."""
        return (self._parser.parse_result([generation_of(item)]),)

    def close(self) -> Sequence[Any]:
        """Return nothing."""
        return ()


class _AllChunks:
    """The stage that parses the sum of the chunks."""

    __slots__ = ("_last", "_parser", "_sum")

    def __init__(self, parser: BaseCumulativeTransformOutputParser[Any]) -> None:
        self._parser = parser
        self._sum: Any = None
        self._last: Any = None

    def feed(self, item: Any) -> Sequence[Any]:
        """Return what the chunks say so far, if that is something else than before."""
        chunk = _chunk_of(item)
        self._sum = chunk if self._sum is None else self._sum + chunk
        parsed = self._parser.parse_result([self._sum], partial=True)
        if parsed is None or parsed == self._last:
            return ()
        output = self._parser._diff(self._last, parsed) if self._parser.diff else parsed
        self._last = parsed
        return (output,)

    def close(self) -> Sequence[Any]:
        """Return nothing."""
        return ()


def _chunk_of(item: Any) -> Any:
    """Return ``item`` as a generation that can be added to."""
    from ..outputs import ChatGenerationChunk, GenerationChunk

    if hasattr(item, "content"):
        return ChatGenerationChunk(item)
    return GenerationChunk(generation_of(item).text)

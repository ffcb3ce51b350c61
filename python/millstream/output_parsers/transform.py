"""Base classes of parsers that stream: of each chunk, or of all chunks so far.

They parse inline, in async code too, without a switch to a thread for each chunk.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from ..outputs import Generation
from ..runnables.stages import StageRunnable
from ..streaming.protocols import Stage
from .base import BaseOutputParser, T, generation_of

__all__ = ("BaseCumulativeTransformOutputParser", "BaseTransformOutputParser")


class BaseTransformOutputParser(BaseOutputParser[T], StageRunnable[Any, T]):
    """A parser that parses each chunk of a stream separately."""

    def _as_stage(self) -> Stage[Any, Any]:
        return _EachChunk(self)


class BaseCumulativeTransformOutputParser(BaseTransformOutputParser[T]):
    """A parser that parses all chunks so far, after each chunk of a stream.

    A stream yields an output only if it changed and is not ``None``. With ``diff`` it yields
    ``_diff(previous, output)`` instead. A subclass that defines only :meth:`parse_result` parses the
    whole answer again after each chunk.
    """

    def __init__(self, *, name: str | None = None, diff: bool = False) -> None:
        self.name = name
        self.diff = diff

    def _diff(self, prev: T | None, next: T) -> Any:
        """Return the changes from ``prev`` to ``next``."""
        raise NotImplementedError

    def _as_stage(self) -> Stage[Any, Any]:
        return _AllChunks(self)


class _EachChunk(Stage[Any, Any]):
    """The stage that parses each chunk separately."""

    __slots__ = ("_parser",)

    def __init__(self, parser: BaseOutputParser[Any]) -> None:
        self._parser = parser

    def feed(self, item: object) -> Sequence[Any]:
        """Return the output for the chunk."""
        return (self._parser.parse_result([generation_of(item)]),)


class _AllChunks(Stage[Any, Any]):
    """The stage that parses all chunks so far."""

    __slots__ = ("_last", "_parser", "_sum")

    def __init__(self, parser: BaseCumulativeTransformOutputParser[Any]) -> None:
        self._parser = parser
        self._sum: Any = None
        self._last: Any = None

    def feed(self, item: object) -> Sequence[Any]:
        """Return the output for the chunks so far, if it changed."""
        chunk = _chunk_of(item)
        self._sum = chunk if self._sum is None else self._sum + chunk
        parsed = self._parser.parse_result([self._sum], partial=True)
        if parsed is None or parsed == self._last:
            return ()
        output = self._parser._diff(self._last, parsed) if self._parser.diff else parsed
        self._last = parsed
        return (output,)


def _chunk_of(item: Any) -> Generation:
    """Return ``item`` as a generation chunk."""
    from ..outputs import ChatGenerationChunk, GenerationChunk

    if hasattr(item, "content"):
        return ChatGenerationChunk(item)
    return GenerationChunk(generation_of(item).text)

"""Base classes of parsers that stream: of each chunk, or of all chunks so far.

They parse inline, in async code too, without a switch to a thread for each chunk. A parser of users' with an
async method of its own runs in a task of its own.
"""

from __future__ import annotations

from collections.abc import AsyncIterable, AsyncIterator, Iterator, Sequence
from typing import Any

from ..outputs import ChatGenerationChunk, Generation, GenerationChunk
from ..runnables.config import RunnableConfig
from ..runnables.runs import atransform_in_run, transform_in_run
from ..runnables.stages import StageRunnable, run_stage
from ..streaming.isolation import isolated_stream
from ..streaming.protocols import Stage
from ..streaming.stream import AsyncStream, Stream
from .base import BaseLLMOutputParser, BaseOutputParser, T, generation_of

__all__ = ("BaseCumulativeTransformOutputParser", "BaseTransformOutputParser")


class BaseTransformOutputParser(BaseOutputParser[T], StageRunnable[Any, T]):
    """A parser that parses each chunk of a stream separately.

    A subclass writes ``parse`` or ``parse_result``, for other streams ``_transform`` and ``_atransform``.
    """

    def _transform(self, input: Iterator[Any]) -> Iterator[Any]:
        """Yield the outputs for the chunks ``input``."""
        return run_stage(self._as_stage(), input)

    async def _atransform(self, input: AsyncIterator[Any]) -> AsyncIterator[Any]:
        """Yield the outputs for the chunks ``input``."""
        async for chunk in input:
            yield await self.aparse_result([generation_of(chunk)])

    def transform(self, input: Iterator[Any], config: RunnableConfig | None = None, **kwargs: Any) -> Stream[T]:
        """Stream the outputs of each chunk of the input, as it arrives."""
        return Stream(transform_in_run(self, lambda items, *_: self._transform(items), input, config, self.run_type))

    def atransform(
        self, input: AsyncIterator[Any], config: RunnableConfig | None = None, **kwargs: Any
    ) -> AsyncStream[T]:
        """Stream the outputs of each chunk of the input, as it arrives; without a hop to a thread."""
        if not self._parses_async():
            return super().atransform(input, config, **kwargs)
        return isolated_stream(lambda: self._atransform_inline(input, config, kwargs))

    def _atransform_inline(
        self, items: AsyncIterator[Any], config: RunnableConfig | None, kwargs: dict[str, Any]
    ) -> AsyncIterable[T]:
        if not self._parses_async():
            return super().atransform(items, config, **kwargs)
        return atransform_in_run(self, lambda items, *_: self._atransform(items), items, config, self.run_type)

    def _parses_async(self) -> bool:
        """Return whether a class of users writes how the parser streams in async code."""
        for cls in type(self).__mro__:
            if cls.__module__.partition(".")[0] == __package__.partition(".")[0]:
                return False
            if "_atransform" in cls.__dict__ or "aparse_result" in cls.__dict__:
                return True
        return False

    def _as_stage(self) -> Stage[Any, Any]:
        return _EachChunk(self)


class BaseCumulativeTransformOutputParser(BaseTransformOutputParser[T]):
    """A parser that parses all chunks so far, after each chunk of a stream.

    A stream yields an output only if it changed and is not ``None``. With ``diff`` it yields
    ``_diff(previous, output)`` instead. A subclass that defines only :meth:`parse_result` parses the
    whole answer again after each chunk.
    """

    diff: bool = False

    def _diff(self, prev: T | None, next: T) -> Any:
        """Return the changes from ``prev`` to ``next``."""
        raise NotImplementedError

    async def _atransform(self, input: AsyncIterator[Any]) -> AsyncIterator[Any]:
        chunks = _AllChunks(self)
        async for chunk in input:
            for output in chunks.changes(await self.aparse_result([chunks.add(chunk)], partial=True)):
                yield output

    def _as_stage(self) -> Stage[Any, Any]:
        return _AllChunks(self)


class _EachChunk(Stage[Any, Any]):
    """The stage that parses each chunk separately."""

    __slots__ = ("_parser",)

    def __init__(self, parser: BaseLLMOutputParser[Any]) -> None:
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
        return self.changes(self._parser.parse_result([self.add(item)], partial=True))

    def add(self, item: object) -> Any:
        """Return all chunks so far, with ``item``, as one generation."""
        chunk = _chunk_of(item)
        self._sum = chunk if self._sum is None else self._sum + chunk
        return self._sum

    def changes(self, parsed: object) -> Sequence[Any]:
        """Return the output for ``parsed``, if it changed."""
        if parsed is None or parsed == self._last:
            return ()
        output = self._parser._diff(self._last, parsed) if self._parser.diff else parsed
        self._last = parsed
        return (output,)


def _chunk_of(item: Any) -> Generation:
    """Return ``item`` as a generation chunk."""
    return ChatGenerationChunk(item) if hasattr(item, "content") else GenerationChunk(generation_of(item).text)

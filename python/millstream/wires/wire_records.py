"""``WireRecords``: from a run's chunks to the records of a wire, and streams of records of other code."""

from __future__ import annotations

from collections.abc import AsyncGenerator, AsyncIterable, Callable, Generator, Iterable, Sequence
from typing import TYPE_CHECKING, Any, Protocol

from ..streaming.inputs import NestedIterator, close_iterator
from ..streaming.protocols import ChunkProcessor, Processor, ProcessorAround, Recorder, RecordProcessor

if TYPE_CHECKING:
    from .chunk_writer import ChunkWriter

__all__ = ("ItemWriter", "RecordOutputs", "WireRecords", "awrite_items", "write_items")


class WireRecords(RecordProcessor):
    """Writes another processor's chunks as records of a wire: one ``bytes`` for all outputs of a raw item.

    Where that processor can write its raw items itself, into the core's writer, no chunk is made.
    """

    __slots__ = ("_inner", "_writer", "prefix", "suffix")

    def __init__(self, chunks: Processor[Any], writer: ChunkWriter) -> None:
        self._inner: Processor[Any] = chunks
        self._writer = writer
        self.prefix = self.suffix = None

    @property
    def text(self) -> str | None:
        """The text so far: that of the decoder, or of the chunks where the writer keeps it."""
        text = self._inner.text
        return self._writer.text if text is None else text

    @property
    def recorder(self) -> Recorder:
        """The function that returns the records of a raw item."""
        writer = self._writer.core
        if (fused := self._inner.write_into(writer)) is not None:
            feed_wire, text_only = fused
            self.prefix, self.suffix = writer, text_only
            return feed_wire
        feed, write = self._inner.feed, self._write
        return lambda raw, prefix, suffix: write(feed(raw))

    def joined(self, parts: list[Any]) -> bytes:
        """Return records in parts as one."""
        return b"".join(parts)

    def start(self) -> bytes:
        """Return the records before the first chunk."""
        return self._writer.start() + self._write(self._inner.start())

    def opened(self, body: object) -> bytes:
        """Return the records of the chunks that the source has read already."""
        return self._write(self._inner.opened(body) or ())

    def close(self) -> bytes:
        """Return the last chunks' records, and the end of the answer where the stream ended well."""
        self._writer.prepare_end()
        records = self._write(self._inner.close())
        if self._inner.error is not None:
            return records
        if isinstance(self._inner, ChunkProcessor) and (ending := self._inner.ending()) is not None:
            records += self._writer.write_ending(*ending)
        return records + self._writer.close()

    def _write(self, chunks: Sequence[Any]) -> bytes:
        return b"".join(map(self._writer.write, chunks))


class RecordOutputs(ProcessorAround[bytes]):
    """A processor of records as one whose outputs are in sequences, for :func:`~millstream.streaming.drive.drive`."""

    __slots__ = ("_inner",)

    def __init__(self, records: RecordProcessor) -> None:
        self._inner: Any = records

    @property
    def feed(self) -> Callable[[Any], Sequence[bytes]]:
        """The function that returns the records of one raw item."""
        processor: RecordProcessor = self._inner
        recorder, prefix, suffix = processor.recorder, processor.prefix, processor.suffix

        def feed(raw: object) -> Sequence[bytes]:
            records = recorder(raw, prefix, suffix)
            return _one(processor.joined(records) if type(records) is list else records)

        return feed

    def start(self) -> Sequence[bytes]:
        """Return the records before the source is opened."""
        return _one(self._inner.start())

    def opened(self, body: object) -> Sequence[bytes]:
        """Return the records of the raw items that the source has read already."""
        return _one(self._inner.opened(body))

    def close(self) -> Sequence[bytes]:
        """Return the last records."""
        return _one(self._inner.close())


def _one(records: bytes) -> Sequence[bytes]:
    return (records,) if records else ()


class ItemWriter(Protocol):
    """Writes the items of one stream: chunks, or events."""

    def start(self) -> bytes:
        """Return the records before the first item."""

    def write(self, item: Any, /) -> bytes:
        """Return the records of an item."""

    def close(self) -> bytes:
        """Return the end of a stream that ended well."""


def write_items(open: Callable[[], Iterable[Any]], writer: ItemWriter) -> Generator[bytes, None, None]:
    """Yield the records of each item of the stream that ``open`` returns, then the end."""
    yield from _one(writer.start())
    items = open()
    try:
        for item in items:
            yield from _one(writer.write(item))
    finally:
        close_iterator(items)
    yield from _one(writer.close())


async def awrite_items(open: Callable[[], AsyncIterable[Any]], writer: ItemWriter) -> AsyncGenerator[bytes, None]:
    """:func:`write_items` for async code."""
    if records := writer.start():
        yield records
    async with NestedIterator(open()) as items:
        async for item in items:
            if records := writer.write(item):
                yield records
    if records := writer.close():
        yield records

"""``RecordStream``: the bytes of a run in a wire, with the head of a response and the record of an error."""

from __future__ import annotations

from collections.abc import AsyncGenerator, AsyncIterable, Callable, Generator, Iterable, Mapping
from typing import Any, Protocol

from ..streaming.drive import adrive_records, drive
from ..streaming.protocols import RecordProcessor, Source
from ..streaming.stream import AsyncStream, EventStream, Stream, SyncEventStream, raise_on_first_step
from .chunk_writer import ChunkWriter
from .event_writer import create_event_writer
from .names import CHUNK_WIRE, EVENT_WIRE, SNAPSHOT_WIRES, Wire, WireFormat, is_event_wire, to_options
from .wire_records import RecordOutputs, awrite_items, write_items

__all__ = ("RecordStream", "StreamWriter", "SyncRecordStream", "record_chunks", "record_sync_chunks")

Parts = tuple[Source, RecordProcessor]


class StreamWriter(Protocol):
    """Writes the items of one stream, and the records that a server adds."""

    @property
    def wire(self) -> str:
        """The wire's name."""

    @property
    def head(self) -> WireFormat:
        """The media type, the headers and the keep-alive bytes of a response."""

    def fail(self, error: BaseException) -> bytes:
        """Return the record of an error, and the end."""

    def write_snapshot(self, text: str, dropped: int) -> bytes:
        """Return the record of the whole text so far."""

    def is_preface(self, records: bytes) -> bool:
        """Return whether records precede the first chunk."""

    def lean(self) -> StreamWriter:
        """Return a writer that leaves out inputs and metadata."""


class _Described:
    """The attributes that both forms have beside their bytes."""

    __slots__ = ()

    _processor: RecordProcessor | None
    _writer: StreamWriter

    @property
    def can_snapshot(self) -> bool:
        """Whether the wire has a record of the whole text so far, for clients that are not sent every record."""
        return self._writer.wire in SNAPSHOT_WIRES

    def keep_text(self, before_end: Callable[[], None] = lambda: None) -> None:
        """Keep the text that is written, for :attr:`text`. It is to be called before the stream is read.

        ``before_end`` is called before the end of a stream is written, after which there are no more snapshots.
        """
        if isinstance(self._writer, ChunkWriter):
            self._writer.keep_text(before_end)

    @property
    def text(self) -> str:
        """The answer's text so far, after :meth:`keep_text`; of a very long one, its beginning."""
        if self._processor is not None:
            return self._processor.text or ""
        return (isinstance(self._writer, ChunkWriter) and self._writer.text) or ""

    @property
    def wire(self) -> str:
        """The name of the wire."""
        return self._writer.wire

    @property
    def media_type(self) -> str:
        """The content type of the bytes."""
        return self._writer.head.media_type

    @property
    def headers(self) -> Mapping[str, str]:
        """The headers of a response that clients of the wire look at, without the content type."""
        return self._writer.head.headers

    @property
    def ping(self) -> bytes:
        """Bytes that keep a silent connection alive, and that readers pass over; empty where there are none."""
        return self._writer.head.ping

    def is_preface(self, records: bytes) -> bool:
        """Return whether ``records``, the next ones of the stream, precede the answer's first chunk.

        A server that waits for the first chunk holds them back: an error after them can still be a status.
        """
        return self._writer.is_preface(records)

    def fail(self, error: BaseException) -> bytes:
        """Return the record of an error that ended the stream, as a client may see it, and the end of the bytes.

        It is empty where the wire has none (``"text"``): cut the connection then.
        """
        return self._writer.fail(error)

    def write_snapshot(self, text: str, dropped: int) -> bytes:
        """Return a record of the whole ``text`` so far, for a client that was not sent ``dropped`` records.

        Raises :class:`~millstream.errors.UnsupportedError` where the wire has no such record.
        """
        return self._writer.write_snapshot(text, dropped)


class RecordStream(_Described, AsyncStream[bytes]):
    """An async stream of records: its run begins with the first step.

    An error is raised after the records before it; :meth:`fail` then returns the record of it.
    """

    __slots__ = ("_begun", "_make", "_processor", "_writer")

    def __init__(self, make: Callable[[Any], Parts | AsyncGenerator[bytes, None]], writer: StreamWriter) -> None:
        self._make = make
        self._writer = writer
        self._begun: AsyncGenerator[bytes, None] | None = None
        self._processor: RecordProcessor | None = None

    @property
    def _outputs(self) -> AsyncGenerator[bytes, None]:  # type: ignore[override]
        if self._begun is None:
            try:
                made = self._make(self._writer)
                if isinstance(made, tuple):
                    self._processor = made[1]
                    made = adrive_records(*made)
                self._begun = made
            except Exception as error:
                self._begun = raise_on_first_step(error)
        return self._begun

    def lean(self) -> RecordStream:
        """Return the stream without inputs and metadata, for clients that need not know them."""
        return RecordStream(self._make, self._writer.lean())

    def _open_parts(self) -> Parts | None:
        """Return the source and the processor, which are the caller's from then on; ``None`` if it is users' code.

        A relay sends the records without a generator in between. A stream that was read already has no parts.
        """
        if self._begun is not None:
            return None
        made = self._make(self._writer)
        if isinstance(made, tuple):
            self._processor = made[1]
            # What makes the parts has the input, which may be large.
            self._make = _refuse_to_read
            return made
        self._begun = made
        return None


def _refuse_to_read(writer: object) -> Any:
    raise RuntimeError("this stream is read elsewhere")


class SyncRecordStream(_Described, Stream[bytes]):
    """:class:`RecordStream` for sync code."""

    __slots__ = ("_begun", "_make", "_processor", "_writer")

    def __init__(self, make: Callable[[Any], Parts | Generator[bytes, None, None]], writer: StreamWriter) -> None:
        self._make = make
        self._writer = writer
        self._begun: Generator[bytes, None, None] | None = None
        self._processor: RecordProcessor | None = None

    @property
    def _outputs(self) -> Generator[bytes, None, None]:  # type: ignore[override]
        if self._begun is None:
            made = self._make(self._writer)
            if isinstance(made, tuple):
                source, self._processor = made
                made = drive(source, RecordOutputs(self._processor))
            self._begun = made
        return self._begun

    def lean(self) -> SyncRecordStream:
        """Return the stream without inputs and metadata, for clients that need not know them."""
        return SyncRecordStream(self._make, self._writer.lean())


def record_chunks(stream: AsyncIterable[Any], wire: Wire | None = None) -> RecordStream:
    """Return the records of a stream of chunks, or of events, that Python code reads.

    The wire is by default LangChain's for the events of :meth:`~millstream.Runnable.astream_events`, and the UI
    message stream for chunks. ``astream_records`` makes the same bytes without an object per chunk. OpenAI's wires show
    the model's name if the stream is a model's, or if the first chunks have it in their metadata.
    """
    writer = _writer_of(stream, wire, EventStream)
    return RecordStream(lambda writer: awrite_items(lambda: stream, writer), writer)


def record_sync_chunks(stream: Iterable[Any], wire: Wire | None = None) -> SyncRecordStream:
    """:func:`record_chunks` for sync code."""
    writer = _writer_of(stream, wire, SyncEventStream)
    return SyncRecordStream(lambda writer: write_items(lambda: stream, writer), writer)


def _writer_of(stream: object, wire: Wire | None, event_stream: type[Any]) -> StreamWriter:
    if wire is None:
        # The streams of version 3 name their wire.
        wire = getattr(stream, "wire", None) or (EVENT_WIRE if isinstance(stream, event_stream) else CHUNK_WIRE)
    options = to_options(wire)
    if is_event_wire(options.name):
        return create_event_writer(options.name)
    return ChunkWriter(options, getattr(stream, "_model", ""))

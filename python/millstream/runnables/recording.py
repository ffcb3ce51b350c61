"""``record_stream``: the records of a Runnable's run, made from its events or from its chunks."""

from __future__ import annotations

from collections.abc import AsyncIterable, Callable, Iterable
from typing import TYPE_CHECKING, Any, NamedTuple, Protocol

from ..wires.chunk_writer import ChunkWriter
from ..wires.event_writer import EventWriter, create_event_writer
from ..wires.names import Wire, event_version, event_wire, is_event_wire, to_options
from ..wires.record_stream import RecordStream, SyncRecordStream
from ..wires.wire_records import WireRecords, awrite_items, write_items

if TYPE_CHECKING:
    from ..events.record_writer import RecordFormat, RecordWriter
    from ..events.schema import EventFilter
    from ..streaming.protocols import Processor, RecordProcessor, Source
    from .config import RunnableConfig

__all__ = ("RecordedRun", "record_stream", "sync_record_stream")


class Recorded(Protocol):
    """A Runnable, as the records of its runs see it."""

    @property
    def stream(self) -> Callable[..., Iterable[Any]]: ...

    @property
    def astream(self) -> Callable[..., AsyncIterable[Any]]: ...

    @property
    def stream_events(self) -> Callable[..., Iterable[Any]]: ...

    @property
    def astream_events(self) -> Callable[..., AsyncIterable[Any]]: ...

    def _event_records(
        self, run: RecordedRun, writer: RecordWriter, version: Any, *, for_async: bool
    ) -> tuple[Source, RecordProcessor] | None: ...

    def _chunk_stream(
        self, input: Any, config: RunnableConfig | None, kwargs: dict[str, Any], *, for_async: bool
    ) -> tuple[Source, Processor[Any]] | None: ...

    def _answer_model(self) -> str: ...


class RecordedRun(NamedTuple):
    """One run whose bytes are wanted: the arguments of ``astream_records``."""

    runnable: Recorded
    input: Any
    config: RunnableConfig | None
    wanted: EventFilter
    kwargs: dict[str, Any]


def record_stream(run: RecordedRun, wire: Wire | None, version: Any, format: RecordFormat) -> RecordStream:
    """Return the records of ``run``; they are made when the stream is read."""
    return RecordStream(*_plan(run, wire, version, format, for_async=True))


def sync_record_stream(run: RecordedRun, wire: Wire | None, version: Any, format: RecordFormat) -> SyncRecordStream:
    """:func:`record_stream` for sync code."""
    return SyncRecordStream(*_plan(run, wire, version, format, for_async=False))


def _plan(
    run: RecordedRun, wire: Wire | None, version: Any, format: RecordFormat, *, for_async: bool
) -> tuple[Callable[[Any], Any], Any]:
    """Return a writer, and the function that returns the parts, or the generator, of the records of such a writer."""
    options = to_options(event_wire(version) if wire is None else wire)
    if is_event_wire(options.name):
        if wire is not None:
            version = event_version(options.name)
        event_writer = create_event_writer(options.name, format=format)
        return lambda writer: _event_parts(run, writer, version, for_async=for_async), event_writer
    if format != "sse":
        raise ValueError(f"format frames LangChain's wires alone: the wire {options.name!r} has its own framing")
    chunk_writer = ChunkWriter(options, run.runnable._answer_model())
    return lambda writer: _chunk_parts(run, writer, for_async=for_async), chunk_writer


def _event_parts(run: RecordedRun, writer: EventWriter, version: Any, *, for_async: bool) -> Any:
    """Return the source and the processor of the events' records, or a generator where events are users'."""
    runnable, arguments = run.runnable, {"version": version, **run.wanted.arguments(), **run.kwargs}
    if (parts := runnable._event_records(run, writer, version, for_async=for_async)) is not None:
        return parts
    if for_async:
        return awrite_items(lambda: runnable.astream_events(run.input, run.config, **arguments), writer)
    return write_items(lambda: runnable.stream_events(run.input, run.config, **arguments), writer)


def _chunk_parts(run: RecordedRun, writer: ChunkWriter, *, for_async: bool) -> Any:
    """Return the source and the processor of the chunks' records, or a generator where chunks are users'."""
    runnable = run.runnable
    parts = runnable._chunk_stream(run.input, run.config, run.kwargs, for_async=for_async)
    if parts is not None:
        source, chunks = parts
        return source, WireRecords(chunks, writer)
    if for_async:
        return awrite_items(lambda: runnable.astream(run.input, run.config, **run.kwargs), writer)
    return write_items(lambda: runnable.stream(run.input, run.config, **run.kwargs), writer)

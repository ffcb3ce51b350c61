"""The records of LangServe's streams of chunks and of logs."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from ..._values import write_string
from ...callbacks.values_from_langchain import from_langchain
from ...errors import UnsupportedError
from ...events.event_records import EventRecords
from ...events.record_writer import RecordWriter
from ...runnables.runnable import Runnable
from ...wires.names import WireFormat
from ...wires.public_error import describe_error
from ...wires.record_stream import RecordStream
from ...wires.wire_records import awrite_items

__all__ = ("ItemRecords", "record_chunks", "record_log")

# One line end: LangServe's client takes a blank line after an id for an event.
_HEAD = WireFormat("text/event-stream; charset=utf-8", ping=b": keep-alive\n")


class ItemRecords(RecordWriter):
    """Writes the items of one stream as LangServe's events: ``data`` for each, then ``end``, or ``error``.

    ``run_id`` is sent before the first of them, in an event ``metadata``. ``to_data`` returns what is sent of an item.
    Values of LangChain's classes are written as ours: pydantic leaves out tool calls in prompt values.
    """

    __slots__ = ("_first", "_to_data")

    wire = "langserve"
    head = _HEAD

    def __init__(self, *, run_id: str = "", to_data: Callable[[Any], Any] | None = None) -> None:
        super().__init__()
        metadata = b'event: metadata\ndata: {"run_id":' + write_string(run_id) + b"}\n\n"
        self._first = metadata if run_id else b""
        self._to_data = to_data

    def start(self) -> bytes:
        """Return nothing: the run's id precedes the first chunk, and an error before that may have a status."""
        return b""

    def write(self, item: object) -> bytes:
        """Return the record of one item."""
        data = item if self._to_data is None else self._to_data(item)
        record = super().write(data if type(data) is str else from_langchain(data))
        return self._take_first() + record if self._first else record

    def end(self) -> bytes:
        """Return the mark of the end."""
        return self._take_first() + super().end()

    close = end

    def fail(self, error: BaseException) -> bytes:
        """Return the event ``error``: a status and a message, as a client may know them."""
        public = describe_error(error)
        record = super().write({"status_code": public.status, "message": public.message})
        return record.replace(b"event: data\n", b"event: error\n", 1)

    def write_snapshot(self, text: str, dropped: int) -> bytes:
        """Raise :class:`UnsupportedError`: LangServe's clients have no event for a text so far."""
        raise UnsupportedError("LangServe's wire has no record for a snapshot: choose slow_client='wait'")

    def is_preface(self, record: bytes) -> bool:
        """Return ``False``: no record precedes the first chunk's."""
        return False

    def lean(self) -> ItemRecords:
        """Return the writer itself."""
        return self

    def _take_first(self) -> bytes:
        first, self._first = self._first, b""
        return first


def record_chunks(runnable: Runnable[Any, Any], input: Any, config: Any) -> RecordStream:
    """Return the records of the chunks of one run."""

    def make(writer: ItemRecords) -> Any:
        parts = runnable._chunk_stream(input, config, {}, for_async=True)
        if parts is None:
            return awrite_items(lambda: runnable.astream(input, config), writer)
        source, chunks = parts
        return source, EventRecords(chunks, writer)

    return RecordStream(make, ItemRecords(run_id=str(config["run_id"])))


def record_log(
    runnable: Runnable[Any, Any],
    input: Any,
    config: Any,
    filters: Mapping[str, Any],
    to_data: Callable[[Any], Any],
) -> RecordStream:
    """Return the records of the log of one run; ``to_data`` returns what is sent of a patch."""

    def make(writer: ItemRecords) -> Any:
        return awrite_items(lambda: runnable.astream_log(input, config, diff=True, **filters), writer)

    return RecordStream(make, ItemRecords(to_data=to_data))

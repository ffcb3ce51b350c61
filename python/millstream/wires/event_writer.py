"""``EventWriter``: stream events as the records of LangChain's wires."""

from __future__ import annotations

import re
from typing import Any

from ..errors import UnsupportedError
from ..events.record_writer import RecordFormat, RecordWriter
from ..events.schema import StreamEvent
from .message_deltas import without_metadata
from .names import WIRES, WireFormat
from .public_error import describe_error

__all__ = ("EventWriter", "create_event_writer")


class EventWriter(RecordWriter):
    """Writes the events of one stream as event records, whole or *lean*: without inputs and metadata.

    ``include_input=False`` leaves out the inputs and the metadata of all runs, and the outputs of runs inside the
    stream's own whose output is the input of another one: prompts, chains and functions.
    """

    __slots__ = ("_includes_input", "_root", "wire")

    def __init__(self, wire: str, *, format: RecordFormat = "sse", include_input: bool = True) -> None:
        super().__init__(format=format)
        self.wire = wire
        self._includes_input = include_input
        self._root: Any = None

    @property
    def head(self) -> WireFormat:
        """The media type, the headers and the keep-alive bytes of a response."""
        return WIRES[self.wire if self.format == "sse" else "ndjson"]

    def is_preface(self, records: bytes) -> bool:
        """Return whether no event of a chunk is among the records."""
        return _CHUNK.search(records) is None

    def lean(self) -> EventWriter:
        """Return a new writer that leaves out inputs and metadata."""
        return type(self)(self.wire, format=self.format, include_input=False)

    def start(self) -> bytes:
        """Return nothing: the first event is the first record."""
        return b""

    def close(self) -> bytes:
        """Return the end of a stream that ended well."""
        return self.end()

    def write(self, event: object) -> bytes:
        """Return the record of one event."""
        return super().write(event if self._includes_input or type(event) is not dict else self._without_input(event))

    def fail(self, error: BaseException) -> bytes:
        """Return the record of an error, as LangServe's clients read it: its status, and a message for clients."""
        public = describe_error(error)
        document = {"status_code": public.status, "message": public.message}
        if self.format == "ndjson":
            return super().write({"event": "error", "data": document})
        return super().write(document).replace(b"event: data\n", b"event: error\n", 1)

    def write_snapshot(self, text: str, dropped: int) -> bytes:
        """Raise :class:`UnsupportedError`: events have no record of a text so far."""
        raise UnsupportedError(
            f"the wire {self.wire!r} has no record for a snapshot: choose slow_client='wait', or another wire"
        )

    def _without_input(self, event: StreamEvent) -> StreamEvent:
        """Return an event without inputs and metadata."""
        if self._root is None:
            self._root = event.get("run_id")
        data = event.get("data")
        if isinstance(data, dict):
            is_root = event.get("run_id") == self._root and not event.get("parent_ids")
            is_step = event["event"].startswith(_STEPS) and not is_root
            data = {} if is_step else {key: value for key, value in data.items() if key != "input"}
            if "chunk" in data:
                data["chunk"] = without_metadata(data["chunk"])
        return {**event, "metadata": {}, "data": data}


class _MessageEventWriter(EventWriter):
    """Writes the events of version 3: those of a message, or of a chain with the runs that they belong to."""

    __slots__ = ()

    def is_preface(self, records: bytes) -> bool:
        """Return whether no model has begun to answer, and no run has ended."""
        return _BEGUN.search(records) is None

    def fail(self, error: BaseException) -> bytes:
        """Return the record of an error, in the form of the protocol."""
        public = describe_error(error)
        record = self.write({"event": "error", "message": public.message, "code": public.type})
        return record.replace(b"event: data\n", b"event: error\n", 1)

    def _without_input(self, event: StreamEvent) -> StreamEvent:
        """Return the event of a run without the metadata of a message; the id of the model's run is left."""
        if event.get("method") != "messages":
            return event
        message, metadata = event["params"]["data"]
        return {**event, "params": {**event["params"], "data": (message, {"run_id": metadata.get("run_id")})}}


def create_event_writer(wire: str, *, format: RecordFormat = "sse") -> EventWriter:
    """Return the writer of a wire of LangChain's."""
    return (_MessageEventWriter if wire == "langchain.v3" else EventWriter)(wire, format=format)


# The type of an event stands first in its record; quotes inside strings are escaped.
_CHUNK = re.compile(rb'\{"event":"on_[a-z_]+_stream"')
_BEGUN = re.compile(rb'"event":"(content-block-|message-finish|error)|"method":"(values|custom|updates)"')
_STEPS = ("on_chain_", "on_prompt_")
"""The events of steps whose outputs are inputs of others."""

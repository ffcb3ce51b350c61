"""The records of an error that the writer of a stream could not write itself."""

from __future__ import annotations

import re
from typing import Any, Literal

from ...wires.chunk_writer import ChunkWriter
from ...wires.event_writer import create_event_writer
from ...wires.names import WireOptions, is_event_wire
from ..errors import error_record

__all__ = ("error_records",)

_SEQUENCE_NUMBER = re.compile(rb'("sequence_number": ?)\d+')


def error_records(wire: str | None, media_type: str, error: BaseException, records_before: int = 0) -> bytes:
    """Return the wire's records of an error, as a new writer writes them, and the end; empty on wires that have none.

    ``records_before`` is the number of records in the stream: ``openai.responses`` numbers them.
    """
    name: Any = wire
    if wire is None:
        return error_record(error) if media_type.startswith("text/event-stream") else b""
    if is_event_wire(wire):
        format: Literal["sse", "ndjson"] = "sse" if media_type.startswith("text/event-stream") else "ndjson"
        return create_event_writer(wire, format=format).fail(error)
    writer = ChunkWriter(WireOptions(name), "")
    writer.start()
    records = writer.fail(error)
    if wire == "openai.responses":
        # The response object that its other events show is not known here.
        records = next(record for record in records.split(b"\n\n") if record.startswith(b"event: error\n")) + b"\n\n"
        records = _SEQUENCE_NUMBER.sub(rb"\g<1>%d" % records_before, records, count=1)
    return records

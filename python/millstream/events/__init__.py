"""Runs, and the stream events they make: the dicts of ``astream_events``, and their records."""

from typing import TYPE_CHECKING, Any

from .filters import EventFilter
from .run import Run, uuid7
from .stream_events import ModelEvents, StreamEvent, records

if TYPE_CHECKING:
    from .record_writer import RecordWriter

__all__ = ("EventFilter", "ModelEvents", "RecordWriter", "Run", "StreamEvent", "records", "uuid7")


def __getattr__(name: str) -> Any:
    """Import the writer when it is asked for: most programs write no records."""
    if name == "RecordWriter":
        from .record_writer import RecordWriter

        return RecordWriter
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")

"""Runs, and the stream events they make: the dicts of ``astream_events``, and their records."""

from .filters import EventFilter
from .record_writer import RecordWriter
from .run import Run, uuid7
from .stream_events import LLMEvents, StreamEvent, records

__all__ = ("EventFilter", "LLMEvents", "RecordWriter", "Run", "StreamEvent", "records", "uuid7")

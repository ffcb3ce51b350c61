"""Runs, and the stream events they make: the dicts of ``astream_events``."""

from .filters import EventFilter
from .run import Run, uuid7
from .stream_events import LLMEvents, StreamEvent, records

__all__ = ("EventFilter", "LLMEvents", "Run", "StreamEvent", "records", "uuid7")

"""Runs, and the stream events they make: the dicts of ``astream_events``, and their records."""

from typing import TYPE_CHECKING

from .._late import lazy_names
from .._uuid7 import uuid7
from .model_events import ModelEvents
from .schema import EventFilter, Run, StreamEvent
from .versions import schema_version

if TYPE_CHECKING:
    from .record_writer import RecordWriter

__all__ = ("EventFilter", "ModelEvents", "RecordWriter", "Run", "StreamEvent", "schema_version", "uuid7")

# Most programs write no records.
__getattr__ = lazy_names(globals(), {"RecordWriter": ".record_writer"})

"""What a WSGI response sends: a sync stream of records, or anything that is made into one."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, cast

from ..streaming.stream import Stream
from ..wires.names import Wire
from ..wires.record_stream import record_sync_chunks
from .bodies import RecordBody, SyncItems

__all__ = ("as_sync_body",)


def as_sync_body(content: Iterable[Any], wire: Wire | None, *, include_input: bool) -> Any:
    """Return ``content`` as a body of records: an iterable with ``close``, and what :class:`RecordBody` has."""
    if hasattr(content, "__aiter__"):
        raise TypeError(
            "a WSGI server cannot send an async stream: pass `chain.stream_records(...)` or `chain.stream(...)`,"
            " or use an ASGI server and `EventStreamResponse`"
        )
    if isinstance(content, RecordBody):
        if wire is not None:
            raise ValueError("`wire` is that of the records already: pass it to `stream_records`")
        return content if include_input else lean(content)
    if wire is not None or isinstance(content, Stream):
        body = record_sync_chunks(content, wire)
        return body if include_input else lean(body)
    return SyncItems(iter(content))


def lean(body: RecordBody) -> RecordBody:
    """Return ``body`` without the inputs and the metadata, if it has any."""
    make = getattr(body, "lean", None)
    return body if make is None else cast("RecordBody", make())

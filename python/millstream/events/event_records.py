"""From stream events to event records, for ``astream_records``."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any

from ..streaming.protocols import Joiner, Processor, Recorder, RecordProcessor

if TYPE_CHECKING:
    from .record_writer import RecordWriter
    from .schema import StreamEvent

__all__ = ("EventRecords",)


class EventRecords(RecordProcessor):
    """Writes another processor's events as records: one bytes object for all outputs of a raw item.

    It is a processor itself, but that it gives bytes where others give sequences; :func:`adrive_records` drives it.
    With a ``recorder``, which returns what makes the same records without making the events, raw items go
    there, and what it returns in parts to ``joiner``.
    """

    __slots__ = ("_inner", "_joiner", "_recorder", "_writer", "prefix", "suffix")

    def __init__(
        self,
        events: Processor[StreamEvent],
        writer: RecordWriter,
        recorder: Callable[[], Recorder] | None = None,
        prefix: bytes = b"",
        suffix: bytes = b"",
        joiner: Joiner | None = None,
    ) -> None:
        self._inner: Processor[StreamEvent] = events
        self._writer = writer
        self._recorder = recorder
        self._joiner = joiner
        self.prefix = prefix
        self.suffix = suffix

    @property
    def recorder(self) -> Recorder:
        """The function that returns the records of a raw item, to be called with ``prefix`` and ``suffix``."""
        if self._recorder is not None:
            return self._recorder()
        feed, write = self._inner.feed, self._write
        return lambda raw, prefix, suffix: write(feed(raw))

    def joined(self, parts: list[Any]) -> bytes:
        """Return the records of what the recorder returned in parts."""
        return b"" if self._joiner is None else self._joiner(parts)

    def start(self) -> bytes:
        """Return the records of the events before the source is opened."""
        return self._write(self._inner.start())

    def opened(self, body: object) -> bytes:
        """Return the records of the events of what the source has read already."""
        return self._write(self._inner.opened(body) or ())

    def close(self) -> bytes:
        """Return the last records, and the mark of the end where the stream ended well."""
        records = self._write(self._inner.close())
        return records if self._inner.error is not None else records + self._writer.end()

    def _write(self, events: Sequence[StreamEvent]) -> bytes:
        return b"".join(map(self._writer.write, events))

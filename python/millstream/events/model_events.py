"""The stream events of a model's run, and their records."""

from __future__ import annotations

import os
from collections.abc import Callable, Sequence
from functools import partial
from typing import TYPE_CHECKING, Any, cast

from ..streaming.protocols import ChunkProcessor, ProcessorAround, Recorder
from .event_records import EventRecords
from .handler import mixed
from .schema import Outputs, Run, Streamer, StreamEvent
from .versions import Version, streamer

if TYPE_CHECKING:
    from ..outputs import LLMResult
    from .record_writer import RecordWriter

__all__ = ("ModelEvents",)


class ModelEvents(ProcessorAround[StreamEvent]):
    """The processor that turns a model's chunks into its events.

    The events of one run share its tags, metadata and parent ids, as LangChain's do: they are the
    run's own copies, so that a consumer who changes them reaches neither the model nor the call's
    configuration.
    """

    __slots__ = ("_includes", "_inner", "_input", "_run", "_template", "_version")

    def __init__(
        self, chunks: ChunkProcessor[LLMResult], version: Version, run: Run, input: object, *, includes: bool
    ) -> None:
        self._inner: ChunkProcessor[LLMResult] = chunks
        self._version = version
        self._run = run
        self._input = input
        self._includes = includes
        streams = includes and (chunks.streams or version.whole_streams)
        # The event of a chunk without its data; ``None`` if those events are not wanted.
        self._template = version.template(run, root=True) if streams else None

    @property
    def mixed(self) -> bool:
        """Whether events of child runs may stand between those of the chunks."""
        return self._inner.mixed

    @property
    def feed(self) -> Streamer:
        """The function that returns the events of a raw item."""
        outputs = self._inner.feed
        feed = _silent(outputs) if self._template is None else streamer(self._template, outputs)
        return mixed(feed) if self._inner.mixed else feed

    def start(self) -> list[StreamEvent]:
        """Return the start's event."""
        # The input may be large, and is not kept for the length of the stream.
        input, self._input = self._input, None
        start = [self._version.start(self._run, input, root=True)] if self._includes else []
        return start + self._chunk_events(self._inner.start())

    def opened(self, body: object) -> list[StreamEvent]:
        """Return the events of the chunks that the source has read already."""
        return self._chunk_events(self._inner.opened(body) or ())

    def close(self) -> list[StreamEvent]:
        """Return the last chunks' events, and the end's where the stream ended well."""
        events = self._chunk_events(self._inner.close())
        if self._includes and self._inner.error is None:
            output = self._version.output(self._run, self._inner.result())
            events.append(self._version.end(self._run, None, output, root=True))
        return events

    def records(self, writer: RecordWriter) -> EventRecords:
        """Return the processor that writes these events as records, without making them where the inner one can.

        The records of a run's chunks differ in the chunk's text alone: the name, tags, metadata and ids stay.
        So one event is made of a chunk whose text is a random marker, and written as a record. The bytes
        before the marker are the *prefix* of every record, those behind it the *suffix*, and per network
        read one call into the core returns prefix, text as JSON, suffix, for all chunks at once. No Python
        object is made per chunk, and the bytes are those of ``writer.write`` of the event.

        The marker is random, so it cannot occur in a name, a tag or metadata, which are users'. A delta that
        is more than text (a finish reason, a tool call) does not fit the template: the recorder passes it to
        ``write``, and :meth:`~.protocols.ChunkProcessor.joined` puts the parts in order.
        """
        mark = os.urandom(16).hex()
        # Without a wanted event there is no recorder: asking for one switches the inner processor to records.
        events = self._chunk_events((self._inner.plain(mark),))
        if not events:
            return EventRecords(self, writer)

        def write(outputs: Sequence[Any]) -> bytes:
            return b"".join(map(writer.write, self._chunk_events(outputs)))

        chunks = self._inner
        if chunks.recorder(write) is None:
            return EventRecords(self, writer)
        prefix, _, suffix = writer.write(events[0]).partition(f'"{mark}"'.encode())
        recorder = cast("Callable[[], Recorder]", partial(chunks.recorder, write))
        return EventRecords(self, writer, recorder, prefix, suffix, chunks.joined)

    def _chunk_events(self, chunks: Sequence[Any]) -> list[StreamEvent]:
        template = self._template
        return [] if template is None else [{**template, "data": {"chunk": chunk}} for chunk in chunks]


def _silent(outputs: Outputs) -> Streamer:
    """Return a function that calls ``outputs`` and returns no events."""

    def stream(raw: object) -> list[StreamEvent]:
        outputs(raw)
        return []

    return stream

"""The stream events of a model's run: what ``astream_events`` hands out, and what its records are made of."""

from __future__ import annotations

import os
from collections.abc import Sequence, Sized
from typing import TYPE_CHECKING, Any, cast

from ..errors import StreamError
from ..streaming.protocols import Recorder
from .event_records import EventRecords
from .handler import mixed
from .run import Run
from .schema import Outputs, Streamer, StreamEvent
from .versions import Version, streamer

if TYPE_CHECKING:
    from ..outputs import LLMResult
    from ..streaming.protocols import ChunkPart
    from .record_writer import RecordWriter

__all__ = ("ModelEvents",)


class ModelEvents:
    """The part that turns a model's chunks into its events.

    The events of one run share its tags, metadata and parent ids, as LangChain's do: they are the
    run's own copies, so that a consumer who changes them reaches neither the model nor the call's
    configuration.
    """

    __slots__ = ("_chunks", "_includes", "_input", "_run", "_stream", "_streams", "_version")

    def __init__(self, chunks: ChunkPart[LLMResult], version: Version, run: Run, input: Any, *, includes: bool) -> None:
        self._chunks = chunks
        self._version = version
        self._run = run
        self._input = input
        self._includes = includes
        self._streams = includes and (chunks.streams or version.whole_streams)
        self._stream = self._streamer(_as_they_are)

    @property
    def feed(self) -> Streamer:
        """Return what turns a raw item into events."""
        feed = self._streamer(self._chunks.feed)
        return mixed(feed) if self._chunks.mixed else feed

    @property
    def over(self) -> Sized:
        """Return what is empty until the stream is over."""
        return self._chunks.over

    @property
    def failure(self) -> BaseException | None:
        """Return the exception to raise after :meth:`finish`."""
        return self._chunks.failure

    def begin(self) -> list[StreamEvent]:
        """Return the start's event."""
        start = [self._version.start(self._run, self._input, root=True)] if self._includes else []
        return start + self._stream(self._chunks.begin())

    def opened(self, body: Any) -> None:
        """Tell the chunks' part."""
        self._chunks.opened(body)

    def idle(self) -> bool:
        """Ask the chunks' part."""
        return self._chunks.idle()

    def lost(self, error: Exception) -> None:
        """Tell the chunks' part."""
        self._chunks.lost(error)

    def cut(self) -> StreamError | None:
        """Ask the chunks' part."""
        return self._chunks.cut()

    def finish(self) -> list[StreamEvent]:
        """Return the last chunks' events, and the end's where the stream ended well."""
        events = self._stream(self._chunks.finish())
        if self._includes and self._chunks.failure is None:
            output = self._version.output(self._run, self._chunks.result())
            events.append(self._version.end(self._run, None, output, root=True))
        return events

    def broken(self, error: BaseException) -> None:
        """Tell the chunks' part."""
        self._chunks.broken(error)

    def records(self, writer: RecordWriter) -> EventRecords:
        """Return the part that writes these events as records, without making them where the chunks' part can."""
        # Nobody can know this text, so no name, tag or metadata holds it: it marks the place of the chunk's.
        mark = os.urandom(16).hex()
        stream = self._stream
        # Where no event is wanted, no recorder is asked for: a part that was asked goes on as one.
        events = stream((self._chunks.plain(mark),))
        if not events:
            return EventRecords(self, writer)

        def write(outputs: Sequence[Any]) -> bytes:
            return b"".join(map(writer.write, stream(outputs)))

        chunks = self._chunks
        if chunks.recorder(write) is None:
            return EventRecords(self, writer)
        prefix, _, suffix = writer.write(events[0]).partition(f'"{mark}"'.encode())
        return EventRecords(
            self, writer, lambda: cast("Recorder", chunks.recorder(write)), prefix, suffix, chunks.joined
        )

    def _streamer(self, outputs: Outputs) -> Streamer:
        if not self._streams:
            return _silent(outputs)
        return streamer(self._version.template(self._run, root=True), outputs)


def _as_they_are(outputs: Sequence[Any]) -> Sequence[Any]:
    return outputs


def _silent(outputs: Outputs) -> Streamer:
    """Return what feeds ``outputs`` and hands out nothing."""

    def stream(raw: Any) -> list[StreamEvent]:
        outputs(raw)
        return []

    return stream

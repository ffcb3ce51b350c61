"""The times of a stream's chunks: for the metadata of models with ``stream_timing``, and for handlers that ask."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any

from ..outputs import LLMResult
from ..streaming.protocols import ChunkProcessor, ChunkProcessorAround, Recorder, Source, WireFeed

if TYPE_CHECKING:
    from .model_type import LLMRun, Model

__all__ = ("ChunkTimer", "TimedList", "begin_timer", "is_last", "make_timer", "stamp", "start_timer", "time_stream")

NativeStream = tuple[Source, ChunkProcessor[LLMResult]]


class ChunkTimer:
    """Measures the chunks with content of one run; its clock starts with the run's request.

    A chunk has content if it has text, reasoning, a refusal, a tool call or audio. ``count`` is how many there were,
    ``started_at`` the time of the monotonic clock at the start.
    """

    __slots__ = ("_first", "_last", "count", "started_at")

    def __init__(self) -> None:
        self._first = self._last = 0.0
        self.count = 0
        self.start()

    def start(self) -> None:
        """Start the clock."""
        self.started_at = time.monotonic()

    def see(self, count: int) -> None:
        """Take note that ``count`` chunks have arrived so far."""
        if count != self.count:
            now = self._last = time.monotonic()
            if not self.count:
                self._first = now
            self.count = count

    def add(self, chunk: Any) -> None:
        """Take note of a chunk of a user's model."""
        if _has_content(chunk):
            self.see(self.count + 1)

    @property
    def first(self) -> float | None:
        """The seconds from the start to the first chunk; ``None`` without one."""
        return self._first - self.started_at if self.count else None

    @property
    def later(self) -> float:
        """The seconds from the first chunk to the last one."""
        return self._last - self._first

    def metadata(self) -> dict[str, float]:
        """Return the metadata of a message: nothing for a stream without content."""
        if not self.count:
            return {}
        # Chunks that arrived in one read have no time between them: that of their stream so far is measured then.
        seconds = self.later or max(time.monotonic() - self._first, 1e-9)
        return {"first_chunk_seconds": self._first - self.started_at, "chunks_per_second": (self.count - 1) / seconds}


def _has_content(chunk: Any) -> bool:
    message = getattr(chunk, "message", None)
    if message is None:
        return bool(chunk.text)
    return bool(message.content or getattr(message, "tool_call_chunks", None) or message.additional_kwargs)


def make_timer(model: Model, handlers: Sequence[Any] = ()) -> ChunkTimer | None:
    """Return the timer of a run; ``None`` if neither the model nor a handler asks for times.

    A handler asks by a method ``_take_timer``, which :func:`start_timer` calls.
    """
    return ChunkTimer() if model.stream_timing or any(hasattr(one, "_take_timer") for one in handlers) else None


def start_timer(timer: ChunkTimer, run: LLMRun) -> None:
    """Start the clock, and pass the timer to the handlers that ask for it; they read it at the end of the run."""
    timer.start()
    for one in run.handlers:
        if (take := getattr(one, "_take_timer", None)) is not None:
            take(run.run_id, timer)


def begin_timer(model: Model, run: LLMRun | None) -> ChunkTimer | None:
    """Return the timer of a call that streams, with its clock started; ``None`` as for :func:`make_timer`."""
    timer = make_timer(model, () if run is None else run.handlers)
    if timer is not None and run is not None:
        start_timer(timer, run)
    return timer


def is_last(chunk: Any) -> bool:
    """Return whether a chunk of a chat model is marked as the last one."""
    return getattr(getattr(chunk, "message", chunk), "chunk_position", None) == "last"


def stamp(output: Any, timer: ChunkTimer) -> None:
    """Add the times to the metadata of a message, or to the info of a completion; a text has neither."""
    message = getattr(output, "message", output)
    if hasattr(message, "response_metadata"):
        message.response_metadata = {**message.response_metadata, **timer.metadata()}
    elif hasattr(output, "generation_info"):
        output.generation_info = {**(output.generation_info or {}), **timer.metadata()}


def time_stream(model: Model, stream: NativeStream, timer: ChunkTimer | None) -> NativeStream:
    """Return a native stream whose chunks are timed, if there is a timer."""
    return stream if timer is None else (stream[0], TimedChunks(stream[1], timer, stamps=model.stream_timing))


class TimedList(list[Any]):
    """The chunks of a call that streams, timed if there is a timer; with ``stamps``, the last one has the times."""

    __slots__ = ("_stamps", "_timer")

    def __init__(self, timer: ChunkTimer | None, *, stamps: bool) -> None:
        super().__init__()
        self._timer = timer
        self._stamps = stamps

    def append(self, chunk: Any) -> None:
        """Add a chunk."""
        super().append(chunk)
        if self._timer is not None:
            self._timer.add(chunk)
            if self._stamps and is_last(chunk):
                stamp(chunk, self._timer)


class TimedChunks(ChunkProcessorAround[LLMResult]):
    """A processor whose chunks are timed; with ``stamps``, the last one and the result have the times.

    Without, only the first chunk and the end of the stream are timed: a chunk in between costs one call more, and no
    look at the clock.
    """

    __slots__ = ("_stamps", "_timer")

    def __init__(self, chunks: ChunkProcessor[LLMResult], timer: ChunkTimer, *, stamps: bool) -> None:
        super().__init__(chunks)
        self._timer = timer
        self._stamps = stamps

    def start(self) -> Sequence[Any]:
        """Start the clock."""
        self._timer.start()
        return self._inner.start()

    @property
    def feed(self) -> Callable[[Any], Sequence[Any]]:
        """The function that returns the chunks of a raw item."""
        feed, count, see = self._inner.feed, self._inner.content_counter, self._timer.see
        stamps, stamp_last = self._stamps, self._stamp_last
        waits = True

        def timed(raw: Any) -> Sequence[Any]:
            nonlocal waits
            outputs = feed(raw)
            if waits and outputs:
                see(seen := count())
                waits = stamps or not seen
                if stamps:
                    stamp_last(outputs)
            return outputs

        return timed

    def _stamp_last(self, outputs: Sequence[Any]) -> None:
        """Add the times to a provider's own last chunk, behind which none is added."""
        if is_last(outputs[-1]):
            stamp(outputs[-1], self._timer)

    def recorder(self, write: Callable[[Sequence[Any]], bytes]) -> Recorder | None:
        """Return what makes records of raw items; ``None`` if the last one is to have the times."""
        if self._stamps or (record := self._inner.recorder(write)) is None:
            return None
        return self._note_first(record)

    def write_into(self, writer: Any, *, text_only: bool = False) -> WireFeed | None:
        """Return the inner processor's function, timed."""
        if (found := self._inner.write_into(writer, text_only=text_only)) is None:
            return None
        return self._note_first(found[0]), found[1]

    def _note_first(self, record: Recorder) -> Recorder:
        count, see = self._inner.content_counter, self._timer.see
        waits = True

        def timed(raw: Any, prefix: Any, suffix: Any) -> Any:
            nonlocal waits
            records = record(raw, prefix, suffix)
            if waits and records:
                see(seen := count())
                waits = not seen
            return records

        return timed

    def close(self) -> Sequence[Any]:
        """Return the last chunks, of which the last one has the times if the stream ended well."""
        outputs = self._inner.close()
        self._timer.see(self._inner.content_counter())
        if self._stamps and outputs and self._inner.error is None:
            stamp(outputs[-1], self._timer)
        return outputs

    def result(self) -> LLMResult:
        """Return the result, with the times."""
        result = self._inner.result()
        if self._stamps:
            stamp(result.generations[0][0], self._timer)
        return result

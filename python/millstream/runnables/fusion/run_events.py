"""The runs of a chain that is one generator, as its stream events tell them."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from ...events.payloads import payload_of
from ...events.schema import UNKNOWN
from ...events.versions import Version, copies
from ...streaming.accumulate import ChunkAccumulator

if TYPE_CHECKING:
    from ...events import EventFilter, Run, StreamEvent
    from ...streaming.protocols import Stage
    from ..origin import OriginEvents

__all__ = ("ChainEvents", "OriginEventMaker", "StageEvents", "Take")

Take = Callable[[Any, list[Any]], None]
"""Takes a chunk, and the list to which its events are added."""


class ChainEvents:
    """The run of a sequence, a prompt, a parser: its events, and the sum of its output."""

    __slots__ = ("_includes", "_root", "_run", "_stream", "_version", "output")

    def __init__(self, version: Version, run: Run, wanted: EventFilter, *, root: bool) -> None:
        self._version = version
        self._run = run
        self._root = root
        self._includes = wanted.includes(run.name, run.run_type, run.tags)
        self._stream = copies(version.template(run, root=root))
        self.output = ChunkAccumulator()

    def start(self, input: Any, events: list[StreamEvent]) -> None:
        """Tell of the start."""
        if self._includes:
            events.append(self._version.start(self._run, input, root=self._root))

    def add(self, chunk: Any, events: list[StreamEvent]) -> None:
        """Tell of a chunk, and add it to the output."""
        self.output.add(chunk)
        if self._includes:
            events.append(self._stream(chunk))

    def show(self, chunk: Any, events: list[StreamEvent]) -> None:
        """Tell of a chunk of an output that is another run's too, which adds it up."""
        if self._includes:
            events.append(self._stream(chunk))

    def end(self, input: Any, output: Any, events: list[StreamEvent]) -> None:
        """Tell of the end."""
        if self._includes:
            events.append(self._version.end(self._run, input, output, root=self._root))


class StageEvents:
    """The run of a step that transforms what comes from the model; it begins with its first chunk."""

    def __init__(self, told: ChainEvents, stage: Stage[Any, Any]) -> None:
        self._told = told
        self._as_stage = stage
        self._input = ChunkAccumulator()
        self._goes_on: bool | None = None
        self._next: Take

    def before(self, take: Take) -> Take:
        """Return what takes the chunks of this step's input, where ``take`` takes those of its output."""
        self._next = take
        feed, input, add = self._as_stage.feed, self._input, self._told.add

        def taken(chunk: Any, events: list[StreamEvent]) -> None:
            if self._goes_on is None:
                self._start(events)
            input.add(chunk)
            for output in feed(chunk):
                add(output, events)
                take(output, events)

        return taken

    @property
    def output(self) -> ChunkAccumulator:
        """Return the sum of the output."""
        return self._told.output

    def close(self, events: list[StreamEvent]) -> None:
        """Pass on what the end brings, and tell of it."""
        if self._goes_on is None:
            self._start(events)
        for output in self._as_stage.close():
            self._told.add(output, events)
            self._next(output, events)
        self._goes_on = False
        self._told.end(self._input.total(), self._told.output.total(), events)

    def fail(self, events: list[StreamEvent]) -> None:
        """Tell of an end without an output, where the run has begun and has none yet."""
        if self._goes_on:
            self._told.end(self._input.total(), None, events)

    def _start(self, events: list[StreamEvent]) -> None:
        self._goes_on = True
        self._told.start(UNKNOWN, events)


class OriginEventMaker:
    """The run of the origin, a model."""

    def __init__(self, version: Version, origin: OriginEvents, wanted: EventFilter) -> None:
        run = origin.run
        self._version = version
        self._origin = origin
        self._run = run
        self._includes = wanted.includes(run.name, run.run_type, run.tags)
        self._goes_on = True
        self._any = False
        self._inputs = payload_of(run).inputs([origin.prompt])
        self._template = version.template(run, root=False)
        # Chat models' chunks are what is shown and what goes on; of a generation it is the text that goes on.
        self._is_text = run.run_type == "llm"
        self._shows_text = self._is_text and not version.shows_parents

    def start(self, events: list[StreamEvent]) -> None:
        """Add the start's event."""
        if self._includes:
            events.append(self._version.start(self._run, self._inputs, root=False))

    def add(self, chunk: Any, events: list[StreamEvent]) -> Any:
        """Add a chunk's event; return what the next step gets of it."""
        self._any = True
        item = chunk.text if self._is_text else chunk
        if self._includes:
            event = self._template.copy()
            event["data"] = {"chunk": item if self._shows_text else chunk}
            events.append(event)
        return item

    def end(self, events: list[StreamEvent]) -> None:
        """Add the end's event."""
        self._goes_on = False
        if self._includes:
            events.append(self._version.end(self._run, self._inputs, self._origin.processor.result(), root=False))

    def fail(self, events: list[StreamEvent]) -> None:
        """Add an end's event with what had arrived, where there has been none yet."""
        if self._goes_on and self._includes:
            arrived = self._origin.processor.result() if self._any else self._origin.empty_result()
            events.append(self._version.end(self._run, self._inputs, arrived, root=False))

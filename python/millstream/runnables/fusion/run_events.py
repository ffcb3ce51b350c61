"""The events of the runs of a fused chain: of the chain and its functions, of its stages, of its origin."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from ...events.payloads import payload_of
from ...events.schema import UNKNOWN
from ...events.versions import Version
from ...streaming.accumulate import ChunkAccumulator
from ..nodes import Node, StageNode, Take, WholeNode
from ..origin import AttemptEvents

if TYPE_CHECKING:
    from collections.abc import Callable

    from ...events import EventFilter, Run, StreamEvent
    from ...streaming.protocols import Stage
    from ..origin import OriginEvents

__all__ = (
    "AttemptEventMaker",
    "ChainEvents",
    "OriginEventMaker",
    "RunNode",
    "StageRunNode",
    "WholeRunNode",
    "make_origin_events",
)


class ChainEvents:
    """The events of the run of a sequence, a prompt or a parser, and its accumulated output."""

    __slots__ = ("_includes", "_root", "_run", "_version", "output")

    def __init__(self, version: Version, run: Run, wanted: EventFilter, *, root: bool) -> None:
        self._version = version
        self._run = run
        self._root = root
        self._includes = wanted.includes(run.name, run.run_type, run.tags)
        self.output = ChunkAccumulator()

    def start(self, input: object, events: list[StreamEvent]) -> None:
        """Add the event of the start."""
        if self._includes:
            events.append(self._version.start(self._run, input, root=self._root))

    def make_take(self, *, accumulates: bool) -> Take:
        """Return a function that adds the event of a chunk, and the chunk to the output if this run ``accumulates``."""
        add, copy = self.output.add, self.copy_template()

        def take(chunk: object, events: list[StreamEvent]) -> None:
            if copy is not None:
                event = copy()
                event["data"] = {"chunk": chunk}
                events.append(event)

        def add_and_take(chunk: object, events: list[StreamEvent]) -> None:
            add(chunk)
            take(chunk, events)

        return add_and_take if accumulates else take

    def copy_template(self) -> Callable[[], StreamEvent] | None:
        """Return the function that returns the event of a chunk, without its data; ``None`` if it is not wanted."""
        return self._version.template(self._run, root=self._root).copy if self._includes else None

    def end(self, input: object, output: object, events: list[StreamEvent]) -> None:
        """Add the event of the end."""
        if self._includes:
            events.append(self._version.end(self._run, input, output, root=self._root))


class RunNode(Node):
    """A node with the events of its run, which starts with its first chunk."""

    def __init__(self, run_events: ChainEvents, node: Node) -> None:
        self._run_events = run_events
        self._node = node
        self._input = ChunkAccumulator()
        self._is_open: bool | None = None
        self._take = run_events.make_take(accumulates=True)

    def feed_into(self, take: Take) -> Take:
        """Return a function for the chunks of the input; it calls ``take`` with those of the output."""
        add_input, take_own = self._input.add, self._take

        def take_output(output: object, events: list[StreamEvent]) -> None:
            take_own(output, events)
            take(output, events)

        feed = self._node.feed_into(take_output)

        def feed_chunk(chunk: Any, events: list[StreamEvent]) -> None:
            if self._is_open is None:
                self._start(events)
            add_input(chunk)
            feed(chunk, events)

        return feed_chunk

    @property
    def output(self) -> ChunkAccumulator:
        """The accumulated output."""
        return self._run_events.output

    def close(self, events: list[StreamEvent]) -> None:
        """Pass on the outputs of the end, and add its event."""
        if self._is_open is None:
            self._start(events)
        self._node.close(events)
        self._is_open = False
        self._run_events.end(self._input.total(), self.output.total(), events)

    def fail(self, events: list[StreamEvent]) -> None:
        """Add the event of an end without an output, if the run is open; child runs end first."""
        self._node.fail(events)
        if self._is_open:
            self._run_events.end(self._input.total(), None, events)

    def _start(self, events: list[StreamEvent]) -> None:
        self._is_open = True
        self._run_events.start(UNKNOWN, events)


class StageRunNode(RunNode):
    """A stage with the events of its run: a :class:`RunNode` with one function for all that a chunk costs."""

    def __init__(self, run_events: ChainEvents, stage: Stage[Any, Any]) -> None:
        super().__init__(run_events, StageNode(stage))
        self._stage = stage

    def feed_into(self, take: Take, copy_last: Callable[[], StreamEvent] | None = None) -> Take:
        """Return a function for the chunks of the input; it calls ``take`` with those of the output.

        Of the last step, ``copy_last`` may return what ``take`` adds as the chunk's event, without its data.
        """
        feed, copy = self._stage.feed, self._run_events.copy_template()
        input, output = self._input, self.output
        add_input, append_input = input.add, input.parts.append
        add_output, append_output = output.add, output.parts.append

        def feed_chunk(chunk: Any, events: list[StreamEvent]) -> None:
            if self._is_open is None:
                self._start(events)
            if type(chunk) is input.joins:
                append_input(chunk)
            else:
                add_input(chunk)
            for made in feed(chunk):
                if type(made) is output.joins:
                    append_output(made)
                else:
                    add_output(made)
                if copy is not None:
                    event = copy()
                    event["data"] = {"chunk": made}
                    events.append(event)
                if copy_last is not None:
                    event = copy_last()
                    event["data"] = {"chunk": made}
                    events.append(event)
                else:
                    take(made, events)

        # For the outputs of the end.
        super().feed_into(take)
        return feed_chunk


class WholeRunNode(WholeNode):
    """A node with the events of its run, which starts with the whole input; its chunks have no events."""

    def __init__(self, run_events: ChainEvents, node: Node) -> None:
        super().__init__()
        self._run_events = run_events
        self._node = node
        self._is_open = False

    @property
    def output(self) -> ChunkAccumulator:
        """The accumulated output."""
        return self._run_events.output

    def _push(self, input: object, events: list[StreamEvent]) -> None:
        self._is_open = True
        self._run_events.start(input, events)
        self._node.feed_into(self._take_output)(input, events)
        self._node.close(events)
        self._is_open = False
        self._run_events.end(input, self.output.total(), events)

    def _take_output(self, output: object, events: list[StreamEvent]) -> None:
        self.output.add(output)
        self._take(output, events)

    def fail(self, events: list[StreamEvent]) -> None:
        """Add the event of an end without an output, if the run is open; child runs end first."""
        self._node.fail(events)
        if self._is_open:
            self._run_events.end(self._sum.total(), None, events)


class OriginEventMaker:
    """The events of the run of the origin, a model."""

    def __init__(self, version: Version, origin: OriginEvents, wanted: EventFilter) -> None:
        run = origin.run
        if not version.shows_parents:
            run.parent_ids = []
        self._version = version
        self._origin = origin
        self._run = run
        self._includes = wanted.includes(run.name, run.run_type, run.tags)
        self._is_open = True
        self._any = False
        self._inputs = payload_of(run).inputs([origin.prompt])
        # A chat model's chunks are shown and passed on as they are; of a generation, its text is passed on.
        self._is_text = run.run_type == "llm"
        self._shows_text = self._is_text and not version.shows_parents

    def start(self, events: list[StreamEvent]) -> None:
        """Add the event of the start."""
        if self._includes:
            events.append(self._version.start(self._run, self._inputs, root=False))

    def feed_into(self, take: Take) -> Take:
        """Return a function for the origin's chunks, which calls ``take`` with the next step's input."""
        is_text, shows_text = self._is_text, self._shows_text
        copy = self._version.template(self._run, root=False).copy if self._includes else None

        def feed_chunk(chunk: Any, events: list[StreamEvent]) -> None:
            self._any = True
            item = chunk.text if is_text else chunk
            if copy is not None:
                event = copy()
                event["data"] = {"chunk": item if shows_text else chunk}
                events.append(event)
            take(item, events)

        return feed_chunk

    def end(self, events: list[StreamEvent]) -> None:
        """Add the event of the end."""
        self._is_open = False
        if self._includes:
            events.append(self._version.end(self._run, self._inputs, self._origin.processor.result(), root=False))

    def fail(self, events: list[StreamEvent]) -> None:
        """Add the event of an end with the partial result, if the run is open."""
        if self._is_open and self._includes:
            arrived = self._origin.processor.result() if self._any else self._origin.empty_result()
            events.append(self._version.end(self._run, self._inputs, arrived, root=False))

    def catch_up(self, events: list[StreamEvent]) -> None:
        """Do nothing: there are no other attempts."""


class AttemptEventMaker:
    """The events of an origin with attempts: those of each attempt, and of the run around them, if there is one."""

    def __init__(self, version: Version, attempts: AttemptEvents, wanted: EventFilter) -> None:
        self._version = version
        self._wanted = wanted
        self._attempts = attempts
        self._maker = make_origin_events(version, attempts.first, wanted)
        self._run_events: ChainEvents | None = None
        if attempts.run is not None:
            if not version.shows_parents:
                attempts.run.parent_ids = []
            self._run_events = ChainEvents(version, attempts.run, wanted, root=False)

    def start(self, events: list[StreamEvent]) -> None:
        """Add the events of the starts."""
        if self._run_events is not None:
            self._run_events.start(self._attempts.input, events)
        self._maker.start(events)

    def catch_up(self, events: list[StreamEvent]) -> None:
        """Add the events of the attempts that have failed and begun since."""
        self._maker.catch_up(events)
        while self._attempts.later:
            found = self._attempts.later.pop(0)
            self._fail_attempt(events)
            self._maker = make_origin_events(self._version, found, self._wanted)
            self._maker.start(events)
            self._maker.catch_up(events)

    def feed_into(self, take: Take) -> Take:
        """Return a function for the chunks of the attempt that goes on."""
        if self._run_events is None:
            return self._maker.feed_into(take)
        add = self._run_events.output.add

        def take_output(item: object, events: list[StreamEvent]) -> None:
            add(item)
            take(item, events)

        return self._maker.feed_into(take_output)

    def end(self, events: list[StreamEvent]) -> None:
        """Add the events of the ends, that of the attempt first."""
        self._maker.end(events)
        if self._run_events is not None:
            self._run_events.end(self._attempts.input, self._run_events.output.total(), events)

    def fail(self, events: list[StreamEvent]) -> None:
        """Add the events of ends without an output."""
        self._maker.fail(events)
        if self._run_events is not None:
            self._run_events.end(self._attempts.input, None, events)

    def _fail_attempt(self, events: list[StreamEvent]) -> None:
        if self._version.ends_failed_runs:
            self._maker.fail(events)


def make_origin_events(
    version: Version, found: OriginEvents | AttemptEvents, wanted: EventFilter
) -> OriginEventMaker | AttemptEventMaker:
    """Return the maker of the events of an origin's runs."""
    if isinstance(found, AttemptEvents):
        return AttemptEventMaker(version, found, wanted)
    return OriginEventMaker(version, found, wanted)

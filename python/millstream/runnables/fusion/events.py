"""The stream events of a fused chain: one generator over the origin's connection, without a task or a queue."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any

from ..._uuid7 import uuid7
from ...events import EventFilter, Run, StreamEvent, schema_version
from ..config import RunnableConfig, ensure_config
from ..event_stream import callback_event_stream
from ..runs import RunStart
from .attempts import NoBody
from .chunks import Fused
from .plan import NOTHING, run_nodes
from .run_events import AttemptEventMaker, ChainEvents, RunNode, StageRunNode, WholeRunNode, make_origin_events

if TYPE_CHECKING:
    from uuid import UUID

    from ...callbacks.manager import BaseRunManager
    from ..event_stream import EventProducer
    from ..nodes import Take
    from .plan import Part, Plan

__all__ = ("FusedEvents",)


class FusedEvents(Fused):
    """The events of a chain whose steps run no users' code, and of which no handler is notified.

    Each chunk passes through all steps, and each step adds its event, before the next chunk: the order of
    LangChain, where steps pull. A chain whose origin turns out to run users' code runs in a worker instead.
    """

    def __init__(
        self,
        chain: EventProducer,
        plan: Plan,
        input: Any,
        config: RunnableConfig | None,
        version: str,
        wanted: EventFilter,
        kwargs: dict[str, Any],
        *,
        for_async: bool,
    ) -> None:
        super().__init__(chain, plan, input, config, kwargs, for_async=for_async)
        self._version = schema_version(version)
        self._wanted = wanted
        self._is_fused = False

    # The start.

    def start(self) -> list[StreamEvent]:
        """Return the events up to the start of the origin's run; ``open`` raises the error of a function before it."""
        events: list[StreamEvent] = []
        run_start = RunStart(self._chain, ensure_config(self._config))
        self._chain_run = run_start.silent_run()
        self._root = self._root_events(run_start)
        self._root.start(self._input, events)
        try:
            value = self._run_before(run_start, events)
            is_fused = value is not NOTHING and self._start_origin(value, run_start, events)
        except Exception as error:
            self._failure = error
            return events
        if is_fused:
            return events
        self._source, self._inner = callback_event_stream(
            self._chain,
            self._input,
            self._config,
            self._version.name,
            self._wanted,
            self._kwargs,
            for_async=self._for_async,
        )
        return []

    def open(self) -> Any:
        """Open the origin's source."""
        if self._failure is not None:
            raise self._failure
        try:
            return super().open()
        except Exception as error:
            return self._without_body(error)

    async def aopen(self) -> Any:
        """Open the origin's source."""
        if self._failure is not None:
            raise self._failure
        try:
            return await super().aopen()
        except Exception as error:
            return self._without_body(error)

    def _without_body(self, error: Exception) -> NoBody:
        """Return a body without items if there are events of other attempts; raise the error otherwise."""
        if not self._is_fused or not isinstance(self._origin, AttemptEventMaker):
            raise error
        self._failure = error
        return NoBody()

    def opened(self, body: object) -> Sequence[StreamEvent]:
        """Put the other steps behind the origin's processor; return the events of what has been read already."""
        events: list[StreamEvent] = []
        if self._failure is not None:
            self._origin.catch_up(events)
            self.feed = self._inner.feed
            self.done.append(True)
            return events
        begun = super().opened(body)
        if not self._is_fused:
            self.feed, self.done = self._inner.feed, self._inner.done
            return begun or ()
        self._origin.catch_up(events)
        self._take = self._make_take()
        self.feed = self._feed_through(self._inner.feed, self._inner.done)
        self._pass_through(begun or (), events)
        if self._inner.done:
            self.done.append(True)
        return events

    def _run_before(self, run_start: RunStart, events: list[StreamEvent]) -> Any:
        """Run the parts before the origin; return the origin's input."""
        value, parts = self._input, self._plan.parts or []
        for place, part in enumerate(parts):
            if part.function is None:
                return self._run_nodes(parts[place:], value, run_start, events)
            start = RunStart(part.step.runnable, part.step.child_config(run_start.config, self._chain_run))
            run_events = self._run_events(part, start, start.config.get("run_id") or uuid7())
            run_events.start(value, events)
            try:
                output = part.function(value)
            except Exception:
                if self._version.ends_failed_runs:
                    run_events.end(value, None, events)
                raise
            run_events.end(value, output, events)
            value = output
        return value

    def _run_nodes(self, parts: Sequence[Part], value: object, run_start: RunStart, events: list[StreamEvent]) -> Any:
        """Run ``parts``, of which not all are functions, for ``value``; return the sum of the last one's outputs."""
        nodes = [self._run_node(part, run_start.config, self._chain_run) for part in parts]
        try:
            return run_nodes(nodes, value, events)
        except Exception:
            if self._version.ends_failed_runs:
                for node in nodes:
                    node.fail(events)
            raise

    def _start_origin(self, value: object, run_start: RunStart, events: list[StreamEvent]) -> bool:
        """Make the source and the processor of the origin's stream, and its start event; ``False`` for users' code."""
        plan, step = self._plan, self._plan.origin_step
        config = step.child_config(run_start.config, self._chain_run)
        found = plan.origin.events(value, plan.origin_kwargs(self._kwargs), config, for_async=self._for_async)
        if found is None:
            return False
        self._source, self._inner = found.source, found.processor
        self._is_fused = True
        self._origin = make_origin_events(self._version, found, self._wanted)
        self._nodes = [self._run_node(part, run_start.config, self._chain_run) for part in plan.after]
        self._origin.start(events)
        return True

    def _make_take(self) -> Take:
        """Return the function that passes the origin's chunks through all steps."""
        # The output of the last step is that of the chain: it is accumulated once.
        take: Take = self._root.make_take(accumulates=not self._nodes)
        for place, node in enumerate(reversed(self._nodes)):
            if place == 0 and isinstance(node, StageRunNode):
                take = node.feed_into(take, self._root.copy_template())
            else:
                take = node.feed_into(take)
        return self._origin.feed_into(take)

    def _root_events(self, run_start: RunStart) -> ChainEvents:
        id, manager = str(self._chain_run.run_id), run_start.manager
        tags, metadata, parent_ids = list(manager.tags), dict(manager.metadata), list(manager.parent_ids)
        run = Run(id, run_start.name, "chain", tags, metadata, parent_ids)
        return ChainEvents(self._version, self._version.root_run(run, run_start.config), self._wanted, root=True)

    def _run_node(self, part: Part, config: RunnableConfig, parent: BaseRunManager) -> RunNode | WholeRunNode:
        """Return the node of ``part``, with the events of its run, a child run of ``parent``, and of its parts'."""
        start = RunStart(part.step.runnable, part.step.child_config(config, parent))
        if part.make_stage is not None and not part.is_whole:
            run_id = start.config.get("run_id") or uuid7()
            return StageRunNode(self._run_events(part, start, run_id), part.make_stage())
        run = start.silent_run()
        run_events = self._run_events(part, start, run.run_id)
        node = part.node([self._run_node(one, start.config, run) for one in part.parts])
        return WholeRunNode(run_events, node) if part.is_whole else RunNode(run_events, node)

    def _run_events(self, part: Part, start: RunStart, run_id: UUID) -> ChainEvents:
        """Return the events of the run of ``part``."""
        manager, run_type = start.manager, part.step.runnable.run_type
        parent_ids = manager.parent_ids if self._version.shows_parents else []
        run = Run(str(run_id), start.name, run_type, manager.tags, manager.metadata, parent_ids)
        return ChainEvents(self._version, run, self._wanted, root=False)

    # The middle.

    def _feed_through(
        self, feed: Callable[[Any], Sequence[Any]], done: object
    ) -> Callable[[Any], Sequence[StreamEvent]]:
        take = self._take

        def feed_events(raw: object) -> Sequence[StreamEvent]:
            events: list[StreamEvent] = []
            chunks = feed(raw)
            try:
                for chunk in chunks:
                    take(chunk, events)
            except Exception as error:
                self._failure = error
                self.done.append(True)
            if done:
                self.done.append(True)
            return events

        return feed_events

    def _pass_through(self, chunks: Sequence[Any], events: list[StreamEvent]) -> None:
        """Pass the origin's chunks through all steps."""
        take = self._take
        try:
            for chunk in chunks:
                take(chunk, events)
        except Exception as error:
            self._failure = error
            self.done.append(True)

    # The end.

    def close(self) -> Sequence[StreamEvent]:
        """Return the last chunks' events and the ends of all runs; for failed runs, those that the version has."""
        if not self._is_fused:
            outputs: Sequence[StreamEvent] = self._inner.close()
            return outputs
        events: list[StreamEvent] = []
        if self._failure is None:
            self._pass_through(self._inner.close(), events)
        if self.error is None:
            self._origin.end(events)
            self._close(events)
        if self.error is not None:
            self._fail(events)
        return events

    def _close(self, events: list[StreamEvent]) -> None:
        try:
            for stage in self._nodes:
                stage.close(events)
        except Exception as error:
            self._failure = error
            return
        output = self._nodes[-1].output if self._nodes else self._root.output
        self._root.end(None, output.total(), events)

    def _fail(self, events: list[StreamEvent]) -> None:
        """Add the ends of the open runs, from the inside out, if the version has any for failed runs."""
        if self._version.ends_failed_runs:
            self._origin.fail(events)
            for stage in self._nodes:
                stage.fail(events)

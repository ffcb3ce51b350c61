"""The stream events of a chain, made by the one generator that reads its model's connection: no task, no queue."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any

from ...events import EventFilter, Run, StreamEvent, schema_version, uuid7
from ..config import RunnableConfig, child_config, ensure_config
from ..event_stream import callback_event_stream
from ..runs import RunStart
from .chunks import Fused
from .run_events import ChainEvents, OriginEventMaker, StageEvents, Take

if TYPE_CHECKING:
    from ..event_stream import Streamable
    from .plan import Plan, Step

__all__ = ("FusedEvents",)


class FusedEvents(Fused):
    """The events of a chain whose steps run no code of users, and of which no handler hears.

    Each chunk goes through all steps, and is told by each, before the next one is looked at: the
    order of LangChain's, where steps pull. A chain whose model turns out to be a user's runs apart.
    """

    def __init__(
        self,
        chain: Streamable,
        plan: Plan,
        input: Any,
        config: RunnableConfig | None,
        version: str,
        wanted: EventFilter,
        kwargs: dict[str, Any],
        *,
        for_async: bool,
    ) -> None:
        self._chain = chain
        self._plan = plan
        self._input = input
        self._config = config
        self._version = schema_version(version)
        self._wanted = wanted
        self._kwargs = kwargs
        self._for_async = for_async
        self._failure: BaseException | None = None
        self._is_fused = False
        self.done = []

    @property
    def error(self) -> BaseException | None:
        """Return the exception to raise after :meth:`close`."""
        return self._failure or self._inner.error

    # The beginning.

    def start(self) -> list[StreamEvent]:
        """Return the events up to the start of the model's run; what fails before it is raised by ``open``."""
        events: list[StreamEvent] = []
        begun = RunStart(self._chain, self._config)
        self._above = begun.silent_run()
        self._root = self._told_root(begun)
        self._root.start(self._input, events)
        try:
            asked = self._before(begun, events)
            is_own = self._ask(asked, begun, events)
        except Exception as error:
            self._failure = error
            return events
        if is_own:
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
        """Open the model's source."""
        if self._failure is not None:
            raise self._failure
        return super().open()

    async def aopen(self) -> Any:
        """Open the model's source."""
        if self._failure is not None:
            raise self._failure
        return await super().aopen()

    def opened(self, body: Any) -> None:
        """Tell the model's processor, and put the other steps behind it."""
        super().opened(body)
        if self._is_fused:
            self.feed = self._fed(self._inner.feed, self._inner.done)
        else:
            self.feed, self.done = self._inner.feed, self._inner.done

    def _before(self, begun: RunStart, events: list[StreamEvent]) -> Any:
        """Run the functions before the model; return what it is asked."""
        value = self._input
        for step, function in zip(self._plan.before, self._plan.functions, strict=True):
            told = self._told(step, begun)
            told.start(value, events)
            try:
                output = function(value)
            except Exception:
                if self._version.ends_failed_runs:
                    told.end(value, None, events)
                raise
            told.end(value, output, events)
            value = output
        return value

    def _ask(self, value: Any, begun: RunStart, events: list[StreamEvent]) -> bool:
        """Make the source and the processor of the origin's stream, and its start event; ``False`` for users' code."""
        plan, step = self._plan, self._plan.origin_step
        config = self._below(step, begun)
        found = plan.origin.events(value, plan.origin_kwargs(self._kwargs), config, for_async=self._for_async)
        if found is None:
            return False
        self._source, self._inner = found.source, found.processor
        self._is_fused = True
        found.run = self._shown(found.run)
        self._model = OriginEventMaker(self._version, found, self._wanted)
        stages = zip(plan.after, plan.stages(), strict=True)
        self._stages = [StageEvents(self._told(step, begun), stage) for step, stage in stages]
        self._model.start(events)
        # What the last step brings is what the chain does: it is added up once.
        take: Take = self._root.show if self._stages else self._root.add
        for told in reversed(self._stages):
            take = told.before(take)
        self._take = take
        return True

    def _told_root(self, begun: RunStart) -> ChainEvents:
        run, manager = Run(str(self._above.run_id), begun.name, "chain"), begun.manager
        run.tags, run.metadata, run.parent_ids = list(manager.tags), dict(manager.metadata), list(manager.parent_ids)
        return ChainEvents(self._version, self._version.root_run(run, begun.config), self._wanted, root=True)

    def _told(self, step: Step, begun: RunStart) -> ChainEvents:
        below = RunStart(step.runnable, self._below(step, begun))
        manager, run_type = below.manager, step.runnable.run_type
        run = Run(str(uuid7()), below.name, run_type, manager.tags, manager.metadata, manager.parent_ids)
        return ChainEvents(self._version, self._shown(run), self._wanted, root=False)

    def _below(self, step: Step, begun: RunStart) -> RunnableConfig:
        return ensure_config(step.merge_config(child_config(begun.config, self._above, step.tag)))

    def _shown(self, run: Run) -> Run:
        if not self._version.shows_parents:
            run.parent_ids = []
        return run

    def release(self) -> None:
        """Drop the exception of a step, whose frames know this processor."""
        self._failure = None

    # The middle.

    def _fed(self, feed: Callable[[Any], Sequence[Any]], over: Any) -> Callable[[Any], Sequence[StreamEvent]]:
        def told(raw: Any) -> Sequence[StreamEvent]:
            events: list[StreamEvent] = []
            self._pass(feed(raw), events)
            if over:
                self.done.append(True)
            return events

        return told

    def _pass(self, chunks: Sequence[Any], events: list[StreamEvent]) -> None:
        """Pass the model's chunks through all steps."""
        model, take = self._model, self._take
        try:
            for chunk in chunks:
                take(model.add(chunk, events), events)
        except Exception as error:
            self._failure = error
            self.done.append(True)

    # The end.

    def close(self) -> Sequence[StreamEvent]:
        """Return the last chunks' events and the ends of all runs, or what the version tells of runs that failed."""
        if not self._is_fused:
            outputs: Sequence[StreamEvent] = self._inner.close()
            return outputs
        events: list[StreamEvent] = []
        if self._failure is None:
            self._pass(self._inner.close(), events)
        if self.error is None:
            self._model.end(events)
            self._close(events)
        if self.error is not None:
            self._fail(events)
        return events

    def _close(self, events: list[StreamEvent]) -> None:
        try:
            for stage in self._stages:
                stage.close(events)
        except Exception as error:
            self._failure = error
            return
        output = self._stages[-1].output if self._stages else self._root.output
        self._root.end(None, output.total(), events)

    def _fail(self, events: list[StreamEvent]) -> None:
        """Tell of the runs that have no end yet, from the inside out."""
        if self._version.ends_failed_runs:
            self._model.fail(events)
            for stage in self._stages:
                stage.fail(events)

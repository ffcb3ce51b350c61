"""Version 3 of the events of a fused chain: straight over the connection of its model, without a task or a queue."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from ...events.protocol.block_events import BlockEvents, ProtocolEvent
from ...messages.base import run_message_id
from ...streaming.accumulate import ChunkAccumulator
from ..config import RunnableConfig, ensure_config
from ..message_events import EventNumbering, error_event, run_events, shown_metadata
from ..origin import OriginEvents
from ..runs import RunStart
from .chunks import Fused
from .plan import NOTHING

if TYPE_CHECKING:
    from ...events import EventFilter
    from ..event_stream import EventProducer
    from .plan import Plan

__all__ = ("FusedMessages",)


class FusedMessages(Fused):
    """The protocol events of a chain whose steps run no users' code, and of which no handler is notified.

    A chain whose model turns out to run users' code, or to have attempts, runs in a worker instead.
    """

    __slots__ = ("_make", "_message", "_metadata", "_output", "_wanted", "failures")

    def __init__(
        self,
        chain: EventProducer,
        plan: Plan,
        input: Any,
        config: RunnableConfig | None,
        wanted: EventFilter,
        kwargs: dict[str, Any],
        *,
        for_async: bool,
    ) -> None:
        super().__init__(chain, plan, input, config, kwargs, for_async=for_async)
        self._wanted = wanted
        self._make = EventNumbering()
        self._output = ChunkAccumulator(adds_on=True)
        # What makes the events of the model's chunks; without it, a worker makes all events.
        self._message: BlockEvents | None = None
        self._metadata: dict[str, Any] | None = None
        self.failures: dict[str, BaseException] = {}

    def start(self) -> Sequence[ProtocolEvent]:
        """Make the source and the processor of the model's chunks; ``open`` raises the error of a step before it."""
        try:
            found = self._find_origin()
        except Exception as error:
            self._failure = error
            return ()
        if not isinstance(found, OriginEvents) or found.run.run_type != "chat_model":
            self._source, self._inner = run_events(
                self._chain, self._input, self._config, self._wanted, self._kwargs, self.failures
            )
            return ()
        self._source, self._inner, run = found.source, found.processor, found.run
        self._message = BlockEvents(run_message_id(run.run_id), has_infos=True)
        self._stages = self._plan.stages()
        if self._wanted.includes(run.name, run.run_type, run.tags):
            self._metadata = shown_metadata(run.metadata, run.name, run.run_id, run.tags)
        return ()

    def _find_origin(self) -> Any:
        plan, start = self._plan, RunStart(self._chain, ensure_config(self._config))
        if (value := plan.origin_input(self._input)) is NOTHING:
            return None
        config = plan.origin_step.child_config(start.config, start.silent_run())
        return plan.origin.events(value, plan.origin_kwargs(self._kwargs), config, for_async=self._for_async)

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

    def opened(self, body: object) -> Sequence[ProtocolEvent]:
        """Put the other steps behind the model's chunks; return the events of what has been read already."""
        begun = super().opened(body) or ()
        feed, done = self._inner.feed, self._inner.done
        if self._message is None:
            self.feed, self.done = feed, done
            return begun
        through = self._through

        def feed_events(raw: object) -> Sequence[ProtocolEvent]:
            events = through(feed(raw))
            if done:
                self.done.append(True)
            return events

        self.feed = feed_events
        if done:
            self.done.append(True)
        return through(begun)

    def _through(self, chunks: Sequence[Any]) -> list[ProtocolEvent]:
        """Pass chunks through the steps behind the model; return their events."""
        assert self._message is not None
        events: list[ProtocolEvent] = []
        for chunk in chunks:
            events += self._wrap(self._message.add(chunk))
        for item in self._feed_stages(chunks):
            self._output.add(item)
        return events

    def _wrap(self, events: Sequence[ProtocolEvent]) -> list[ProtocolEvent]:
        metadata, make = self._metadata, self._make
        return [] if metadata is None else [make("messages", (), (event, metadata)) for event in events]

    def close(self) -> Sequence[ProtocolEvent]:
        """Return the last events of the message and the output, or the error."""
        if self._message is None:
            return self._inner.close()
        events = self._through(self._inner.close()) if self._failure is None else []
        if (error := self._inner.error) is not None:
            return [*events, *self._fail(error)]
        return events if self._failure is not None else [*events, *self._end(self._message)]

    def _end(self, message: BlockEvents) -> list[ProtocolEvent]:
        events = self._wrap(message.close())
        for item in self._close_stages():
            self._output.add(item)
        return events if self._failure is not None else [*events, self._make("values", (), self._output.total())]

    def _fail(self, error: BaseException) -> list[ProtocolEvent]:
        if self._message is None or self._metadata is None or not self._message.started:
            return []
        self.failures[self._metadata["run_id"]] = error
        return self._wrap([error_event(error)])

    def release(self) -> None:
        """Drop what refers to frames."""
        super().release()
        self.failures.clear()

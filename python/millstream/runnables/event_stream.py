"""The stream events of any Runnable, by way of a callback handler that all its runs inherit."""

from __future__ import annotations

from collections.abc import AsyncIterable, Callable, Iterable, Mapping, Sequence
from typing import Any, Protocol

from ..callbacks.managers import CallbackManager
from ..events import EventFilter, Run, StreamEvent, schema_version, uuid7
from ..events.handler import NestedEvent, RootMark, RootRun, StreamEventHandler
from ..events.versions import Version, copies
from ..streaming.accumulate import ChunkAccumulator
from ..streaming.channel import Channel
from ..streaming.isolation import IsolatedSource, PassThrough
from ..streaming.protocols import Processor, Source
from .config import RunnableConfig, ensure_config
from .runs import Named

__all__ = ("EventProducer", "callback_event_stream")


class EventProducer(Named, Protocol):
    """A Runnable, as its event stream sees it."""

    def _stream_inline(self, input: Any, config: RunnableConfig, kwargs: dict[str, Any]) -> Iterable[Any]: ...

    def _astream_inline(self, input: Any, config: RunnableConfig, kwargs: dict[str, Any]) -> AsyncIterable[Any]: ...


def callback_event_stream(
    runnable: EventProducer,
    input: object,
    config: Mapping[str, Any] | None,
    version: str,
    wanted: EventFilter,
    kwargs: dict[str, Any],
    *,
    for_async: bool,
) -> tuple[Source, Processor[StreamEvent]]:
    """Return the source and the processor of the events of one stream of ``runnable``, which runs in a worker.

    Raises :class:`NotImplementedError` for an unknown version.
    """
    schema = schema_version(version)
    full = ensure_config(config)
    run_id = full["run_id"] = full.get("run_id") or uuid7()
    # Without the callbacks: the handler has this configuration, and the callbacks will have the handler.
    shown = {**full, "callbacks": None}
    root = RootRun(run_id, full.get("run_name") or runnable.get_name(), input, shown)
    channel = Channel()
    callbacks = CallbackManager.configure(full["callbacks"])
    # The handler is notified of the parent's children, not of the parent's own parents.
    parent_ids = callbacks.parent_ids[:-1]
    callbacks.add_handler(StreamEventHandler(schema, wanted, channel, parent_ids, root))
    full["callbacks"] = callbacks
    source = IsolatedSource(
        channel,
        lambda: runnable._stream_inline(input, full, kwargs),
        lambda: runnable._astream_inline(input, full, kwargs),
    )
    return source, CallbackEvents(schema, wanted)


class CallbackEvents(PassThrough):
    """The processor of an event stream: it hands on the handler's events, and makes those of the root's chunks."""

    def __init__(self, version: Version, wanted: EventFilter) -> None:
        super().__init__()
        self._version = version
        self._wanted = wanted
        self._root: Run | None = None
        self._goes_on = False
        self._stream: Callable[[Any], StreamEvent] | None = None
        self._begun = False
        self._output = ChunkAccumulator(adds_on=True)

    def _read(self, items: Sequence[Any]) -> list[StreamEvent]:
        events: list[StreamEvent] = []
        for item in items:
            if type(item) is NestedEvent:
                events.append(item.event)
            elif type(item) is RootMark:
                self._root, self._goes_on = item.run, item.goes_on
            else:
                self._chunk(item, events)
        return events

    def _chunk(self, chunk: object, events: list[StreamEvent]) -> None:
        if not self._begun:
            self._begun = True
            self._stream = self._streamer()
        if not self._version.shows_parents:
            self._output.add(chunk)
        if self._stream is not None:
            events.append(self._stream(chunk))

    def _streamer(self) -> Callable[[Any], StreamEvent] | None:
        """Return a function for events of chunks; ``None`` if the root ended before its first chunk, unless in v1."""
        root = self._root
        if root is None or not (self._goes_on or self._version.whole_streams) or not self._is_wanted(root):
            return None
        return copies(self._version.template(root, root=True))

    def _is_wanted(self, run: Run) -> bool:
        return self._wanted.includes(run.name, run.run_type, run.tags)

    def close(self) -> Sequence[StreamEvent]:
        """Return the end's event of version 1, which comes last, with the sum of the chunks."""
        root = self._root
        if self._version.shows_parents or root is None or self.error is not None or not self._is_wanted(root):
            return ()
        return [self._version.end(root, None, self._output.total(), root=True)]

"""The events of the runs below a stream's own: those that users' code began."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any
from uuid import UUID

from ..callbacks.manager import parent_ids_of_child
from .nested_chains import NestedChains, Open, Root, RootMark
from .run import Run
from .wordings import worded

if TYPE_CHECKING:
    from ..streaming.channel import Handover
    from .filters import EventFilter
    from .stream_events import StreamEvent, Version

__all__ = ("NestedEvent", "NestedEvents", "mixed")


class NestedEvent:
    """An event of a run below, on its way between the chunks of the stream's own run."""

    __slots__ = ("event",)

    def __init__(self, event: StreamEvent) -> None:
        self.event = event


class NestedEvents(NestedChains):
    """The handler that all runs below inherit: it puts their events into the stream's line, in order."""

    raise_error = True
    run_inline = True
    # Chat models that are invoked below stream for it, as for LangChain's handlers of events.
    streams = True

    def __init__(
        self, version: Version, wanted: EventFilter, line: Handover, above: Sequence[str], root: Root | None = None
    ) -> None:
        self._version = version
        self._wanted = wanted
        self._line = line
        self._above = list(above)
        self._root = root
        self._chains = Open()
        self._runs: Open[tuple[Run, Any]] = Open()
        self._parents: dict[UUID, list[str]] = {}

    @property
    def lockstep(self) -> bool:
        """Whether streams in streams keep step: so that their events are in the order of their chunks."""
        return True

    async def aroom(self) -> None:
        """Wait while the consumer of the events is slow."""
        await self._line.aroom()

    def room(self) -> None:
        """Wait while the consumer of the events is slow, where this may block the thread."""
        if not _on_a_loop():
            self._line.room()

    def on_llm_start(self, serialized: Any, prompts: list[str], **told: Any) -> None:
        """Put the start's event."""
        self._start("llm", serialized, prompts, **told)

    def on_chat_model_start(self, serialized: Any, messages: list[Any], **told: Any) -> None:
        """Put the start's event."""
        self._start("chat_model", serialized, messages, **told)

    def _start(
        self,
        run_type: str,
        serialized: Any,
        prompts: list[Any],
        *,
        run_id: UUID,
        parent_run_id: UUID | None = None,
        tags: list[str] | None = None,
        metadata: dict[str, Any] | None = None,
        name: str | None = None,
        **kwargs: Any,
    ) -> None:
        parent_ids = self._begun(run_id, parent_run_id)
        name = name or (serialized or {}).get("name") or "Unnamed"
        run = Run(str(run_id), name, run_type, list(tags or ()), dict(metadata or {}), parent_ids)
        root = self._taken_root(run)
        if root is not None:
            self._runs.add(run_id, (root.run, root))
            self._put(root.run, lambda: self._version.start(root.run, root.input))
            return
        inputs = worded(run).inputs(prompts)
        self._runs.add(run_id, (run, inputs))
        self._put(run, lambda: self._version.nested_start(run, inputs))

    def on_llm_new_token(self, token: str, *, chunk: Any = None, run_id: UUID, **kwargs: Any) -> None:
        """Put a chunk's event."""
        if (found := self._runs.get(run_id)) and not isinstance(found[1], Root):
            self._put(found[0], lambda: self._version.nested_chunk(found[0], token, chunk))

    def on_llm_end(self, response: Any, *, run_id: UUID, **kwargs: Any) -> None:
        """Put the end's event."""
        if found := self._runs.pop(run_id):
            if isinstance(found[1], Root):
                self._root_ended(found[0], lambda: self._version.end(found[0], response))
            else:
                self._put(found[0], lambda: self._version.nested_end(*found, response))

    def on_llm_error(self, error: BaseException, *, run_id: UUID, response: Any = None, **kwargs: Any) -> None:
        """Put nothing, or what the version tells of a failed run."""
        found = self._runs.pop(run_id)
        if found and self._version.tells_failed_runs and not isinstance(found[1], Root):
            self._put(found[0], lambda: self._version.nested_end(*found, response))

    def _mark(self, mark: RootMark) -> None:
        self._line.put(mark)

    def _put(self, run: Run, make: Callable[[], StreamEvent]) -> None:
        if self._wanted.includes(run.name, run.run_type, run.tags):
            self._line.put(NestedEvent(make()))

    def _begun(self, run_id: UUID, parent_run_id: UUID | None) -> list[str]:
        """Take note of a run; return the runs above it that are to be shown.

        They run from the root down, those above the stream's own run first, each of them once:
        users may give a run the id of one above it.
        """
        if not self._version.tells_parents:
            return []
        above = self._above
        if parent_run_id is not None:
            above = parent_ids_of_child(self._parents.get(parent_run_id, above), parent_run_id)
        self._parents[run_id] = above
        return list(above)


def mixed(streamer: Callable[[Any], Sequence[StreamEvent]]) -> Callable[[Any], list[StreamEvent]]:
    """Return what turns the items of a line into events: chunks by ``streamer``, nested events as they are."""

    def feed(items: Sequence[Any]) -> list[StreamEvent]:
        events: list[StreamEvent] = []
        for item in items:
            if type(item) is NestedEvent:
                events.append(item.event)
            else:
                events += streamer((item,))
        return events

    return feed


def _on_a_loop() -> bool:
    import asyncio

    try:
        asyncio.get_running_loop()
    except RuntimeError:
        return False
    return True

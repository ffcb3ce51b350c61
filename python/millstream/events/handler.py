"""The callback handler that makes the stream events of child runs, which users' code started."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Any
from uuid import UUID

from ..callbacks.run_manager import parent_ids_of_child
from .chunk_taps import ChunkTaps
from .schema import Run, StreamEvent, is_known
from .versions import Version, copies

if TYPE_CHECKING:
    from ..streaming.channel import Channel
    from .schema import EventFilter

__all__ = ("NestedEvent", "RootMark", "RootRun", "StreamEventHandler", "mixed")


class NestedEvent:
    """An item of the channel: the event of a child run, among the chunks of the stream's own run."""

    __slots__ = ("event",)

    def __init__(self, event: StreamEvent) -> None:
        self.event = event


class RootRun:
    """The stream's own run before it starts: the id, name, input and configuration of the call."""

    __slots__ = ("config", "input", "name", "run_id")

    def __init__(self, run_id: UUID, name: str, input: object, config: Mapping[str, Any]) -> None:
        self.run_id = run_id
        self.name = name
        self.input = input
        self.config = config


class RootMark:
    """An item of the channel: the stream's own run has started, or has ended."""

    __slots__ = ("goes_on", "run")

    def __init__(self, run: Run, *, goes_on: bool) -> None:
        self.run = run
        self.goes_on = goes_on


class _OpenRun:
    """A run that has started and not ended."""

    __slots__ = ("input", "root", "run", "stream", "tool_call_id")

    def __init__(
        self,
        run: Run,
        input: object,
        stream: Callable[[Any], StreamEvent],
        root: RootRun | None,
        tool_call_id: str | None = None,
    ) -> None:
        self.run = run
        self.input = input
        self.stream = stream
        self.root = root
        self.tool_call_id = tool_call_id


class _OpenRuns:
    """The open runs by their ids; if runs share an id, the last one to start is the first one to end."""

    def __init__(self) -> None:
        self._runs: dict[UUID, list[_OpenRun]] = {}

    def add(self, run_id: UUID, run: _OpenRun) -> None:
        self._runs.setdefault(run_id, []).append(run)

    def child(self, run_id: UUID) -> _OpenRun | None:
        """Return an open run, if it is not the root."""
        found = self._runs.get(run_id)
        return found[-1] if found and found[-1].root is None else None

    def pop(self, run_id: UUID) -> _OpenRun | None:
        found = self._runs.get(run_id)
        if not found:
            return None
        run = found.pop()
        if not found:
            del self._runs[run_id]
        return run


class StreamEventHandler(ChunkTaps):
    """The callback handler that all child runs inherit: it sends their events through the stream's channel, in order.

    The stream's own run may be among the runs that it is called for: ``root`` says which one. Of the root
    it sends no chunks, since those are made of what reaches the consumer, and marks where it begins and ends.
    ``parent_ids`` are those of the stream's own run.

    Where users' code takes part, it is not known beforehand which runs begin. So the stream's run hands
    this handler down to its children by its configuration, as LangChain does, and users' code runs in a worker.
    Its chunks and the children's events go through one channel, in the order in which they are made; the
    consumer's side (:func:`mixed`) turns chunks into events and passes the others on as they are.

    * Users may give two runs one id. Open runs of an id are a stack: the last to begin is the first to end.
    * The root's end is a :class:`RootMark`, not an event: version 1 sends it when the whole stream has ended.
    """

    def __init__(
        self,
        version: Version,
        wanted: EventFilter,
        channel: Channel,
        parent_ids: Sequence[str],
        root: RootRun | None = None,
    ) -> None:
        super().__init__(channel)
        self._version = version
        self._wanted = wanted
        self._parent_ids = list(parent_ids)
        self._root = root
        self._chains = _OpenRuns()
        self._models = _OpenRuns()
        self._parents: dict[UUID, list[str]] = {}

    def on_llm_start(self, serialized: Mapping[str, Any] | None, prompts: list[str], **info: Any) -> None:
        """Send the event of a start."""
        self._start(self._models, "llm", serialized, {"prompts": prompts}, **info)

    def on_chat_model_start(self, serialized: Mapping[str, Any] | None, messages: list[Any], **info: Any) -> None:
        """Send the event of a start."""
        self._start(self._models, "chat_model", serialized, {"messages": messages}, **info)

    def on_chain_start(
        self, serialized: Mapping[str, Any] | None, inputs: object, *, run_type: str | None = None, **info: Any
    ) -> None:
        """Send the event of a start."""
        self._start(self._chains, run_type or "chain", serialized, inputs, **info)

    def on_tool_start(
        self, serialized: Mapping[str, Any] | None, input_str: str, *, inputs: object = None, **info: Any
    ) -> None:
        """Send the event of a start."""
        self._start(self._chains, "tool", serialized, inputs, **info)

    def on_retriever_start(self, serialized: Mapping[str, Any] | None, query: str, **info: Any) -> None:
        """Send the event of a start."""
        self._start(self._chains, "retriever", serialized, {"query": query}, **info)

    def on_custom_event(
        self,
        name: str,
        data: object,
        *,
        run_id: UUID,
        tags: list[str] | None = None,
        metadata: dict[str, Any] | None = None,
        **kwargs: object,
    ) -> None:
        """Send an event of the user's own, where the version has such. Its data is passed on as it is."""
        parent_ids = list(self._parents.get(run_id, self._parent_ids))
        run = Run(str(run_id), name, name, list(tags or ()), dict(metadata or {}), parent_ids)
        if self._version.shows_parents:
            self._send(run, lambda: self._version.custom(run, data))

    def on_llm_new_token(self, token: str, *, chunk: object = None, run_id: UUID, **kwargs: object) -> None:
        """Send the event of a chunk."""
        if found := self._models.child(run_id):
            self._send(found.run, lambda: found.stream(self._version.chunk(found.run, token, chunk)))

    def _on_chain_chunk(self, chunk: object, *, run_id: UUID) -> None:
        """Send the event of a chunk."""
        if found := self._chains.child(run_id):
            self._send(found.run, lambda: found.stream(chunk))

    def on_llm_end(self, response: object, *, run_id: UUID, **kwargs: object) -> None:
        """Send the event of an end."""
        self._end(self._models.pop(run_id), response)

    def on_chain_end(self, outputs: object, *, run_id: UUID, inputs: object = None, **kwargs: object) -> None:
        """Send the event of an end."""
        self._end(self._chains.pop(run_id), outputs, inputs)

    def on_tool_end(self, output: object, *, run_id: UUID, **kwargs: object) -> None:
        """Send the event of an end."""
        self._end(self._chains.pop(run_id), output)

    def on_retriever_end(self, documents: object, *, run_id: UUID, **kwargs: object) -> None:
        """Send the event of an end."""
        self._end(self._chains.pop(run_id), documents)

    def on_llm_error(self, error: BaseException, *, run_id: UUID, response: object = None, **kwargs: object) -> None:
        """Send the event of the end of a failed run, where the version has one."""
        self._fail(self._models.pop(run_id), response)

    def on_chain_error(self, error: BaseException, *, run_id: UUID, inputs: object = None, **kwargs: object) -> None:
        """Send the event of the end of a failed run, where the version has one."""
        self._fail(self._chains.pop(run_id), None, inputs)

    def on_tool_error(
        self, error: BaseException, *, run_id: UUID, tool_call_id: str | None = None, **kwargs: object
    ) -> None:
        """Send the event of the error, or of the end of a failed run: whichever the version has."""
        found = self._chains.pop(run_id)
        if found is not None and self._version.shows_parents:
            data = {"error": error, "input": found.input, "tool_call_id": tool_call_id or found.tool_call_id}
            self._send(found.run, lambda: self._version.tool_error(found.run, data))
        self._fail(found, None)

    def on_retriever_error(self, error: BaseException, *, run_id: UUID, **kwargs: object) -> None:
        """Send the event of the end of a failed run, where the version has one."""
        self._fail(self._chains.pop(run_id), None)

    def _start(
        self,
        runs: _OpenRuns,
        run_type: str,
        serialized: Mapping[str, Any] | None,
        inputs: object,
        *,
        run_id: UUID,
        parent_run_id: UUID | None = None,
        tags: list[str] | None = None,
        metadata: dict[str, Any] | None = None,
        name: str | None = None,
        tool_call_id: str | None = None,
        **kwargs: object,
    ) -> None:
        parent_ids = self._shown_parents(run_id, parent_run_id)
        name = name or (serialized or {}).get("name") or "Unnamed"
        run = Run(str(run_id), name, run_type, list(tags or ()), dict(metadata or {}), parent_ids)
        root = self._begun_root(run)
        is_root, shown = root is not None, inputs
        if root is not None:
            shown = root.input
            run = self._version.root_run(run, root.config, root.name)
            self._channel.send(RootMark(run, goes_on=True))
        stream = copies(self._version.template(run, root=is_root))
        input = inputs if is_known(inputs) else None
        runs.add(run_id, _OpenRun(run, input, stream, root, tool_call_id))
        self._send(run, lambda: self._version.start(run, shown, root=is_root))

    def _end(self, found: _OpenRun | None, output: object, inputs: object = None) -> None:
        if found is None:
            return
        run, version = found.run, self._version
        input = found.input if inputs is None else inputs
        if found.root is None:
            self._send(run, lambda: version.end(run, input, output, root=False))
            return
        # The end of version 1's root comes when the whole stream has ended.
        if version.shows_parents:
            self._send(run, lambda: version.end(run, None, version.output(run, output), root=True))
        self._channel.send(RootMark(run, goes_on=False))

    def _fail(self, found: _OpenRun | None, output: object, inputs: object = None) -> None:
        if found is None:
            return
        if found.root is not None:
            # Another attempt with the same id takes its place.
            self._root = found.root
        elif self._version.ends_failed_runs:
            self._end(found, output, inputs)

    def _send(self, run: Run, make: Callable[[], StreamEvent]) -> None:
        if self._wanted.includes(run.name, run.run_type, run.tags):
            self._channel.send(NestedEvent(make()))

    def _begun_root(self, run: Run) -> RootRun | None:
        """Return the root where it is ``run``: it begins once, and later runs may have its id.

        Version 1 takes the first run that begins for the root.
        """
        root = self._root
        if root is None or (self._version.shows_parents and str(root.run_id) != run.run_id):
            return None
        self._root = None
        return root

    def _shown_parents(self, run_id: UUID, parent_run_id: UUID | None) -> list[str]:
        """Take note of a run; return its parents, from the root down, those of the stream's own run first.

        Each is there once: users may give a run the id of one of its parents.
        """
        if not self._version.shows_parents:
            return []
        parent_ids = self._parent_ids
        if parent_run_id is not None:
            parent_ids = parent_ids_of_child(self._parents.get(parent_run_id, parent_ids), parent_run_id)
        self._parents[run_id] = parent_ids
        return list(parent_ids)


def mixed(streamer: Callable[[Any], Sequence[StreamEvent]]) -> Callable[[Any], list[StreamEvent]]:
    """Return a function that makes events of the channel's items: chunks by ``streamer``, child runs' as they are."""

    def feed(items: Sequence[Any]) -> list[StreamEvent]:
        events: list[StreamEvent] = []
        for item in items:
            if type(item) is NestedEvent:
                events.append(item.event)
            else:
                events += streamer((item,))
        return events

    return feed

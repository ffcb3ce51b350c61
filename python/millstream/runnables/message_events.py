"""Version 3 of the events of any Runnable: the protocol events of the chat models that run in it."""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any, NamedTuple
from uuid import UUID

from .._uuid7 import uuid7
from ..callbacks.managers import CallbackManager
from ..events.chunk_taps import ChunkTaps
from ..events.protocol.block_events import BlockEvents, ProtocolEvent, message_to_events
from ..messages.base import run_message_id
from ..streaming.accumulate import ChunkAccumulator
from ..streaming.channel import Channel
from ..streaming.isolation import IsolatedSource, PassThrough
from ..wires.public_error import describe_error
from .config import ensure_config

if TYPE_CHECKING:
    from ..events.schema import EventFilter
    from ..streaming.protocols import Source
    from .event_stream import EventProducer

__all__ = ("EventNumbering", "RunEvents", "error_event", "run_events", "shown_metadata")


class EventNumbering:
    """Makes the events of one run, and numbers them."""

    __slots__ = ("_number",)

    def __init__(self) -> None:
        self._number = 0

    def __call__(self, method: str, namespace: Sequence[str], data: Any) -> ProtocolEvent:
        """Return the next event."""
        self._number += 1
        params = {"namespace": list(namespace), "timestamp": int(time.time() * 1000), "data": data}
        return {"type": "event", "seq": self._number, "method": method, "params": params}


def error_event(error: BaseException) -> ProtocolEvent:
    """Return the event of a model that failed; as for a server's clients, it does not quote the provider's."""
    public = describe_error(error)
    return {"event": "error", "message": public.message, "code": public.type}


def shown_metadata(metadata: Mapping[str, Any], name: str, run_id: str, tags: Sequence[str]) -> dict[str, Any]:
    """Return the metadata that the events of a model's run have."""
    return {**metadata, "name": name, "run_id": run_id, **({"tags": list(tags)} if tags else {})}


class _Sent(NamedTuple):
    """An item of the channel, among the chunks of the stream's own run: the method, namespace and data of an event."""

    method: str
    namespace: Sequence[str]
    data: Any


class _Node(NamedTuple):
    """A run inside the stream's own: its part of a namespace, and the namespace of its parents."""

    segment: str
    namespace: tuple[str, ...]


class _Model:
    """The run of a chat model: where it runs, its metadata, and what makes events of its chunks."""

    __slots__ = ("events", "has_begun", "has_own_events", "metadata", "namespace")

    def __init__(self, namespace: Sequence[str], metadata: Mapping[str, Any], id: str) -> None:
        self.namespace = namespace
        self.metadata = metadata
        self.events = BlockEvents(id, has_infos=True)
        # Whether the model reports its events itself, and whether there was one.
        self.has_own_events = self.has_begun = False


class MessageEventHandler(ChunkTaps):
    """Sends the protocol events of the chat models that run inside a stream's own run, each with its namespace.

    They are made of the chunks of a model, or of its message if it answers whole. A model that makes its events itself,
    or whose events are streamed by a function, reports them (``on_stream_event``). A model that fails has an event
    ``error``, and its exception is kept in ``failures``, by the id of the run.
    """

    def __init__(
        self, wanted: EventFilter, channel: Channel, root_id: UUID, failures: dict[str, BaseException]
    ) -> None:
        super().__init__(channel)
        self._wanted = wanted
        self._root_id = root_id
        self._nodes: dict[UUID, _Node] = {}
        self._models: dict[UUID, _Model] = {}
        self.failures = failures

    def on_chat_model_start(
        self,
        serialized: Mapping[str, Any] | None,
        messages: Any,
        *,
        run_id: UUID,
        parent_run_id: UUID | None = None,
        tags: list[str] | None = None,
        metadata: dict[str, Any] | None = None,
        name: str | None = None,
        **kwargs: Any,
    ) -> None:
        """Take note of a model's run."""
        name = name or (serialized or {}).get("name") or "Unnamed"
        if self._wanted.includes(name, "chat_model", tags or ()):
            shown = shown_metadata(metadata or {}, name, str(run_id), tags or ())
            self._models[run_id] = _Model(self._namespace_in(parent_run_id), shown, run_message_id(run_id))

    def expect_message_events(self, run_id: UUID) -> None:
        """Take note that a model's run reports its events itself."""
        if (model := self._models.get(run_id)) is not None:
            model.has_own_events = True

    def on_stream_event(self, event: ProtocolEvent, *, run_id: UUID, **kwargs: Any) -> None:
        """Send an event that the model reports itself."""
        if (model := self._models.get(run_id)) is not None:
            self._send(model, (event,))

    def on_llm_new_token(self, token: Any, *, chunk: Any = None, run_id: UUID, **kwargs: Any) -> None:
        """Send the events of a chunk."""
        model = self._models.get(run_id)
        if model is not None and not model.has_own_events and hasattr(chunk, "message"):
            self._send(model, model.events.add(chunk.message, chunk.generation_info))

    def on_llm_end(self, response: Any, *, run_id: UUID, **kwargs: Any) -> None:
        """Send the last events, or all those of an answer that came whole."""
        model = self._models.pop(run_id, None)
        if model is None or model.has_own_events:
            return
        if model.events.started:
            self._send(model, model.events.close())
            return
        for generation in response.generations[0][:1] if response.generations else ():
            if hasattr(generation, "message"):
                self._send(model, message_to_events(generation.message, run_message_id(run_id)))

    def on_llm_error(self, error: BaseException, *, run_id: UUID, **kwargs: Any) -> None:
        """Send the event of an error."""
        model = self._models.pop(run_id, None)
        if model is not None and model.has_begun:
            self.failures[str(run_id)] = error
            self._send(model, (error_event(error),))

    def on_custom_event(
        self, name: str, data: Any, *, run_id: UUID, tags: list[str] | None = None, **kwargs: Any
    ) -> None:
        """Send an event of the user's own."""
        if self._wanted.includes(name, name, tags or ()):
            self._channel.send(_Sent("custom", self._namespace_in(run_id), {"name": name, "payload": data}))

    def _enter(
        self, serialized: Mapping[str, Any] | None, inputs: Any, *, run_id: UUID, name: str | None = None, **info: Any
    ) -> None:
        """Take note of a run in which models may run."""
        if run_id != self._root_id:
            name = name or (serialized or {}).get("name") or "Unnamed"
            self._nodes[run_id] = _Node(f"{name}:{run_id}", self._namespace_in(info.get("parent_run_id")))

    on_chain_start = on_tool_start = on_retriever_start = _enter

    def _leave(self, output: Any, *, run_id: UUID, **kwargs: Any) -> None:
        """Forget a run that has ended."""
        self._nodes.pop(run_id, None)

    on_chain_end = on_tool_end = on_retriever_end = on_chain_error = on_tool_error = on_retriever_error = _leave

    def _namespace_in(self, run_id: UUID | None) -> tuple[str, ...]:
        """Return the namespace of what runs directly in the run of this id."""
        node = None if run_id is None else self._nodes.get(run_id)
        return () if node is None else (*node.namespace, node.segment)

    def _send(self, model: _Model, events: Any) -> None:
        for event in events:
            model.has_begun = True
            self._channel.send(_Sent("messages", model.namespace, (event, model.metadata)))


class RunEvents(PassThrough):
    """The processor of a run's protocol events: dicts as those of LangGraph's version 3, in order.

    ``failures`` are the exceptions of models that failed. The last event, of the method ``values``, has the output.
    """

    __slots__ = ("_make", "_output", "failures")

    def __init__(self, failures: dict[str, BaseException]) -> None:
        super().__init__()
        self.failures = failures
        self._output = ChunkAccumulator(adds_on=True)
        self._make = EventNumbering()

    def _read(self, items: Sequence[Any]) -> list[ProtocolEvent]:
        events = []
        for item in items:
            if type(item) is _Sent:
                events.append(self._make(*item))
            else:
                self._output.add(item)
        return events

    def close(self) -> Sequence[ProtocolEvent]:
        """Return the event of the output, where the run ended well."""
        return () if self.error is not None else [self._make("values", (), self._output.total())]

    def release(self) -> None:
        """Drop what refers to frames."""
        super().release()
        self.failures.clear()


def run_events(
    runnable: EventProducer,
    input: object,
    config: Mapping[str, Any] | None,
    wanted: EventFilter,
    kwargs: dict[str, Any],
    failures: dict[str, BaseException] | None = None,
) -> tuple[Source, RunEvents]:
    """Return the source and the processor of the protocol events of one stream of ``runnable``, run in a worker."""
    full = ensure_config(config)
    run_id = full["run_id"] = full.get("run_id") or uuid7()
    channel = Channel()
    callbacks = CallbackManager.configure(full["callbacks"])
    handler = MessageEventHandler(wanted, channel, run_id, {} if failures is None else failures)
    callbacks.add_handler(handler)
    full["callbacks"] = callbacks
    source = IsolatedSource(
        channel,
        lambda: runnable._stream_inline(input, full, kwargs),
        lambda: runnable._astream_inline(input, full, kwargs),
    )
    return source, RunEvents(handler.failures)

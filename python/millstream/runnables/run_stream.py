"""``RunStream``: the stream of a run that ``stream_events(version="v3")`` of a chain returns, and its async form."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Any

from ..events.protocol.message_accumulator import MessageAccumulator
from ..events.protocol.message_streams import AsyncChatModelStream, ChatModelStream
from ..streaming.drive import adrive, drive
from ..streaming.kept_items import KeptItems
from ..streaming.projections import AsyncProjection, AsyncProjectionIterator, SyncProjection
from ..streaming.shared_reader import AsyncSharedReader, SharedReader
from ..streaming.stream import AsyncClosedAtExit, ClosedAtExit

if TYPE_CHECKING:
    from ..events.protocol.block_events import ProtocolEvent
    from ..streaming.protocols import Source
    from .fusion.messages import FusedMessages
    from .message_events import RunEvents

__all__ = ("AsyncRunStream", "RunStream")


class _Message:
    """The message of one run of a model, in a run's stream: its state, its namespace, and who called the model."""

    __slots__ = ("namespace", "node", "state")

    def __init__(self, params: Mapping[str, Any], state: MessageAccumulator) -> None:
        self.state = state
        self.namespace: list[str] = params["namespace"]
        self.node: str | None = self.namespace[-1].rpartition(":")[0] if self.namespace else None


class _RunState:
    """What has arrived of a run: its events, its messages, users' own events, and its output."""

    def __init__(self, failures: Mapping[str, BaseException]) -> None:
        self.events = KeptItems()
        self.messages = KeptItems()
        self.custom = KeptItems()
        self.values = KeptItems()
        self._failures = failures
        self._open: dict[str, MessageAccumulator] = {}

    @property
    def done(self) -> bool:
        """Whether the run has ended."""
        return self.values.done

    @property
    def error(self) -> BaseException | None:
        """The error that ended the run."""
        return self.values.error

    def dispatch(self, event: ProtocolEvent) -> None:
        """Take in an event."""
        self.events.push(event)
        params, method = event["params"], event["method"]
        if method == "messages":
            self._add_message(params)
        elif method == "custom":
            self.custom.push(params["data"])
        elif method == "values":
            self.values.push(params["data"])
            self._complete(params["data"])

    def _add_message(self, params: Mapping[str, Any]) -> None:
        event, metadata = params["data"]
        run_id, kind = metadata["run_id"], event.get("event")
        if kind == "message-start":
            state = self._open[run_id] = MessageAccumulator()
            state.dispatch(event)
            self.messages.push(_Message(params, state))
        elif (state := self._open.get(run_id)) is None:  # type: ignore[assignment]
            return
        elif kind == "error" and (failure := self._failures.get(run_id)) is not None:
            state.events.push(event)
            state.fail(failure)
        else:
            state.dispatch(event)
        if state.done:
            del self._open[run_id]

    def _complete(self, output: Any) -> None:
        for kept in (self.events, self.messages, self.custom):
            kept.complete(kept.items)
        self.values.complete(output)

    def fail(self, error: BaseException) -> None:
        """End the run with an error, and the messages that are not complete."""
        for state in self._open.values():
            state.fail(error)
        self._open.clear()
        for kept in (self.events, self.messages, self.custom, self.values):
            kept.fail(error)


class _SyncMessages(SyncProjection[ChatModelStream, Any]):
    __slots__ = ("_streams",)

    def __init__(self, source: KeptItems, pull: Any) -> None:
        super().__init__(source, pull)
        self._streams: dict[int, ChatModelStream] = {}

    def __iter__(self) -> Iterator[ChatModelStream]:
        """Yield the stream of each message, once its model has begun to answer."""
        for place, message in enumerate(super().__iter__()):
            yield self._streams.get(place) or self._open(place, message)

    def _open(self, place: int, message: Any) -> ChatModelStream:
        stream = ChatModelStream(accumulator=message.state, namespace=message.namespace, node=message.node)
        stream.set_request_more(self._request_more)
        self._streams[place] = stream
        return stream


class RunStream(ClosedAtExit):
    """The stream of a run, for sync code: its protocol events, and projections of them.

    The run runs in a thread once something is read, a few events ahead of the reader. All projections may be read,
    in any order, several times; each starts from the start.

    * the stream itself: the events, dicts as those of LangGraph's ``stream_events(version="v3")``;
    * ``messages``: a :class:`ChatModelStream` for each answer of a chat model in the run;
    * ``custom``: users' own events (``dispatch_custom_event``), dicts of a ``name`` and a ``payload``;
    * ``output``: the output of the run.

    Leaving it early stops the run: by ``close`` (or ``abort``, LangGraph's name), at the end of ``with``, or when the
    last reference to it goes.
    """

    wire = "langchain.v3"

    def __init__(self, source: Source, events: RunEvents | FusedMessages) -> None:
        state = _RunState(events.failures)
        self._reader = SharedReader(drive(source, events), state)
        pull = self._reader.pull
        self._events: SyncProjection[ProtocolEvent, Any] = SyncProjection(state.events, pull)
        self.messages: SyncProjection[ChatModelStream, Any] = _SyncMessages(state.messages, pull)
        self.custom: SyncProjection[dict[str, Any], Any] = SyncProjection(state.custom, pull)
        self.values: SyncProjection[Any, Any] = SyncProjection(state.values, pull)

    @property
    def output(self) -> Any:
        """The output of the run; this reads to the end, and raises the error that ended the run."""
        return self.values.get()

    def __iter__(self) -> Iterator[ProtocolEvent]:
        """Iterate over the events."""
        return iter(self._events)

    def close(self) -> None:
        """Stop the run, and close its connections, before this call returns; what has arrived can be read."""
        self._reader.close()

    abort = close


class _AsyncMessages(AsyncProjection[AsyncChatModelStream, Any]):
    __slots__ = ("streams",)

    def __init__(self, source: KeptItems, pull: Any) -> None:
        super().__init__(source, pull)
        self.streams: dict[int, AsyncChatModelStream] = {}

    def __aiter__(self) -> _AsyncMessageIterator:
        """Iterate over the stream of each message, once its model has begun to answer."""
        return _AsyncMessageIterator(self)

    def open(self, place: int, message: Any) -> AsyncChatModelStream:
        """Return the stream of the message at ``place``."""
        stream = AsyncChatModelStream(accumulator=message.state, namespace=message.namespace, node=message.node)
        stream.set_arequest_more(self._arequest_more)
        self.streams[place] = stream
        return stream


class _AsyncMessageIterator(AsyncProjectionIterator[AsyncChatModelStream]):
    __slots__ = ()

    _projection: _AsyncMessages

    async def __anext__(self) -> AsyncChatModelStream:
        message: Any = await super().__anext__()
        place = self._place - 1
        return self._projection.streams.get(place) or self._projection.open(place, message)


class AsyncRunStream(AsyncClosedAtExit):
    """:class:`RunStream` for async code: ``await chain.astream_events(..., version="v3")`` returns it.

    Its projections are async iterables. ``await run.output()`` returns the output of the run, which runs in a task of
    its own. Leaving the stream early stops the run: by ``aclose`` (or ``abort``), at the end of ``async with``, by the
    cancellation of the task that reads, or when the last reference to it goes.
    """

    wire = "langchain.v3"

    def __init__(self, source: Source, events: RunEvents | FusedMessages) -> None:
        state = _RunState(events.failures)
        self._reader = AsyncSharedReader(adrive(source, events), state)
        pull = self._reader.pull
        self._events: AsyncProjection[ProtocolEvent, Any] = AsyncProjection(state.events, pull)
        self.messages: AsyncProjection[AsyncChatModelStream, Any] = _AsyncMessages(state.messages, pull)
        self.custom: AsyncProjection[dict[str, Any], Any] = AsyncProjection(state.custom, pull)
        self.values: AsyncProjection[Any, Any] = AsyncProjection(state.values, pull)

    async def output(self) -> Any:
        """Read to the end, and return the output of the run; raise the error that ended it."""
        return await self.values

    def __aiter__(self) -> AsyncProjectionIterator[ProtocolEvent]:
        """Iterate over the events."""
        return self._events.__aiter__()

    async def aclose(self) -> None:
        """Stop the run, and close its connections, before this call returns; what has arrived can be read."""
        await self._reader.aclose()

    abort = aclose

"""``ChatModelStream``: the stream of one message that ``stream_events(version="v3")`` returns, and its async form."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Generator, Iterator, Mapping
from typing import TYPE_CHECKING, Any, Generic, NoReturn, TypeVar

from ...messages.ai import AIMessage
from ...streaming.drive import adrive, drive
from ...streaming.projections import (
    AsyncProjection,
    AsyncProjectionIterator,
    AsyncTextProjection,
    SyncProjection,
    SyncTextProjection,
)
from ...streaming.protocols import Processor, Source
from ...streaming.shared_reader import AsyncSharedReader, SharedReader
from ...streaming.stream import AsyncClosedAtExit, ClosedAtExit
from .block_events import ProtocolEvent
from .message_accumulator import MessageAccumulator

__all__ = (
    "AsyncChatModelStream",
    "AsyncProjection",
    "AsyncTextProjection",
    "ChatModelStream",
    "PendingStream",
    "SyncProjection",
    "SyncTextProjection",
    "open_message_stream",
)

Opened = TypeVar("Opened")


class _MessageStream:
    """What both forms have: the state of the message, and the entry for events of another producer.

    No projection refers to the stream itself. Where the last reference to the stream and its projections goes, the
    reader goes too, and with it the connection.
    """

    wire = "langchain.v3"

    def __init__(
        self,
        *,
        namespace: list[str] | None = None,
        node: str | None = None,
        message_id: str | None = None,
        accumulator: MessageAccumulator | None = None,
    ) -> None:
        self._accumulator = MessageAccumulator(message_id) if accumulator is None else accumulator
        self._namespace = namespace or []
        self._node = node

    @property
    def namespace(self) -> list[str]:
        """The path from the stream's own run to the run that makes the message; see ``docs/how-to/events-v3.md``."""
        return self._namespace

    @property
    def node(self) -> str | None:
        """The name of the node of a graph, or of the run, that called the model."""
        return self._node

    @property
    def message_id(self) -> str | None:
        """The message's id, once it is known."""
        return self._accumulator.message_id

    def set_message_id(self, message_id: str) -> None:
        """Set the message's id."""
        self._accumulator.message_id = message_id

    @property
    def done(self) -> bool:
        """Whether the message is complete, or has failed."""
        return self._accumulator.done

    @property
    def has_events(self) -> bool:
        """Whether an event has arrived."""
        return bool(self._accumulator.events.items)

    @property
    def output_message(self) -> AIMessage | None:
        """The message, if it is complete; this reads nothing and never raises."""
        message: AIMessage | None = self._accumulator.output.value
        return message

    def dispatch(self, event: Mapping[str, Any]) -> None:
        """Take in an event of a producer other than the stream's own."""
        self._accumulator.dispatch(event)

    def fail(self, error: BaseException) -> None:
        """End the message with an error, which each reader receives after what it has not read."""
        self._accumulator.fail(error)


class ChatModelStream(_MessageStream, ClosedAtExit):
    """The stream of one message, for sync code: its events, and projections of them.

    Nothing runs until something is read: an iteration of the stream or of a projection asks the model for more when
    it has read what has arrived. All of them may be read, in any order, several times; each starts from the start.

    * the stream itself: the events, dicts of LangChain's content-block protocol;
    * ``text`` and ``reasoning``: pieces of texts, and ``str()`` of them the whole text;
    * ``tool_calls``: pieces of calls, and ``get()`` the list of calls;
    * ``output``: the whole message, whose content is a list of standard blocks.

    Leaving it early closes the connection: by ``close``, at the end of ``with``, or when the last reference to it and
    its projections goes. ::

        with model.stream_events("Tell me about goldfish", version="v3") as stream:
            for piece in stream.text:
                print(piece, end="", flush=True)
            print(stream.output.usage_metadata)
    """

    def __init__(self, *, reader: SharedReader | None = None, **fields: Any) -> None:
        super().__init__(**fields)
        state, self._reader = self._accumulator, reader
        pull = None if reader is None else reader.pull
        self._events: SyncProjection[ProtocolEvent, Any] = SyncProjection(state.events, pull)
        self._text = SyncTextProjection(state.text, pull)
        self._reasoning = SyncTextProjection(state.reasoning, pull)
        self._tool_calls: SyncProjection[dict[str, Any], list[dict[str, Any]]] = SyncProjection(state.tool_calls, pull)
        self._usage: SyncProjection[Any, Any] = SyncProjection(state.usage, pull)
        self._output: SyncProjection[Any, AIMessage] = SyncProjection(state.output, pull)

    def set_request_more(self, cb: Callable[[], bool] | None) -> None:
        """Set the function that asks the producer for more, and returns whether there may be more."""
        for projection in (self._events, self._text, self._reasoning, self._tool_calls, self._usage, self._output):
            projection.set_request_more(cb)

    bind_pump = set_request_more

    @property
    def text(self) -> SyncTextProjection:
        """The pieces of the text; ``str()`` of it is the whole text."""
        return self._text

    @property
    def reasoning(self) -> SyncTextProjection:
        """The pieces of the reasoning; ``str()`` of it is the whole text."""
        return self._reasoning

    @property
    def tool_calls(self) -> SyncProjection[dict[str, Any], list[dict[str, Any]]]:
        """The pieces of the tool calls, with the id and the name of the call; ``get()`` returns the calls."""
        return self._tool_calls

    @property
    def usage(self) -> Any:
        """The token counts, once the message is complete; this reads to the end."""
        return self._usage.get()

    @property
    def output(self) -> AIMessage:
        """The message, once it is complete; this reads to the end, and raises the error that ended the stream."""
        message = self._output.get()
        if not self._output._source.has_value:
            raise RuntimeError("Stream finished without producing a message")
        return message

    def __iter__(self) -> Iterator[ProtocolEvent]:
        """Iterate over the events."""
        return iter(self._events)

    def close(self) -> None:
        """Close the stream, and the connection with it, before this call returns; what has arrived can be read."""
        if self._reader is not None:
            self._reader.close()


class AsyncChatModelStream(_MessageStream, AsyncClosedAtExit):
    """:class:`ChatModelStream` for async code: ``await model.astream_events(..., version="v3")`` returns it.

    Its projections are async iterables, and awaited they return the whole: ``await stream.text``, ``await
    stream.output``. Awaited itself, it returns the message. Several tasks may read it at once; the one that asks
    first reads the connection, for all. Leaving it early closes the connection: by ``aclose``, at the end of ``async
    with``, by the cancellation of the task that reads, or when the last reference to it goes. Those who read on
    receive a ``CancelledError``. ::

        async with await model.astream_events("Tell me about goldfish", version="v3") as stream:
            async for piece in stream.text:
                print(piece, end="", flush=True)
            print((await stream.output).usage_metadata)
    """

    def __init__(self, *, reader: AsyncSharedReader | None = None, **fields: Any) -> None:
        super().__init__(**fields)
        state, self._reader = self._accumulator, reader
        pull = None if reader is None else reader.pull
        self._events: AsyncProjection[ProtocolEvent, Any] = AsyncProjection(state.events, pull)
        self._text = AsyncTextProjection(state.text, pull)
        self._reasoning = AsyncTextProjection(state.reasoning, pull)
        self._tool_calls: AsyncProjection[dict[str, Any], list[dict[str, Any]]]
        self._tool_calls = AsyncProjection(state.tool_calls, pull)
        self._usage: AsyncProjection[Any, Any] = AsyncProjection(state.usage, pull)
        self._output: AsyncProjection[Any, AIMessage] = AsyncProjection(state.output, pull)

    def set_arequest_more(self, cb: Callable[[], Awaitable[bool]] | None) -> None:
        """Set the function that asks the producer for more, and returns whether there may be more."""
        for projection in (self._events, self._text, self._reasoning, self._tool_calls, self._usage, self._output):
            projection.set_arequest_more(cb)

    @property
    def text(self) -> AsyncTextProjection:
        """The pieces of the text; awaited, the whole text."""
        return self._text

    @property
    def reasoning(self) -> AsyncTextProjection:
        """The pieces of the reasoning; awaited, the whole text."""
        return self._reasoning

    @property
    def tool_calls(self) -> AsyncProjection[dict[str, Any], list[dict[str, Any]]]:
        """The pieces of the tool calls, with the id and the name of the call; awaited, the calls."""
        return self._tool_calls

    @property
    def usage(self) -> AsyncProjection[Any, Any]:
        """The token counts, to be awaited."""
        return self._usage

    @property
    def output(self) -> AsyncProjection[Any, AIMessage]:
        """The message; awaited, it raises the error that ended the stream."""
        return self._output

    def __await__(self) -> Generator[Any, None, AIMessage]:
        """Return the message, once it is complete."""
        return self._output.__await__()

    def __aiter__(self) -> AsyncProjectionIterator[ProtocolEvent]:
        """Iterate over the events."""
        return self._events.__aiter__()

    async def aclose(self) -> None:
        """Close the stream, and the connection with it, before this call returns; what has arrived can be read."""
        if self._reader is not None:
            await self._reader.aclose()


class PendingStream(Generic[Opened]):
    """What ``astream_events(version="v3")`` returns: awaited, the stream. Nothing runs until that is read."""

    __slots__ = ("_open",)

    def __init__(self, open: Callable[[], Opened]) -> None:
        self._open = open

    def __await__(self) -> Generator[Any, None, Opened]:
        """Return the stream."""
        return self._open()
        yield  # which makes it a generator

    if not TYPE_CHECKING:  # so that a type checker reports `async for`

        def __aiter__(self) -> NoReturn:
            """Raise :class:`TypeError`, which says what to write."""
            raise TypeError('write `async for event in await model.astream_events(..., version="v3")`, with `await`')


def open_message_stream(
    source: Source, events: Processor[ProtocolEvent], message_id: str | None = None, *, for_async: bool
) -> ChatModelStream | AsyncChatModelStream:
    """Return the stream of one message, whose events are those of ``events`` over ``source``."""
    state = MessageAccumulator(message_id)
    if for_async:
        return AsyncChatModelStream(accumulator=state, reader=AsyncSharedReader(adrive(source, events), state))
    return ChatModelStream(accumulator=state, reader=SharedReader(drive(source, events), state))

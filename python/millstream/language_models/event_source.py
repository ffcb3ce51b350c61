"""``EventSource``: where the protocol events of one call of a chat model come from."""

from __future__ import annotations

from collections import deque
from collections.abc import AsyncIterable, AsyncIterator, Awaitable, Callable, Iterable, Iterator
from typing import TYPE_CHECKING, Any

from ..callbacks.protocol_handlers import announce_events
from ..events.protocol.block_events import BlockEvents, ProtocolEvent, message_to_events
from ..streaming.inputs import NestedIterator, close_iterator
from ..streaming.workers import iterate_in_thread
from .chat_calls import model_input
from .model_type import ModelCall, get_sync_manager, takes_run_manager

if TYPE_CHECKING:
    from ..callbacks.llm_run_manager import AsyncCallbackManagerForLLMRun, CallbackManagerForLLMRun

__all__ = ("EventSource",)


class EventSource:
    """Where the events of one call of a model come from: its own hooks, its chunks, or its whole answer.

    A model's class may define ``_stream_chat_model_events`` and ``_astream_chat_model_events``, as in LangChain.
    ``is_disabled`` says that the call must not stream.
    """

    def __init__(self, model: Any, call: ModelCall, message_id: str, *, is_disabled: bool, for_async: bool) -> None:
        self._model = model
        self._call = call
        self._id = message_id
        model_type = model._model_type
        self._hook: Any = None if is_disabled else getattr(model, "_stream_chat_model_events", None)
        can_use_async_hook = for_async and not is_disabled
        self._ahook: Any = getattr(model, "_astream_chat_model_events", None) if can_use_async_hook else None
        self._streams = not is_disabled and model_type.can_stream(model, for_async=for_async)
        self.has_hook = self._hook is not None or self._ahook is not None
        # Async code runs a model that has sync methods alone in a thread.
        own_astream = self._streams and model_type.has_own_astream(model)
        self.is_async = self._ahook is not None or (own_astream if self.exists else True)

    @property
    def exists(self) -> bool:
        """Whether the answer comes in events or chunks, not whole."""
        return self.has_hook or self._streams

    def open(self, run: CallbackManagerForLLMRun) -> Iterator[ProtocolEvent]:
        """Return an iterator of the events."""
        announce_events(run)
        model, call = self._model, self._call
        if not self.exists:
            result = model._model_type._generate_one(model, call, run)
            return message_to_events(result.generations[0].message, self._id)
        if model.rate_limiter is not None:
            model.rate_limiter.acquire(blocking=True)
        if self._hook is not None:
            return _make_events(self._begin(self._hook, run), _PassedOn())
        return _make_events(self._begin(model._stream, run), _OfChunks(self._id))

    async def aopen(self, run: AsyncCallbackManagerForLLMRun) -> AsyncIterator[ProtocolEvent]:
        """Return an async iterator of the events."""
        announce_events(run)
        model, call = self._model, self._call
        if not self.exists:
            result = await model._model_type._agenerate_one(model, call, run)
            return _each(message_to_events(result.generations[0].message, self._id))
        if model.rate_limiter is not None:
            await model.rate_limiter.aacquire(blocking=True)
        if self._ahook is not None:
            return _AsyncEvents(self._begin(self._ahook, run), _PassedOn())
        if self.is_async:
            return _AsyncEvents(self._begin(model._astream, run), _OfChunks(self._id))
        manager = get_sync_manager(run)
        if self._hook is not None:
            return _AsyncEvents(iterate_in_thread(lambda: self._begin(self._hook, manager)), _PassedOn())
        return _AsyncEvents(iterate_in_thread(lambda: self._begin(model._stream, manager)), _OfChunks(self._id))

    def _begin(self, method: Any, run: Any) -> Any:
        manager = {"run_manager": run} if takes_run_manager(getattr(method, "__func__", method)) else {}
        return method(model_input(self._call.prompt), stop=self._call.stop, **manager, **self._call.kwargs)


class _OfChunks:
    """Makes events of a model's chunks."""

    def __init__(self, id: str) -> None:
        self._events = BlockEvents(id)
        self.close = self._events.close

    def add(self, chunk: Any) -> list[ProtocolEvent]:
        if not hasattr(chunk, "message"):
            raise TypeError(f"_stream() must yield ChatGenerationChunk objects, not {type(chunk).__name__}")
        return self._events.add(chunk.message, chunk.generation_info)


class _PassedOn:
    """Passes on the events of a model's own hook."""

    def add(self, event: ProtocolEvent) -> tuple[ProtocolEvent, ...]:
        return (event,)

    def close(self) -> tuple[ProtocolEvent, ...]:
        return ()


_Maker = _OfChunks | _PassedOn


def _is_last(event: ProtocolEvent) -> bool:
    return event.get("event") in ("message-finish", "error")


def _make_events(items: Iterable[Any], maker: _Maker) -> Iterator[ProtocolEvent]:
    """Yield the events of a model's items, up to the last one of a message, and close the iterator of the items."""
    try:
        for item in items:
            for event in maker.add(item):
                yield event
                if _is_last(event):
                    return
        yield from maker.close()
    finally:
        close_iterator(items)


class _AsyncEvents:
    """:func:`_make_events` for async code.

    What :func:`~millstream.streaming.workers.pump` throws, it throws into the model's own iterator.
    """

    def __init__(self, items: AsyncIterable[Any], maker: _Maker) -> None:
        self._items = NestedIterator(items)
        self._maker = maker
        self._made: deque[ProtocolEvent] = deque()
        self._ended = False

    def __aiter__(self) -> AsyncIterator[ProtocolEvent]:
        return self

    async def __anext__(self) -> ProtocolEvent:
        return await self._next(self._items.__anext__)

    @property
    def athrow(self) -> Any:
        """The iterator's own ``athrow``; :class:`AttributeError` if it has none."""
        athrow = self._items.athrow
        return lambda error: self._next(lambda: athrow(error))

    async def _next(self, step: Callable[[], Awaitable[Any]]) -> ProtocolEvent:
        while not self._made:
            if self._ended:
                raise StopAsyncIteration
            try:
                self._made.extend(self._maker.add(await step()))
            except StopAsyncIteration:
                self._ended = True
                self._made.extend(self._maker.close())
            step = self._items.__anext__
        event = self._made.popleft()
        self._ended = self._ended or _is_last(event)
        return event

    async def aclose(self) -> None:
        """Close the iterator of the items."""
        await self._items.aclose()


async def _each(events: Iterable[ProtocolEvent]) -> AsyncIterator[ProtocolEvent]:
    for event in events:
        yield event

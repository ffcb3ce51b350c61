"""Version 3 of a chat model's events: its run, whose items are events of the content-block protocol."""

from __future__ import annotations

from collections.abc import AsyncIterable, Awaitable, Callable, Iterable, Sequence
from typing import TYPE_CHECKING, Any

from ..events.protocol.block_events import BlockEvents, ProtocolEvent
from ..events.protocol.message_accumulator import MessageAccumulator
from ..messages.base import run_message_id
from ..outputs import LLMResult
from ..outputs.chat_generation import ChatGeneration
from ..runnables.config import RunnableConfig, ensure_config
from ..streaming.isolation import PassThrough
from ..streaming.protocols import Processor, ProcessorAround, Source
from .chat_calls import disables_streaming
from .chunk_timer import time_stream
from .error_response import generate_response_from_error
from .event_source import EventSource
from .model_run import LLMRun, ModelRun
from .model_type import ModelCall
from .reported_stream import report_stream
from .run_sources import StreamedSource

if TYPE_CHECKING:
    from ..callbacks.llm_run_manager import AsyncCallbackManagerForLLMRun, CallbackManagerForLLMRun

__all__ = ("ProtocolRun", "protocol_events")


def protocol_events(
    model: Any, input: Any, config: RunnableConfig | None, kwargs: dict[str, Any], *, for_async: bool
) -> tuple[Source, NativeEvents | RunEvents]:
    """Return the source and the processor of the events of one stream of a chat model."""
    kwargs = dict(kwargs)
    call = ModelCall(model._model_type.prompt(input), kwargs.pop("stop", None), kwargs)
    run = ProtocolRun(model, call, ensure_config(config), for_async=for_async)
    is_native = not run.has_own_events and model._opens_own_stream(run.model_call, for_async=for_async)
    handlers = run.manager.handlers
    # The result that others receive is made of the events.
    if is_native and all(hasattr(one, "_takes_summary") for one in handlers):
        stream = model._native_stream(run.model_call, collect_result=bool(handlers), run_id=run.run_id)
        stream = time_stream(model, stream, run.timer)
        source, chunks = report_stream(run, *stream) if handlers else stream
        return source, NativeEvents(chunks, run.message_id)
    uses_astream = for_async and run.source.is_async
    return StreamedSource(run, uses_astream=uses_astream, is_native=is_native and for_async), RunEvents(run.message_id)


class NativeEvents(ProcessorAround[ProtocolEvent]):
    """The processor that makes events of a model's chunks, straight over our connection."""

    __slots__ = ("_events", "_inner", "message_id")

    def __init__(self, chunks: Processor[Any], message_id: str) -> None:
        self.message_id = message_id
        self._inner: Processor[Any] = chunks
        self._events = BlockEvents(message_id, has_infos=True)

    @property
    def feed(self) -> Callable[[Any], Sequence[ProtocolEvent]]:
        """The function that returns the events of a raw item."""
        feed, add, add_all = self._inner.feed, self._events.add, self._add

        def read(raw: Any) -> Sequence[ProtocolEvent]:
            chunks = feed(raw)
            return add(chunks[0]) if len(chunks) == 1 else add_all(chunks)

        return read

    def start(self) -> Sequence[ProtocolEvent]:
        """Return the events before the source is opened."""
        return self._add(self._inner.start())

    def opened(self, body: object) -> Sequence[ProtocolEvent]:
        """Return the events of the chunks that the source has read already."""
        return self._add(self._inner.opened(body) or ())

    def close(self) -> Sequence[ProtocolEvent]:
        """Return the last events: only a message that ended well is finished."""
        events = self._add(self._inner.close())
        return events if self._inner.error is not None else [*events, *self._events.close()]

    def _add(self, chunks: Sequence[Any]) -> list[ProtocolEvent]:
        add = self._events.add
        return [event for chunk in chunks for event in add(chunk)]


class RunEvents(PassThrough):
    """The processor of the events of a run that executes users' code or notifies handlers."""

    __slots__ = ("message_id",)

    def __init__(self, message_id: str) -> None:
        super().__init__()
        self.message_id = message_id


class ProtocolRun(ModelRun):
    """One run of a chat model whose items are events of the content-block protocol.

    Handlers are notified of each by ``on_stream_event``; the result is the message that they make.
    """

    def __init__(self, model: Any, call: ModelCall, config: RunnableConfig, *, for_async: bool) -> None:
        super().__init__(model, call, config, collect_result=False, channel=None)
        self.message_id = run_message_id(self.run_id)
        is_disabled = disables_streaming(model, {**self._call.kwargs, "stream": True})
        self.source = EventSource(model, self._call, self.message_id, is_disabled=is_disabled, for_async=for_async)
        self._message = MessageAccumulator(self.message_id)
        self._last: ProtocolEvent | None = None

    @property
    def model_call(self) -> ModelCall:
        """The call, without the arguments that only handlers receive."""
        return self._call

    @property
    def has_own_events(self) -> bool:
        """Whether the model's class makes the events."""
        return self.source.has_hook

    def result(self) -> LLMResult:
        """Return the message that the events made; of a native stream, its result."""
        if self._result is not None:
            return self._result
        return LLMResult([[ChatGeneration(self._message.output.value)]])

    def _open(self, run: CallbackManagerForLLMRun) -> Iterable[Any]:
        return self.source.open(run)

    async def _aopen(self, run: AsyncCallbackManagerForLLMRun) -> AsyncIterable[Any]:
        return await self.source.aopen(run)

    def _collect(self, chunk: Any, run: LLMRun) -> Awaitable[None] | None:
        self._last = chunk
        return self._notify(chunk, run) if run.handlers else None

    def _notify(self, chunk: Any, run: LLMRun) -> Awaitable[None] | None:
        if not run.handlers:
            return None
        self._message.dispatch(chunk)
        return run.on_stream_event(chunk)

    def _closing_chunk(self) -> Any:
        if self._last is None:
            raise ValueError("No generation chunks were returned")
        if self._last.get("event") == "error":
            raise RuntimeError(self._last.get("message", "Unknown error"))
        # As in LangChain, a model's own events need not have the last one.
        return None if self._last.get("event") == "message-finish" else {"event": "message-finish"}

    def _partial_result(self, error: BaseException) -> LLMResult:
        answer = generate_response_from_error(error)
        return LLMResult([answer] if answer else [])

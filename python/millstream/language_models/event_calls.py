"""Calls of chat models that report protocol events to a handler, as LangGraph's version 3 of events needs them."""

from __future__ import annotations

from typing import Any

from ..events.protocol.block_events import message_to_events
from ..events.protocol.message_accumulator import MessageAccumulator
from ..messages.base import run_message_id
from ..outputs.chat_generation import ChatGeneration, ChatResult
from ..streaming.inputs import NestedIterator
from .chat_calls import disables_streaming
from .event_source import EventSource
from .model_type import ModelCall

__all__ = ("acall_with_events", "areplay_events", "call_with_events", "replay_events")


def call_with_events(model: Any, call: ModelCall, run: Any) -> ChatResult | None:
    """Return the answer of a call, whose handlers are notified of its events; ``None`` if the call cannot stream."""
    source = _source(model, call, run, for_async=False)
    if not source.exists:
        return None
    message = MessageAccumulator()
    for event in source.open(run):
        message.dispatch(event)
        run.on_stream_event(event)
    return _result(message)


async def acall_with_events(model: Any, call: ModelCall, run: Any) -> ChatResult | None:
    """:func:`call_with_events` for async code."""
    source = _source(model, call, run, for_async=True)
    if not source.exists:
        return None
    message = MessageAccumulator()
    async with NestedIterator(await source.aopen(run)) as events:
        async for event in events:
            message.dispatch(event)
            await run.on_stream_event(event)
    return _result(message)


def replay_events(model: Any, call: ModelCall, run: Any, result: ChatResult) -> None:
    """Notify the handlers of the events of an answer that a cache had, as if it had been streamed."""
    if _source(model, call, run, for_async=False).exists:
        for generation in result.generations:
            for event in message_to_events(generation.message, run_message_id(run.run_id)):
                run.on_stream_event(event)


async def areplay_events(model: Any, call: ModelCall, run: Any, result: ChatResult) -> None:
    """:func:`replay_events` for async code."""
    if _source(model, call, run, for_async=True).exists:
        for generation in result.generations:
            for event in message_to_events(generation.message, run_message_id(run.run_id)):
                await run.on_stream_event(event)


def _source(model: Any, call: ModelCall, run: Any, *, for_async: bool) -> EventSource:
    is_disabled = disables_streaming(model, call.kwargs)
    return EventSource(model, call, run_message_id(run.run_id), is_disabled=is_disabled, for_async=for_async)


def _result(message: MessageAccumulator) -> ChatResult:
    if message.error is not None:
        raise message.error
    if message.output.value is None:
        raise RuntimeError("the stream of events ended without a message")
    return ChatResult([ChatGeneration(message.output.value)])

"""The chunks of any Runnable as deltas of one answer, and several answers at the same time."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Callable, Sequence
from contextlib import aclosing
from typing import Any

from ..._backend import Delta
from ..._merge import add_counts
from ...callbacks.values_from_langchain import from_langchain
from ...messages.ai import AIMessage
from ...messages.base import BaseMessage
from ...runnables.binding import RunnableBindingBase
from ...runnables.config import merge_configs
from ...runnables.foreign import ForeignRunnable
from ...streaming.accumulate import ChunkAccumulator
from ...wires.chunk_writer import ChunkWriter
from ...wires.message_deltas import CallIndexes, to_delta
from .answers import AnswerRecorder, read_output

__all__ = ("MAX_WAITING", "awrite_answers", "is_graph", "read_deltas", "read_graph")

MAX_WAITING = 16
"""Maximum number of deltas that wait to be sent, for each of several answers."""

OpenDeltas = Callable[[], AsyncGenerator[Delta, None]]


def is_graph(runnable: Any) -> bool:
    """Return whether a Runnable is a graph of LangGraph's, whose stream has other modes than its chunks."""
    while isinstance(runnable, RunnableBindingBase):
        runnable = runnable.bound
    return isinstance(runnable, ForeignRunnable) and hasattr(type(runnable.runnable), "stream_channels_asis")


async def read_deltas(
    runnable: Any, input: Any, config: Any, *, include_usage: bool = False
) -> AsyncGenerator[Delta, None]:
    """Yield the deltas of a Runnable's answer, and with ``include_usage`` the usage of its models.

    Texts and the chunks of messages are deltas. Other values are added up, as Runnables do it, and the sum is the
    answer's text as JSON: a part of a JSON text cannot be taken back when the value grows.
    """
    recorder = AnswerRecorder()
    if include_usage:
        config = merge_configs(config, {"callbacks": [recorder]})
    rest, indexes = ChunkAccumulator(), CallIndexes()
    has_rest = calls_tools = False
    async with aclosing(runnable.astream(input, config)) as chunks:
        async for chunk in chunks:
            chunk = from_langchain(chunk)
            if isinstance(chunk, str):
                yield Delta(0, text=chunk)
            elif isinstance(chunk, AIMessage):
                delta = to_delta(chunk, indexes)
                calls_tools = calls_tools or bool(delta.tool_calls)
                yield delta
            elif isinstance(chunk, BaseMessage):
                yield Delta(0, text=chunk.text)
            elif chunk is not None:
                rest.add(chunk)
                has_rest = True
    if has_rest:
        answer = read_output(rest.total())
        calls_tools = calls_tools or bool(answer.tool_calls)
        yield answer.as_delta()
    if include_usage:
        yield Delta(0, usage=recorder.usage, finish_reason=recorder.finish_reason(calls_tools=calls_tools))


async def read_graph(graph: Any, input: Any, config: Any) -> AsyncGenerator[Delta, None]:
    """Yield the deltas of the answers of a graph's models; of a graph without such, the answer in its last state.

    Calls of tools that the graph runs are left out, as are their results: a client would run them once more.
    """
    usages: list[Any] = []
    has_text, state = False, None
    async with aclosing(graph.astream(input, config, stream_mode=["messages", "values"])) as items:
        async for mode, item in items:
            if mode == "values":
                state = item
                continue
            message = from_langchain(item[0])
            if not isinstance(message, AIMessage):
                continue
            delta = to_delta(message, CallIndexes())
            if delta.usage is not None:
                usages.append(delta.usage)
            if delta.text or delta.reasoning or delta.refusal:
                has_text = True
                yield Delta(0, text=delta.text, reasoning=delta.reasoning, refusal=delta.refusal)
    last = read_output(state)
    if last.tool_calls or not has_text:
        # Calls in the last message are for the client, since the graph has ended with them.
        text = None if has_text else last.text
        yield Delta(0, text=text, tool_calls=last.as_delta().tool_calls, finish_reason=last.reason)
    if usages:
        yield Delta(0, usage=add_counts(usages))


async def awrite_answers(
    writer: ChunkWriter, answers: Sequence[OpenDeltas], prefixes: Sequence[str]
) -> AsyncGenerator[bytes, None]:
    """Yield the records of ``answers``, each with its own index, and the end. ``prefixes`` are the texts before them.

    The usage is the sum of all answers'.
    """
    core = writer.core
    if records := writer.start():
        yield records
    usages: dict[int, Any] = {}
    async with aclosing(_interleave(answers, prefixes)) as deltas:
        async for delta in deltas:
            if delta.usage is not None:
                usages[delta.index] = delta.usage
                delta = _with(delta, usage=None)
            if records := core.write(delta):
                yield records
    records = core.write(Delta(0, usage=add_counts(usages.values()))) if usages else b""
    yield records + writer.close()


def _with(delta: Delta, **changes: Any) -> Delta:
    """Return a copy of a delta with other values."""
    return Delta(**({name: getattr(delta, name) for name in Delta.__match_args__} | changes))


async def _interleave(answers: Sequence[OpenDeltas], prefixes: Sequence[str]) -> AsyncGenerator[Delta, None]:
    """Yield the deltas of all answers as they come; the first error ends all."""
    for index, prefix in enumerate(prefixes):
        yield Delta(index, text=prefix)
    if len(answers) == 1:
        async with aclosing(answers[0]()) as deltas:
            async for delta in deltas:
                yield delta
        return
    queue: asyncio.Queue[Delta | BaseException | None] = asyncio.Queue(MAX_WAITING * len(answers))
    workers = [asyncio.ensure_future(_send(queue, index, open)) for index, open in enumerate(answers)]
    try:
        running = len(workers)
        while running:
            item = await queue.get()
            if item is None:
                running -= 1
            elif isinstance(item, BaseException):
                raise item
            else:
                yield item
    finally:
        await _stop_tasks(workers)


async def _send(queue: asyncio.Queue[Any], index: int, open: OpenDeltas) -> None:
    """Put the deltas of one answer into the queue, then ``None``, or the error that ended it."""
    try:
        async with aclosing(open()) as deltas:
            async for delta in deltas:
                await queue.put(_with(delta, index=index) if index else delta)
    except Exception as error:
        await queue.put(error)
    else:
        await queue.put(None)


async def _stop_tasks(tasks: Sequence[asyncio.Future[None]]) -> None:
    """Cancel the tasks that run, and return when all have ended."""
    for task in tasks:
        task.cancel()
    await asyncio.wait(tasks)
    for task in tasks:
        # An error that the caller does not raise is not reported as lost either.
        if not task.cancelled():
            task.exception()

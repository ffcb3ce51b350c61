"""Runs that stream the outputs for one whole input, which their handlers receive at the start."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Generator
from typing import Any

from .._context import InContext
from ..streaming.accumulate import ChunkAccumulator
from ..streaming.inputs import AsyncInputIterator, close_iterator
from .config import RunnableConfig, ensure_config
from .runs import Named, RunStart, Transform, context_for

__all__ = ("astream_in_run", "stream_in_run")

_END: Any = object()


def stream_in_run(
    owner: Named, stream: Transform, input: object, config: RunnableConfig | None
) -> Generator[Any, None, None]:
    """Yield the items of ``stream(input, run, config)``, in a run of its own; its output is their sum."""
    start = RunStart(owner, ensure_config(config))
    run = start.run(input)
    sum = ChunkAccumulator()
    try:
        child = start.child_config(run)
        context = context_for(child)
        outputs = iter(context.run(stream, input, run, child))
        try:
            while (chunk := context.run(next, outputs, _END)) is not _END:
                if run.handlers:
                    sum.add(chunk)
                yield chunk
        finally:
            context.run(close_iterator, outputs)
        total = sum.total()
    except BaseException as error:
        run.report_stop(error, sum.partial())
        raise
    run.on_chain_end(total)


async def astream_in_run(
    owner: Named, stream: Transform, input: object, config: RunnableConfig | None
) -> AsyncGenerator[Any, None]:
    """Yield the items of ``await stream(input, run, config)``; see :func:`stream_in_run`."""
    import asyncio

    start = RunStart(owner, ensure_config(config))
    run = await start.arun(input)
    sum = ChunkAccumulator()
    try:
        child = start.child_config(run)
        context = context_for(child)
        outputs = AsyncInputIterator(await InContext(context, stream(input, run, child)))
        try:
            while (chunk := await InContext(context, _next(outputs))) is not _END:
                if run.handlers:
                    sum.add(chunk)
                try:
                    yield chunk
                except asyncio.CancelledError as error:
                    outputs.thrown = error
        finally:
            await InContext(context, outputs.aclose())
        total = sum.total()
    except BaseException as error:
        await run.report_stop(error, sum.partial())
        raise
    await run.on_chain_end(total)


async def _next(outputs: AsyncInputIterator) -> Any:
    return await anext(outputs, _END)

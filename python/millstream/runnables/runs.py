"""Runs of chains, prompts, parsers and functions: begun once, ended once, whichever way they are left."""

from __future__ import annotations

import contextvars
from collections.abc import AsyncGenerator, AsyncIterable, AsyncIterator, Callable, Generator, Iterable
from typing import Any, Protocol

from .._context import InContext, var_child_runnable_config
from ..callbacks.manager import AsyncCallbackManagerForChainRun, CallbackManager, CallbackManagerForChainRun
from ..streaming.accumulate import ChunkAccumulator
from ..streaming.inputs import AsyncInputIterator, InputIterator, close_iterator
from .config import RunnableConfig, child_config, ensure_config

__all__ = (
    "RunStart",
    "acall_in_run",
    "atransform_buffered",
    "atransform_in_run",
    "call_in_run",
    "context_for",
    "no_listeners",
    "transform_buffered",
    "transform_in_run",
)

_END: Any = object()


class Named(Protocol):
    """What has runs."""

    def get_name(self) -> str:
        """Return the name of its runs, where a call gives no other."""


class RunStart:
    """A run that is about to begin: its configuration, its manager, and what its handlers are told at the start."""

    def __init__(self, owner: Named, config: RunnableConfig | None, **start: Any) -> None:
        self.config = full = ensure_config(config)
        self.manager = CallbackManager.configure(
            full["callbacks"], None, False, full["tags"], None, full["metadata"], None
        )
        self.name: str = full.get("run_name") or owner.get_name()
        self._start = {**start, "name": self.name}

    def run(self, inputs: Any, serialized: Any = None) -> CallbackManagerForChainRun:
        """Begin the run in sync code, and tell of it."""
        run = self.silent_run()
        if run.handlers:
            run.start(serialized, inputs, **self._start)
        return run

    def silent_run(self) -> CallbackManagerForChainRun:
        """Return the run without a word about its start."""
        return CallbackManagerForChainRun.of(self.manager, self.config.get("run_id"))

    async def arun(self, inputs: Any, serialized: Any = None) -> AsyncCallbackManagerForChainRun:
        """Begin the run in async code, and tell of it."""
        run = AsyncCallbackManagerForChainRun.of(self.manager, self.config.get("run_id"))
        if run.handlers:
            await run.start(serialized, inputs, **self._start)
        return run

    def child_config(self, run: Any) -> RunnableConfig:
        """Return what the runs below ``run`` inherit."""
        return child_config(self.config, run)


def no_listeners(config: RunnableConfig | None) -> bool:
    """Return whether surely nobody hears of a call; to be cheap, a run above counts as somebody."""
    return var_child_runnable_config.get() is None and not (config and config.get("callbacks"))


# A call.

Call = Callable[[Any, Any, RunnableConfig], Any]
"""Takes the input, the run, and what the runs below it inherit."""


def call_in_run(
    owner: Named,
    call: Call,
    input: Any,
    config: RunnableConfig | None,
    *,
    run_type: str | None = None,
    serialized: Any = None,
) -> Any:
    """Return ``call(input, run, config)``, made in a run of its own; runs that begin in there are below it."""
    begun = RunStart(owner, config, run_type=run_type)
    run = begun.run(input, serialized)
    try:
        below = begun.child_config(run)
        output = context_for(below).run(call, input, run, below)
    except BaseException as error:
        run.report_stop(error)
        raise
    run.on_chain_end(output)
    return output


async def acall_in_run(
    owner: Named,
    call: Call,
    input: Any,
    config: RunnableConfig | None,
    *,
    run_type: str | None = None,
    serialized: Any = None,
) -> Any:
    """Return ``await call(input, run, config)``; see :func:`call_in_run`."""
    begun = RunStart(owner, config, run_type=run_type)
    run = await begun.arun(input, serialized)
    try:
        below = begun.child_config(run)
        output = await InContext(context_for(below), _made(call, input, run, below))
    except BaseException as error:
        await run.report_stop(error)
        raise
    await run.on_chain_end(output)
    return output


async def _made(call: Call, input: Any, run: Any, config: RunnableConfig) -> Any:
    return await call(input, run, config)


# A stream.

Transform = Callable[[Any, Any, RunnableConfig], Any]
"""Takes the items, the run, and what the runs below it inherit; returns an iterator of outputs."""


def transform_in_run(
    owner: Named,
    transform: Transform,
    items: Iterable[Any],
    config: RunnableConfig | None,
    run_type: str | None = None,
) -> Generator[Any, None, None]:
    """Yield what ``transform`` makes of ``items``, in a run of its own.

    The run begins after the first item has come, and its input and output are the sums of the
    chunks. Left early, it closes what makes its input first: runs end from the inside out. That is no
    error: its output is what was handed out.
    """
    given = InputIterator(items)
    try:
        given.begin()
        begun = RunStart(owner, config, run_type=run_type, defers_inputs=False)
        run = begun.run({"input": ""})
        sum = ChunkAccumulator() if run.handlers else None
        if sum is not None:
            given.keep()
        try:
            below = begun.child_config(run)
            context = context_for(below)
            outputs = context.run(transform, given, run, below)
            try:
                while (chunk := context.run(next, outputs, _END)) is not _END:
                    if sum is not None:
                        sum.add(chunk)
                        run.on_chain_chunk(chunk)
                    yield chunk
            finally:
                context.run(close_iterator, outputs)
                given.close()
            totals = _totals(sum, given)
        except BaseException as error:
            run.report_stop(error, _arrived(sum), inputs=given.arrived())
            raise
        if totals is not None:
            run.on_chain_end(totals[0], inputs=totals[1])
    finally:
        given.close()


async def atransform_in_run(
    owner: Named,
    transform: Transform,
    items: AsyncIterator[Any],
    config: RunnableConfig | None,
    run_type: str | None = None,
) -> AsyncGenerator[Any, None]:
    """Yield what ``transform`` makes of ``items``, in a run of its own; see :func:`transform_in_run`."""
    import asyncio

    given = AsyncInputIterator(items)
    try:
        await given.begin()
        begun = RunStart(owner, config, run_type=run_type, defers_inputs=False)
        run = await begun.arun({"input": ""})
        sum = ChunkAccumulator() if run.handlers else None
        if sum is not None:
            given.keep()
        try:
            below = begun.child_config(run)
            context = context_for(below)
            outputs = AsyncInputIterator(context.run(transform, given, run, below))
            try:
                while (chunk := await InContext(context, _next(outputs))) is not _END:
                    if sum is not None:
                        sum.add(chunk)
                        await run.on_chain_chunk(chunk)
                    try:
                        yield chunk
                    except asyncio.CancelledError as error:
                        outputs.thrown = error
            finally:
                await InContext(context, outputs.aclose())
                await given.aclose()
            totals = _totals(sum, given)
        except BaseException as error:
            await run.report_stop(error, _arrived(sum), inputs=given.arrived())
            raise
        if totals is not None:
            await run.on_chain_end(totals[0], inputs=totals[1])
    finally:
        await given.aclose()


async def _next(outputs: AsyncIterator[Any]) -> Any:
    return await anext(outputs, _END)


def _totals(sum: ChunkAccumulator | None, given: InputIterator | AsyncInputIterator) -> tuple[Any, Any] | None:
    """Return the output and the input of a run that ended well, where somebody hears of them."""
    return None if sum is None else (sum.total(), given.total())


def _arrived(sum: ChunkAccumulator | None) -> Any:
    return None if sum is None else sum.arrived()


def context_for(config: RunnableConfig) -> contextvars.Context:
    """Return a context in which ``config`` is what runs inherit."""
    context = contextvars.copy_context()
    context.run(var_child_runnable_config.set, config)
    return context


# A step that takes its whole input.


class _Streams(Protocol):
    """A Runnable."""

    def stream(self, input: Any, config: RunnableConfig | None = None, **kwargs: Any) -> Iterable[Any]: ...

    def astream(self, input: Any, config: RunnableConfig | None = None, **kwargs: Any) -> AsyncIterable[Any]: ...


def transform_buffered(
    step: _Streams, items: Iterable[Any], config: RunnableConfig | None, kwargs: dict[str, Any]
) -> Generator[Any, None, None]:
    """Yield what ``step`` streams for the sum of ``items``; nothing where there are none."""
    given = InputIterator(items)
    given.keep(adds_on=True)
    try:
        count = sum(1 for _ in given)
    finally:
        given.close()
    if not count:
        return
    outputs = iter(step.stream(given.total(), config, **kwargs))
    try:
        yield from outputs
    finally:
        close_iterator(outputs)


async def atransform_buffered(
    step: _Streams, items: AsyncIterator[Any], config: RunnableConfig | None, kwargs: dict[str, Any]
) -> AsyncGenerator[Any, None]:
    """Yield what ``step`` streams for the sum of ``items``; nothing where there are none."""
    import asyncio

    given = AsyncInputIterator(items)
    given.keep(adds_on=True)
    count = 0
    try:
        async for _ in given:
            count += 1
    finally:
        await given.aclose()
    if not count:
        return
    outputs = AsyncInputIterator(step.astream(given.total(), config, **kwargs))
    try:
        async for output in outputs:
            try:
                yield output
            except asyncio.CancelledError as error:
                outputs.thrown = error
    finally:
        await outputs.aclose()

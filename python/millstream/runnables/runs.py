"""Runs of chains, prompts, parsers and functions: start once, ended once, whichever way they are left."""

from __future__ import annotations

import contextvars
from collections.abc import AsyncGenerator, AsyncIterable, AsyncIterator, Callable, Generator, Iterable
from typing import TYPE_CHECKING, Any, Protocol

from .._context import InContext, var_child_runnable_config
from ..callbacks.chain_run_manager import AsyncCallbackManagerForChainRun, CallbackManagerForChainRun
from ..callbacks.dispatch import is_for_models
from ..callbacks.managers import CallbackManager
from ..streaming.accumulate import ChunkAccumulator
from ..streaming.inputs import Accumulating, AsyncInputIterator, InputIterator, aread_whole, close_iterator
from .config import RunnableConfig, child_config, ensure_config

if TYPE_CHECKING:
    from ..streaming.branches import SharedInput

__all__ = (
    "ChainRun",
    "RunStart",
    "acall_in_run",
    "atransform_buffered",
    "atransform_in_run",
    "call_in_run",
    "context_for",
    "transform_buffered",
    "transform_in_run",
)

_END: Any = object()

ChainRun = CallbackManagerForChainRun | AsyncCallbackManagerForChainRun
"""A run of a chain, a prompt, a parser or a function, of sync or of async code."""


class Named(Protocol):
    """A Runnable, as its runs see it."""

    def get_name(self) -> str:
        """Return the name of its runs, where a call gives no other."""


class RunStart:
    """A run that is about to start: its configuration, its manager, and the arguments of the handlers' start.

    ``config`` is complete: :func:`~.config.ensure_config` is called once for a run, where a user's call comes in.
    """

    def __init__(self, owner: Named, config: RunnableConfig, **start: Any) -> None:
        self.config = config
        self.manager = CallbackManager.configure(
            config["callbacks"], None, False, config["tags"], None, config["metadata"], None
        )
        if handlers := self.manager.handlers:
            # Child runs inherit them: what is notified of models alone leaves chains on their direct path.
            self.manager.handlers = [one for one in handlers if not is_for_models(one)]
        self.name: str = config.get("run_name") or owner.get_name()
        self._start = {**start, "name": self.name}

    def run(self, inputs: object, serialized: object = None) -> CallbackManagerForChainRun:
        """Start the run in sync code, and notify its handlers."""
        run = self.silent_run()
        if run.handlers:
            run.start(serialized, inputs, **self._start)
        return run

    def silent_run(self) -> CallbackManagerForChainRun:
        """Return the run without notifying a handler."""
        return CallbackManagerForChainRun.of(self.manager, self.config.get("run_id"))

    def silent_arun(self) -> AsyncCallbackManagerForChainRun:
        """Return the run of async code without notifying a handler."""
        return AsyncCallbackManagerForChainRun.of(self.manager, self.config.get("run_id"))

    async def arun(self, inputs: object, serialized: object = None) -> AsyncCallbackManagerForChainRun:
        """Start the run in async code, and notify its handlers."""
        run = self.silent_arun()
        if run.handlers:
            await run.start(serialized, inputs, **self._start)
        return run

    def child_config(self, run: ChainRun) -> RunnableConfig:
        """Return the configuration that the child runs of ``run`` inherit."""
        return child_config(self.config, run)


# A call.

Call = Callable[[Any, Any, RunnableConfig], Any]
"""Takes the input, the run, and the configuration of its child runs."""


def call_in_run(
    owner: Named,
    call: Call,
    input: object,
    config: RunnableConfig | None,
    *,
    run_type: str | None = None,
    reports_type: bool = True,
    serialized: object = None,
) -> Any:
    """Return ``call(input, run, config)``, called in its own run; runs that start in there are its children.

    ``reports_type`` says whether the handlers' start receives ``run_type``, as in LangChain.
    """
    start = RunStart(owner, ensure_config(config), **({"run_type": run_type} if reports_type else {}))
    run = start.run(input, serialized)
    try:
        child = start.child_config(run)
        output = context_for(child).run(call, input, run, child)
    except BaseException as error:
        run.report_stop(error)
        raise
    run.on_chain_end(output)
    return output


async def acall_in_run(
    owner: Named,
    call: Call,
    input: object,
    config: RunnableConfig | None,
    *,
    run_type: str | None = None,
    reports_type: bool = True,
    serialized: object = None,
) -> Any:
    """Return ``await call(input, run, config)``; see :func:`call_in_run`."""
    start = RunStart(owner, ensure_config(config), **({"run_type": run_type} if reports_type else {}))
    run = await start.arun(input, serialized)
    try:
        child = start.child_config(run)
        output = await InContext(context_for(child), _acall(call, input, run, child))
    except BaseException as error:
        await run.report_stop(error)
        raise
    await run.on_chain_end(output)
    return output


async def _acall(call: Call, input: object, run: ChainRun, config: RunnableConfig) -> Any:
    return await call(input, run, config)


# A stream.

Transform = Callable[[Any, Any, RunnableConfig], Any]
"""Takes the items, the run, and the configuration of its child runs; returns an iterator of outputs."""


def transform_in_run(
    owner: Named,
    transform: Transform,
    items: Iterable[Any],
    config: RunnableConfig | None,
    run_type: str | None = None,
    *,
    defers_inputs: bool = False,
    reports_chunks: bool = True,
) -> Generator[Any, None, None]:
    """Yield the outputs of ``transform`` for ``items``, in a run of its own.

    The run starts after the first item has arrived; its input and output are the sums of the chunks, which are reported
    to stream events if it ``reports_chunks``. If the consumer leaves early, the producer of the input is closed first,
    so that runs end from the inside out. Leaving is no error: the run's output is the sum of the chunks so far.
    """
    input = InputIterator(items)
    try:
        input.read_first()
        start = RunStart(owner, ensure_config(config), run_type=run_type, defers_inputs=defers_inputs)
        run = start.run({"input": ""})
        sum = ChunkAccumulator() if run.handlers else None
        if sum is not None:
            input.accumulate()
        try:
            child = start.child_config(run)
            context = context_for(child)
            outputs = context.run(transform, input, run, child)
            try:
                while (chunk := context.run(next, outputs, _END)) is not _END:
                    if sum is not None:
                        sum.add(chunk)
                        if reports_chunks:
                            run.on_chain_chunk(chunk)
                    yield chunk
            finally:
                context.run(close_iterator, outputs)
                input.close()
            totals = _totals(sum, input)
        except BaseException as error:
            run.report_stop(error, _partial(sum), inputs=input.partial())
            raise
        if totals is not None:
            run.on_chain_end(totals[0], inputs=totals[1])
    finally:
        input.close()


async def atransform_in_run(
    owner: Named,
    transform: Transform,
    items: AsyncIterator[Any],
    config: RunnableConfig | None,
    run_type: str | None = None,
    *,
    defers_inputs: bool = False,
    input: AsyncInputIterator | SharedInput | None = None,
    reports_chunks: bool = True,
) -> AsyncGenerator[Any, None]:
    """Yield the outputs of ``transform`` for ``items``, in a run of its own; see :func:`transform_in_run`.

    ``input`` is what reads ``items``, where branches share them.
    """
    import asyncio

    input = input or AsyncInputIterator(items)
    try:
        await input.read_first()
        start = RunStart(owner, ensure_config(config), run_type=run_type, defers_inputs=defers_inputs)
        try:
            run = await start.arun({"input": ""})
        except asyncio.CancelledError as error:
            await input.throw(error)
            raise
        sum = ChunkAccumulator() if run.handlers else None
        if sum is not None:
            input.accumulate()
        try:
            child = start.child_config(run)
            context = context_for(child)
            outputs = AsyncInputIterator(context.run(transform, input, run, child))
            try:
                while (chunk := await InContext(context, _next(outputs))) is not _END:
                    # A scope that ``outputs`` has open across its yield cancels this task wherever it waits.
                    if sum is not None:
                        sum.add(chunk)
                    if sum is not None and reports_chunks:
                        try:
                            await run.on_chain_chunk(chunk)
                        except asyncio.CancelledError as error:
                            outputs.thrown = error
                    try:
                        yield chunk
                    except asyncio.CancelledError as error:
                        outputs.thrown = error
            finally:
                await InContext(context, outputs.aclose())
                await input.aclose()
            totals = _totals(sum, input)
        except BaseException as error:
            await run.report_stop(error, _partial(sum), inputs=input.partial())
            raise
        if totals is not None:
            await run.on_chain_end(totals[0], inputs=totals[1])
    finally:
        await input.aclose()


async def _next(outputs: AsyncIterator[Any]) -> Any:
    return await anext(outputs, _END)


def _totals(sum: ChunkAccumulator | None, input: Accumulating) -> tuple[Any, Any] | None:
    """Return the output and the input of a run that ended well, if its handlers are notified of them."""
    return None if sum is None else (sum.total(), input.total())


def _partial(sum: ChunkAccumulator | None) -> Any:
    return None if sum is None else sum.partial()


def context_for(config: RunnableConfig) -> contextvars.Context:
    """Return a context in which new runs inherit ``config``."""
    context = contextvars.copy_context()
    context.run(var_child_runnable_config.set, config)
    return context


# A step that takes its whole input.


class _Streams(Protocol):
    """A Runnable."""

    def stream(self, input: Any, config: RunnableConfig | None = None, **kwargs: Any) -> Iterable[Any]: ...


def transform_buffered(
    step: _Streams, items: Iterable[Any], config: RunnableConfig | None, kwargs: dict[str, Any]
) -> Generator[Any, None, None]:
    """Yield what ``step`` streams for the sum of ``items``; nothing where there are none."""
    input = InputIterator(items)
    input.accumulate(adds_on=True)
    try:
        count = sum(1 for _ in input)
    finally:
        input.close()
    if not count:
        return
    outputs = iter(step.stream(input.total(), config, **kwargs))
    try:
        yield from outputs
    finally:
        close_iterator(outputs)


async def atransform_buffered(
    stream: Callable[[Any], AsyncIterable[Any]], items: AsyncIterator[Any]
) -> AsyncGenerator[Any, None]:
    """Yield the items of ``stream(sum)`` for the sum of ``items``; nothing where there are none."""
    import asyncio

    for input in await aread_whole(items):
        outputs = AsyncInputIterator(stream(input))
        try:
            async for output in outputs:
                try:
                    yield output
                except asyncio.CancelledError as error:
                    outputs.thrown = error
        finally:
            await outputs.aclose()

"""Batches with a run for each input: of a sequence, step by step, and of what calls its steps again."""

from __future__ import annotations

import time
from abc import ABC, abstractmethod
from collections.abc import Awaitable, Callable, Iterable, Iterator, Sequence
from functools import partial
from typing import Any, Protocol

from .config import RunnableConfig, batch_configs, child_config
from .fusion.calls import OwnStep
from .runs import Named, RunStart

__all__ = ("Call", "RunBatch", "SequenceBatch", "abatch_in_runs", "batch_in_runs")

Call = tuple[Any, list[Any], list[RunnableConfig], dict[str, Any]]
"""A step, its inputs, their configurations, and further arguments."""


class _Steps(Named, Protocol):
    @property
    def steps(self) -> Sequence[Any]: ...
    @property
    def _step_calls(self) -> Sequence[Callable[[Any], Any] | None] | None: ...


class RunBatch(ABC):
    """The calls of one batch that has a run for each input, and the outputs so far.

    A subclass says which batches of which steps are called, for the inputs that are ``left``; see
    :func:`batch_in_runs`. With ``return_exceptions`` an exception stands in its output's place.
    """

    steps_return_exceptions = True
    # The seconds to wait before the next call.
    wait = 0.0

    def __init__(
        self,
        owner: Named,
        inputs: Sequence[Any],
        config: Any,
        kwargs: dict[str, Any],
        *,
        return_exceptions: bool,
        **start: Any,
    ) -> None:
        self.inputs = inputs
        self.starts = [RunStart(owner, one, **start) for one in batch_configs(inputs, config)[0]]
        self.runs: list[Any] = []
        self.return_exceptions = return_exceptions
        self._values = list(inputs)
        self._kwargs = kwargs
        self._left = list(range(len(inputs)))
        self._ended: set[int] = set()

    @abstractmethod
    def calls(self) -> Iterator[Call]:
        """Yield the calls; the outputs of each must be passed to :meth:`take` before the next."""

    def take(self, outputs: Sequence[Any]) -> Sequence[tuple[Any, Any]]:
        """Take the outputs of a call; return the runs that have ended with it, and their outputs: by default none."""
        for i, output in zip(self._left, outputs, strict=True):
            self._values[i] = output
        return ()

    def shown_inputs(self) -> Sequence[Any]:
        """Return the inputs that handlers receive in sync code."""
        return self.inputs

    def open_runs(self) -> list[Any]:
        """Return the runs that have not ended."""
        return [run for i, run in enumerate(self.runs) if i not in self._ended]

    def ends(self) -> Iterator[tuple[Any, Any]]:
        """Yield each run that has not ended, with its output, or its exception."""
        for i, run in enumerate(self.runs):
            if i not in self._ended:
                yield run, self._values[i]

    def result(self) -> list[Any]:
        """Return the outputs; an exception among them is raised, unless ``return_exceptions`` is set."""
        values = self._values
        failure = next((value for value in values if isinstance(value, Exception)), None)
        self.release()
        try:
            if failure is not None and not self.return_exceptions:
                raise failure
            return values
        finally:
            # A traceback keeps this frame, which would keep the exceptions in it.
            del values, failure

    def failed(self, error: BaseException) -> list[Any]:
        """Return ``error`` for each input if ``return_exceptions`` is set; raise it otherwise."""
        self.release()
        try:
            if self.return_exceptions and isinstance(error, Exception):
                return [error for _ in self.inputs]
            raise error
        finally:
            del error

    def release(self) -> None:
        """Drop the outputs: the frames of exceptions among them refer to this batch."""
        self._values = []

    def _configs(self, tag: str | None) -> list[RunnableConfig]:
        """Return the configurations of the child runs for the inputs that are left."""
        return [child_config(self.starts[i].config, self.runs[i], tag) for i in self._left]


class SequenceBatch(RunBatch):
    """The calls of one batch of a sequence; an input that failed in one step does not go through the next."""

    def __init__(
        self,
        sequence: _Steps,
        inputs: Sequence[Any],
        config: Any,
        kwargs: dict[str, Any],
        *,
        return_exceptions: bool,
    ) -> None:
        super().__init__(sequence, inputs, config, kwargs, return_exceptions=return_exceptions)
        self.steps_return_exceptions = return_exceptions
        self._steps = sequence.steps
        self._functions = sequence._step_calls or [None for _ in self._steps]

    def calls(self) -> Iterator[Call]:
        """Yield the call of each step."""
        kwargs, is_silent = self._kwargs, not any(run.handlers for run in self.runs)
        for place, (step, function) in enumerate(zip(self._steps, self._functions, strict=True), 1):
            if not self._left:
                return
            values, make_configs = [self._values[i] for i in self._left], partial(self._configs, f"seq:step:{place}")
            if function is not None and is_silent and not kwargs:
                yield OwnStep(step, function, make_configs), values, [], kwargs
            else:
                yield step, values, make_configs(), kwargs
            kwargs = {}

    def take(self, outputs: Sequence[Any]) -> Sequence[tuple[Any, Any]]:
        """Take the outputs of a step; no run has ended."""
        ended = super().take(outputs)
        if self.return_exceptions:
            self._left = [i for i in self._left if not isinstance(self._values[i], Exception)]
        return ended


def batch_in_runs(batch: RunBatch) -> list[Any]:
    """Return the outputs of ``batch``, for sync code; each input has a run of its own."""
    outputs: Any = None
    try:
        try:
            for start, input in zip(batch.starts, batch.shown_inputs(), strict=True):
                batch.runs.append(start.run(input))
            for step, values, configs, kwargs in batch.calls():
                if batch.wait:
                    time.sleep(batch.wait)
                outputs = step.batch(values, configs, return_exceptions=batch.steps_return_exceptions, **kwargs)
                _call_all(partial(run.on_chain_end, output) for run, output in batch.take(outputs))
        except BaseException as error:
            _call_all(partial(run.report_stop, error) for run in batch.open_runs())
            return batch.failed(error)
        _call_all(partial(_end, run, output) for run, output in batch.ends())
        return batch.result()
    finally:
        # A traceback keeps this frame, which would keep the exceptions in it.
        del outputs


async def abatch_in_runs(batch: RunBatch) -> list[Any]:
    """Return the outputs of ``batch``, for async code; each input has a run of its own."""
    import asyncio

    outputs: Any = None
    try:
        try:
            for start, input in zip(batch.starts, batch.inputs, strict=True):
                batch.runs.append(await start.arun(input))
            for step, values, configs, kwargs in batch.calls():
                if batch.wait:
                    await asyncio.sleep(batch.wait)
                outputs = await step.abatch(values, configs, return_exceptions=batch.steps_return_exceptions, **kwargs)
                await _await_all(run.on_chain_end(output) for run, output in batch.take(outputs))
        except BaseException as error:
            await _await_all(run.report_stop(error) for run in batch.open_runs())
            return batch.failed(error)
        await _await_all(_end(run, output) for run, output in batch.ends())
        return batch.result()
    finally:
        # A traceback keeps this frame, which would keep the exceptions in it.
        del outputs


def _end(run: Any, output: object) -> Any:
    return run.on_chain_error(output) if isinstance(output, Exception) else run.on_chain_end(output)


def _call_all(ends: Iterable[Callable[[], Any]]) -> None:
    """End each run, also if the end of another one raises; raise the first exception when all have ended."""
    failure: BaseException | None = None
    for end in ends:
        try:
            end()
        except BaseException as error:
            failure = failure or error
    try:
        if failure is not None:
            raise failure
    finally:
        del failure


async def _await_all(ends: Iterable[Awaitable[Any]]) -> None:
    """End each run, also if the task is cancelled meanwhile; see :func:`_call_all`."""
    failure: BaseException | None = None
    for end in ends:
        try:
            await end
        except BaseException as error:
            failure = failure or error
    try:
        if failure is not None:
            raise failure
    finally:
        del failure

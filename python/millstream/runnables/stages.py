"""Stages: steps of a chain that transform a stream synchronously, in our own code."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import AsyncGenerator, AsyncIterator, Generator, Iterable, Iterator
from typing import TYPE_CHECKING, Any, ClassVar

from ..streaming.protocols import Stage
from ..streaming.stream import AsyncStream, Stream
from .config import RunnableConfig
from .runnable import Input, Output, Runnable
from .runs import atransform_in_run, transform_in_run

if TYPE_CHECKING:
    from ..streaming.inputs import AsyncInputIterator

__all__ = ("Stage", "arun_stage", "run_stage")


def run_stage(stage: Stage[Any, Any], items: Iterable[Any]) -> Generator[Any, None, None]:
    """Yield the outputs of ``stage`` for ``items``, for sync code."""
    for item in items:
        yield from stage.feed(item)
    yield from stage.close()


async def arun_stage(stage: Stage[Any, Any], items: AsyncInputIterator) -> AsyncGenerator[Any, None]:
    """Yield the outputs of ``stage`` for ``items``, for async code."""
    import asyncio

    async for item in items:
        for output in stage.feed(item):
            try:
                yield output
            except asyncio.CancelledError as error:
                items.thrown = error
    for output in stage.close():
        yield output


class StageRunnable(Runnable[Input, Output]):
    """A Runnable that transforms a stream by a :class:`~millstream.runnables.stages.Stage`, in a run of its own.

    A subclass writes ``invoke`` and ``_as_stage``; ``run_type`` is what events call its runs.
    """

    run_type: ClassVar[str] = "parser"

    @property
    def _given_type(self) -> str | None:
        """The type that handlers receive with the start of a run: none for the type that all runs have by default."""
        return None if self.run_type == "chain" else self.run_type

    @abstractmethod
    def _as_stage(self) -> Stage[Any, Any]:
        """Return a new stage, for one stream."""

    def transform(self, input: Iterator[Input], config: RunnableConfig | None = None, **kwargs: Any) -> Stream[Output]:
        """Stream the outputs of each chunk of the input, as it arrives."""
        return Stream(transform_in_run(self, self._run_stage, input, config, self._given_type))

    def atransform(
        self, input: AsyncIterator[Input], config: RunnableConfig | None = None, **kwargs: Any
    ) -> AsyncStream[Output]:
        """Stream the outputs of each chunk of the input, as it arrives; without a hop to a thread."""
        return AsyncStream(atransform_in_run(self, self._arun_stage, input, config, self._given_type))

    def _run_stage(self, items: Iterable[Any], *_: object) -> Iterator[Any]:
        return run_stage(self._as_stage(), items)

    def _arun_stage(self, items: AsyncInputIterator, *_: object) -> AsyncIterator[Any]:
        return arun_stage(self._as_stage(), items)

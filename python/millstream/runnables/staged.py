"""Steps whose transformation is a stage: parsers, and what else reads a stream chunk by chunk."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import AsyncIterator, Iterator
from typing import Any, ClassVar

from ..streaming.protocols import Stage
from ..streaming.stream import AsyncStream, Stream
from .base import Input, Output, Runnable
from .chain_runs import atransformed, transformed
from .config import RunnableConfig
from .stages import astaged, staged

__all__ = ("StagedRunnable",)


class StagedRunnable(Runnable[Input, Output]):
    """A Runnable that transforms a stream by a :class:`~millstream.runnables.stages.Stage`, in a run of its own.

    A subclass writes ``invoke`` and ``_stage``; ``run_type`` is what events call its runs.
    """

    run_type: ClassVar[str] = "parser"

    @abstractmethod
    def _stage(self) -> Stage[Any, Any]:
        """Return a new stage, for one stream."""

    def transform(self, input: Iterator[Input], config: RunnableConfig | None = None, **kwargs: Any) -> Stream[Output]:
        """Stream what each chunk of the input brings, as it comes."""
        return Stream(transformed(self, lambda items, *_: staged(self._stage(), items), input, config, self.run_type))

    def atransform(
        self, input: AsyncIterator[Input], config: RunnableConfig | None = None, **kwargs: Any
    ) -> AsyncStream[Output]:
        """Stream what each chunk of the input brings, as it comes; without a hop to a thread."""
        return AsyncStream(
            atransformed(self, lambda items, *_: astaged(self._stage(), items), input, config, self.run_type)
        )

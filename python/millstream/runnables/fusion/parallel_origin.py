"""Branches as the origin of a fused chain: each in a worker of its own, their chunks straight to the consumer."""

from __future__ import annotations

from collections.abc import Callable, Generator, Iterator, Mapping
from typing import TYPE_CHECKING, Any, Self

from ...streaming.branches import Arrange, TaskBranches, ThreadBranches
from ...streaming.isolation import PassThrough
from ...streaming.replay import WholeInput
from ..config import RunnableConfig
from ..runs import RunStart
from .origins import OriginOfRuns

if TYPE_CHECKING:
    from ..runs import Named

__all__ = ("ParallelOrigin",)

Transforms = Mapping[str, Callable[[Any], Any]]


class ParallelOrigin(OriginOfRuns):
    """The branches of a Runnable: ``branches`` returns them for a run, for sync or for async code.

    With ``run_in_turn`` they take turns in sync code, without threads.
    """

    takes_chunks = True

    def __init__(
        self,
        owner: Named,
        branches: Callable[[Any, RunnableConfig, bool], Transforms],
        make_arrange: Callable[[], Arrange],
        run_in_turn: Callable[[Transforms, Any, Arrange], Generator[Any, None, None]] | None = None,
    ) -> None:
        self._owner = owner
        self._branches = branches
        self._make_arrange = make_arrange
        self._run_in_turn = run_in_turn

    def chunks(
        self, value: Any, kwargs: dict[str, Any], make_config: Callable[[], RunnableConfig], *, for_async: bool
    ) -> tuple[Any, Any]:
        """Return the source and the processor of the chunks."""
        start = RunStart(self._owner, make_config())
        run = start.silent_run()
        branches = self._branches(run, start.child_config(run), for_async)
        arrange = self._make_arrange()
        if self._run_in_turn is not None and not for_async:
            return _TurnSource(self._run_in_turn(branches, WholeInput(value), arrange)), PassThrough()
        return _BranchSource(branches, value, arrange), PassThrough()


class _TurnSource:
    """The source and the body of branches that take turns, for sync code."""

    def __init__(self, outputs: Generator[Any, None, None]) -> None:
        self._outputs = outputs

    def open(self) -> Self:
        return self

    def __iter__(self) -> Iterator[list[Any]]:
        return ([output] for output in self._outputs)

    def drain(self) -> None:
        pass

    def close(self) -> None:
        self._outputs.close()


class _BranchSource:
    """The source whose bodies are the branches."""

    def __init__(self, branches: Transforms, value: Any, arrange: Arrange) -> None:
        self._branches = branches
        self._input = WholeInput(value)
        self._arrange = arrange

    def open(self) -> ThreadBranches:
        """Return the branches in threads."""
        return ThreadBranches(self._branches, self._input, self._arrange)

    async def aopen(self) -> TaskBranches:
        """Return the branches in tasks."""
        return TaskBranches(self._branches, self._input, self._arrange)

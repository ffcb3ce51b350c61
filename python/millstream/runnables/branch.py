"""``RunnableBranch``: the first Runnable whose condition is true."""

from __future__ import annotations

from collections.abc import AsyncIterable, Callable, Iterator, Mapping, Sequence
from functools import partial
from typing import Any, cast

from .._fields import Fields
from ..streaming.isolation import isolated_stream
from ..streaming.stream import AsyncStream, Stream
from .coercion import coerce_to_runnable
from .config import RunnableConfig, child_config
from .foreign import is_foreign
from .nodes import BranchNode, Composition
from .runnable import Input, Output, Runnable
from .runs import ChainRun, acall_in_run, call_in_run
from .serializable import RunnableSerializable
from .stream_runs import astream_in_run, stream_in_run
from .types_of import TypesOfBranch

__all__ = ("RunnableBranch",)

Pair = tuple[Runnable[Any, Any], Runnable[Any, Any]]


class RunnableBranch(TypesOfBranch[Input, Output], RunnableSerializable[Input, Output]):
    """Calls the first Runnable whose condition is true for the input; the last argument is called where none is.

    Conditions and branches may be functions or dicts too. The runs of conditions are tagged ``condition:<number>``,
    those of branches ``branch:<number>`` or ``branch:default``. ::

        branch = RunnableBranch((lambda text: "?" in text, answer_chain), chat_chain)

    Raises :class:`ValueError` for fewer than two branches, or a branch that is not a pair; :class:`TypeError`
    for what is no branch.
    """

    branches: Sequence[Pair]
    default: Runnable[Input, Output]

    def __init__(self: RunnableBranch[Any, Any], *branches: Any) -> None:
        if len(branches) < 2:
            raise ValueError("RunnableBranch requires at least two branches")
        *conditional, default = branches
        if not (isinstance(default, Runnable | Callable | Mapping) or is_foreign(default)):
            raise TypeError("RunnableBranch default must be Runnable, callable or mapping.")
        Fields.__init__(self, branches=[_pair(branch) for branch in conditional], default=coerce_to_runnable(default))

    def _as_composition(self) -> Composition | None:
        conditions = [(f"condition:{place}", condition) for place, (condition, _) in enumerate(self.branches, 1)]
        steps = [(f"branch:{place}", runnable) for place, (_, runnable) in enumerate(self.branches, 1)]
        steps.append(("branch:default", self.default))
        return Composition(steps, BranchNode, is_whole=True, conditions=conditions)

    def invoke(self, input: Input, config: RunnableConfig | None = None, **kwargs: Any) -> Output:
        """Return the output of the first branch whose condition is true."""
        return cast("Output", call_in_run(self, partial(self._call, kwargs), input, config, reports_type=False))

    def _call(self, kwargs: dict[str, Any], input: Any, run: ChainRun, config: RunnableConfig) -> Any:
        runnable, chosen = self._choose(input, run, config)
        return runnable.invoke(input, chosen, **kwargs)

    async def ainvoke(self, input: Input, config: RunnableConfig | None = None, **kwargs: Any) -> Output:
        """Return the output of the first branch whose condition is true."""
        return cast("Output", await acall_in_run(self, partial(self._acall, kwargs), input, config, reports_type=False))

    async def _acall(self, kwargs: dict[str, Any], input: Any, run: ChainRun, config: RunnableConfig) -> Any:
        runnable, chosen = await self._achoose(input, run, config)
        return await runnable.ainvoke(input, chosen, **kwargs)

    def stream(self, input: Input, config: RunnableConfig | None = None, **kwargs: Any) -> Stream[Output]:
        """Stream the output of the first branch whose condition is true."""
        return Stream(stream_in_run(self, partial(self._stream, kwargs), input, config))

    def _stream(self, kwargs: dict[str, Any], input: object, run: ChainRun, config: RunnableConfig) -> Any:
        runnable, chosen = self._choose(input, run, config)
        return runnable.stream(input, chosen, **kwargs)

    def astream(self, input: Input, config: RunnableConfig | None = None, **kwargs: Any) -> AsyncStream[Output]:
        """Stream the output of the first branch whose condition is true."""
        return isolated_stream(lambda: self._astream_inline(input, config, kwargs))

    def _astream_inline(
        self, input: Input, config: RunnableConfig | None, kwargs: dict[str, Any]
    ) -> AsyncIterable[Output]:
        return astream_in_run(self, partial(self._astream, kwargs), input, config)

    async def _astream(self, kwargs: dict[str, Any], input: Any, run: ChainRun, config: RunnableConfig) -> Any:
        runnable, chosen = await self._achoose(input, run, config)
        return runnable._astream_inline(input, chosen, kwargs)

    def _choose(
        self, input: object, run: ChainRun, config: RunnableConfig
    ) -> tuple[Runnable[Any, Any], RunnableConfig]:
        """Return the Runnable to call, with its configuration."""
        for condition, given, runnable, chosen in self._candidates(run, config):
            if condition is None or condition.invoke(input, given):
                return runnable, chosen
        raise AssertionError("the default has no condition")

    async def _achoose(
        self, input: object, run: ChainRun, config: RunnableConfig
    ) -> tuple[Runnable[Any, Any], RunnableConfig]:
        """Return the Runnable to call, with its configuration."""
        for condition, given, runnable, chosen in self._candidates(run, config):
            if condition is None or await condition.ainvoke(input, given):
                return runnable, chosen
        raise AssertionError("the default has no condition")

    def _candidates(self, run: ChainRun, config: RunnableConfig) -> Iterator[tuple[Any, Any, Any, Any]]:
        """Yield each condition and each branch with their configurations; the default is last, and has no condition."""
        for place, (condition, runnable) in enumerate(self.branches, 1):
            given = child_config(config, run, f"condition:{place}")
            yield condition, given, runnable, child_config(config, run, f"branch:{place}")
        yield None, None, self.default, child_config(config, run, "branch:default")


def _pair(branch: object) -> Pair:
    if not isinstance(branch, tuple | list):
        raise TypeError(f"RunnableBranch branches must be tuples or lists, not {type(branch)}")
    if len(branch) != 2:
        raise ValueError(f"RunnableBranch branches must be tuples or lists of length 2, not {len(branch)}")
    condition, runnable = branch
    return coerce_to_runnable(condition), coerce_to_runnable(runnable)

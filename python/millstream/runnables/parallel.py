"""``RunnableParallel``: Runnables that all take the same input, and whose outputs are one dict."""

from __future__ import annotations

from collections.abc import AsyncGenerator, AsyncIterable, AsyncIterator, Callable, Iterator, Mapping
from functools import cached_property, partial
from typing import TYPE_CHECKING, Any

from .._context import InContext
from .._fields import Fields
from ..streaming.accumulate import AddableDict
from ..streaming.branches import amerge, merge, share_input
from ..streaming.stream import Stream
from .coercion import coerce_to_runnable
from .concurrent_calls import arun_all, run_all
from .config import RunnableConfig, child_config
from .copying import state_without_caches
from .function_source import indent_lines_after_first
from .fusion.calls import build_call
from .fusion.parallel_origin import ParallelOrigin
from .in_turn import arun_in_turn, run_in_turn, runs_in_turn
from .nodes import Composition, ParallelNode
from .runnable import Input, Runnable
from .runs import ChainRun, acall_in_run, atransform_in_run, call_in_run, context_for, transform_in_run
from .serializable import RunnableSerializable
from .transforming import Transforming

if TYPE_CHECKING:
    from .origin import Origin
from .types_of import TypesOfParallel

__all__ = ("RunnableMap", "RunnableParallel")


class RunnableParallel(
    TypesOfParallel[Input, dict[str, Any]],
    Transforming[Input, dict[str, Any]],
    RunnableSerializable[Input, dict[str, Any]],
):
    """Runnables that all take the same input; the output is a dict of their outputs.

    A dict of steps in a chain becomes one. Its steps run at the same time, in threads for sync code and in tasks for
    async code; steps of our own that only transform their input run one after the other. A stream yields
    ``{key: chunk}`` for each chunk of a step, as it comes. The first step that fails stops the others. ::

        chain = {"context": retriever, "question": RunnablePassthrough()} | prompt | llm

    The steps' runs are children of its own, tagged ``map:key:<key>``.
    """

    steps__: Mapping[str, Runnable[Input, Any]]

    def __init__(self: RunnableParallel[Any], steps__: Mapping[str, Any] | None = None, **kwargs: Any) -> None:
        Fields.__init__(
            self, steps__={key: coerce_to_runnable(step) for key, step in {**(steps__ or {}), **kwargs}.items()}
        )

    __getstate__ = state_without_caches

    def get_name(self, suffix: str | None = None, *, name: str | None = None) -> str:
        """Return ``name``, or the name of the class with the keys."""
        return super().get_name(suffix, name=name or self.name or f"RunnableParallel<{','.join(self.steps__)}>")

    def __repr__(self) -> str:
        """Show the steps, one a line."""
        shown = (f"{key}: {indent_lines_after_first(repr(step), f'  {key}: ')}" for key, step in self.steps__.items())
        return "{\n  " + ",\n  ".join(shown) + "\n}"

    def _as_composition(self) -> Composition | None:
        steps = self.steps__
        return Composition([(f"map:key:{key}", step) for key, step in steps.items()], partial(ParallelNode, [*steps]))

    def _as_call(self) -> Callable[[Any], Any] | None:
        calls = {key: call for key, step in self.steps__.items() if (call := build_call(step)) is not None}
        return partial(_call_each, calls) if len(calls) == len(self.steps__) else None

    # Calling.

    def invoke(self, input: Input, config: RunnableConfig | None = None, **kwargs: Any) -> dict[str, Any]:
        """Return the outputs of all steps for ``input``; at most ``max_concurrency`` run at the same time."""
        output: dict[str, Any] = call_in_run(self, self._call, input, config, reports_type=False)
        return output

    def _call(self, input: Any, run: ChainRun, config: RunnableConfig) -> dict[str, Any]:
        configs = self._configs(run, config)
        calls = [partial(_invoke, step, input, configs[key]) for key, step in self.steps__.items()]
        if self._waiting < 2:
            return {key: call() for key, call in zip(configs, calls, strict=True)}
        return dict(zip(configs, run_all(calls, config.get("max_concurrency")), strict=True))

    async def ainvoke(self, input: Input, config: RunnableConfig | None = None, **kwargs: Any) -> dict[str, Any]:
        """Return the outputs of all steps for ``input``."""
        output: dict[str, Any] = await acall_in_run(self, self._acall, input, config, reports_type=False)
        return output

    async def _acall(self, input: Any, run: ChainRun, config: RunnableConfig) -> dict[str, Any]:
        configs = self._configs(run, config)
        calls = [partial(_ainvoke, step, input, configs[key]) for key, step in self.steps__.items()]
        if self._waiting < 2:
            return {key: await call() for key, call in zip(configs, calls, strict=True)}
        return dict(zip(configs, await arun_all(calls), strict=True))

    # Streaming.

    def transform(
        self, input: Iterator[Input], config: RunnableConfig | None = None, **kwargs: Any
    ) -> Stream[dict[str, Any]]:
        """Stream ``{key: chunk}`` for each chunk of a step, as it comes."""
        return Stream(transform_in_run(self, self._transform, input, config))

    def _transform(self, items: Any, run: ChainRun, config: RunnableConfig) -> Iterator[Any]:
        in_turn = self._in_turn or (self._waiting < 2 and items.whole is not None)
        return (run_in_turn if in_turn else merge)(self._branches(run, config, False), items, _wrap_in_key)

    def _atransform_here(
        self, items: AsyncIterator[Input], config: RunnableConfig | None, kwargs: dict[str, Any]
    ) -> AsyncGenerator[dict[str, Any], None]:
        shared = share_input(items, 1 if self._in_turn else len(self.steps__))
        return atransform_in_run(self, self._atransform, items, config, input=shared)

    def _atransform(self, items: Any, run: ChainRun, config: RunnableConfig) -> AsyncIterator[Any]:
        return (arun_in_turn if self._in_turn else amerge)(self._branches(run, config, True), items, _wrap_in_key)

    def _branches(self, run: ChainRun, config: RunnableConfig, for_async: bool) -> dict[str, Callable[[Any], Any]]:
        """Return the steps as functions of their inputs, in streams of ``run``; those that never wait first."""
        configs, transform = self._configs(run, config), _atransform if for_async else _transform
        return {key: partial(transform, self.steps__[key], configs[key]) for key in self._order}

    @cached_property
    def _waiting(self) -> int:
        """How many steps may wait for more than their input: none of our own parts does."""
        return sum(not runs_in_turn(step) for step in self.steps__.values())

    @cached_property
    def _order(self) -> list[str]:
        """The keys, those of steps that may wait for more than their input last."""
        return sorted(self.steps__, key=lambda key: not runs_in_turn(self.steps__[key]))

    @cached_property
    def _in_turn(self) -> bool:
        """Whether the steps run one after the other: each only waits for the input, or there is but one."""
        return len(self.steps__) < 2 or not self._waiting

    def _has_own_tasks(self) -> bool:
        return not self._in_turn

    def _as_origin(self) -> Origin | None:
        """Return the steps as the origin of a chain, if they run at the same time."""
        if self._in_turn or type(self) is not RunnableParallel:
            return None
        return ParallelOrigin(self, self._branches, lambda: _wrap_in_key, run_in_turn if self._waiting < 2 else None)

    def _configs(self, run: ChainRun, config: RunnableConfig) -> dict[str, RunnableConfig]:
        return {key: child_config(config, run, f"map:key:{key}") for key in self.steps__}


RunnableMap = RunnableParallel


def _call_each(calls: Mapping[str, Callable[[Any], Any]], input: object) -> dict[str, Any]:
    return {key: call(input) for key, call in calls.items()}


def _invoke(step: Runnable[Any, Any], input: object, config: RunnableConfig) -> Any:
    return context_for(config).run(step.invoke, input, config)


async def _ainvoke(step: Runnable[Any, Any], input: object, config: RunnableConfig) -> Any:
    return await InContext(context_for(config), step.ainvoke(input, config))


def _transform(step: Runnable[Any, Any], config: RunnableConfig, items: Iterator[Any]) -> Any:
    return step.transform(items, config)


def _atransform(step: Runnable[Any, Any], config: RunnableConfig, items: AsyncIterator[Any]) -> AsyncIterable[Any]:
    return step._atransform_inline(items, config, {})


def _wrap_in_key(key: str, outputs: list[Any], ended: bool) -> list[AddableDict]:
    return [AddableDict({key: output}) for output in outputs]

"""The steps before the origin of a fused chain, where users' code is among them: they make the origin's input."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any

from ..._context import var_child_runnable_config
from ...streaming.inputs import aread_whole, read_whole
from ...streaming.replay import WholeInput
from ..config import RunnableConfig, ensure_config
from ..runs import RunStart, context_for
from .plan import find_hook

if TYPE_CHECKING:
    from ..event_stream import EventProducer
    from .plan import Step

__all__ = ("Preparation",)


class Preparation:
    """Streams through the steps, of which no handler is notified, and adds up the chunks of the last one.

    Last steps that are functions of ours, such as prompts, are called with the sum, and have no runs. The runs that
    users' code starts are children of the chain's run.
    """

    def __init__(
        self, chain: EventProducer, steps: Sequence[Step], config: RunnableConfig | None, kwargs: dict[str, Any]
    ) -> None:
        self._steps = list(steps)
        self._functions: list[Callable[[Any], Any]] = []
        while (function := find_hook(self._steps[-1].runnable, "_as_function")) is not None:
            self._functions.insert(0, function)
            self._steps.pop()
        self._kwargs = kwargs
        self._start = RunStart(chain, ensure_config(config))
        self._run = self._start.silent_run()

    def run(self, input: object) -> tuple[Any, ...]:
        """Return the origin's input; nothing where a step yields nothing."""
        return context_for(self._start.child_config(self._run)).run(self._stream, input)

    def _stream(self, input: object) -> tuple[Any, ...]:
        items: Any = WholeInput(input)
        kwargs = self._kwargs
        for step in self._steps:
            items = step.runnable.transform(items, self._child_config(step), **{**step.kwargs, **kwargs})
            kwargs = {}
        return tuple(map(self._finish, read_whole(items)))

    async def arun(self, input: object) -> tuple[Any, ...]:
        """Return the origin's input, as :meth:`run` does; to be awaited in a task of its own."""
        var_child_runnable_config.set(self._start.child_config(self._run))
        items: Any = WholeInput(input)
        kwargs = self._kwargs
        for step in self._steps:
            items = step.runnable._atransform_inline(items, self._child_config(step), {**step.kwargs, **kwargs})
            kwargs = {}
        return tuple(map(self._finish, await aread_whole(items)))

    def _finish(self, value: object) -> Any:
        for function in self._functions:
            value = function(value)
        return value

    def _child_config(self, step: Step) -> RunnableConfig:
        return step.child_config(self._start.config, self._run)

"""Calls of a sequence of which no handler is notified: our own steps are functions, and have no runs.

A Runnable says by the private hook ``_as_call()`` what its ``invoke`` returns for an input, if that is our own code
alone and waits for nothing. All other steps are invoked, with a configuration and a context of their own: users' code
starts runs in there, and these are child runs of the sequence's.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Sequence
from typing import TYPE_CHECKING, Any

from ..._context import InContext
from ..config import RunnableConfig, child_config
from ..runs import context_for
from .plan import find_hook, unbind_step

if TYPE_CHECKING:
    from ..runs import RunStart

__all__ = ("Call", "OwnStep", "RunNeededError", "acall_steps", "build_call", "call_in_turn", "call_steps")

Call = Callable[[Any], Any]

_PACKAGE = os.path.dirname(os.path.dirname(os.path.dirname(__file__)))


class RunNeededError(Exception):
    """Raised by the function of a step that has to be invoked in a run for this input."""


def build_call(runnable: Any) -> Call | None:
    """Return ``runnable`` as a function; ``None`` if it has to be invoked."""
    step = unbind_step(runnable, None)
    if step.kwargs or (step.config or {}).get("callbacks") or _is_patched(step.runnable):
        return None
    found: Call | None = find_hook(step.runnable, "_as_call")
    return found


def _is_patched(runnable: Any) -> bool:
    """Return whether a test has put a function of its own in the place of ``invoke`` or ``ainvoke``."""
    methods = [getattr(runnable, name, None) for name in ("invoke", "ainvoke")]
    files = [getattr(getattr(method, "__code__", None), "co_filename", "") for method in methods]
    return not all(file.startswith(_PACKAGE) for file in files)


def call_in_turn(calls: Iterable[Call]) -> Call:
    """Return the function that calls ``calls``, each with the output of the one before."""

    def call(value: Any) -> Any:
        for one in calls:
            value = one(value)
        return value

    return call


def call_steps(
    steps: Sequence[Any], calls: Sequence[Call | None], value: Any, make_run: Callable[[], tuple[RunStart, Any]]
) -> Any:
    """Return the output of ``steps`` for ``value``; ``calls`` are the functions of those that are our own.

    ``make_run`` returns the run of the sequence, which has no handlers; it is called for the first step without one.
    """
    run = _SilentRun(make_run)
    for place, (step, call) in enumerate(zip(steps, calls, strict=True), 1):
        is_done, value = _call_own(call, value)
        if not is_done:
            child = run.child_config(place)
            value = context_for(child).run(step.invoke, value, child)
    return value


async def acall_steps(
    steps: Sequence[Any], calls: Sequence[Call | None], value: Any, make_run: Callable[[], tuple[RunStart, Any]]
) -> Any:
    """Return the output of ``steps`` for ``value``; see :func:`call_steps`."""
    run = _SilentRun(make_run)
    for place, (step, call) in enumerate(zip(steps, calls, strict=True), 1):
        is_done, value = _call_own(call, value)
        if not is_done:
            child = run.child_config(place)
            value = await InContext(context_for(child), step.ainvoke(value, child))
    return value


def _call_own(call: Call | None, value: Any) -> tuple[bool, Any]:
    """Return whether ``call`` has an output for ``value``, and the output; ``value`` where it has none."""
    if call is None:
        return False, value
    try:
        return True, call(value)
    except RunNeededError:
        return False, value


class OwnStep:
    """A step in a batch of which no handler is notified: its function is called with one input after the other.

    ``make_configs`` makes the configurations of the inputs, in case the step has to be invoked after all.
    """

    def __init__(self, step: Any, call: Call, make_configs: Callable[[], list[RunnableConfig]]) -> None:
        self._step = step
        self._call = call
        self._make_configs = make_configs

    def batch(self, inputs: list[Any], configs: Any, *, return_exceptions: bool) -> list[Any]:
        """Return the outputs; ``configs`` are unused."""
        if (outputs := self._outputs(inputs, return_exceptions)) is None:
            outputs = self._step.batch(inputs, self._make_configs(), return_exceptions=return_exceptions)
        return outputs

    async def abatch(self, inputs: list[Any], configs: Any, *, return_exceptions: bool) -> list[Any]:
        """Return the outputs; ``configs`` are unused."""
        if (outputs := self._outputs(inputs, return_exceptions)) is None:
            outputs = await self._step.abatch(inputs, self._make_configs(), return_exceptions=return_exceptions)
        return outputs

    def _outputs(self, inputs: list[Any], return_exceptions: bool) -> list[Any] | None:
        try:
            return [self._output(input, return_exceptions) for input in inputs]
        except RunNeededError:
            return None

    def _output(self, input: Any, return_exceptions: bool) -> Any:
        try:
            return self._call(input)
        except RunNeededError:
            raise
        except Exception as error:
            if return_exceptions:
                return error
            raise


class _SilentRun:
    """The run of a sequence of which no handler is notified; it is made for the first step that is invoked."""

    def __init__(self, make: Callable[[], tuple[RunStart, Any]]) -> None:
        self._make = make
        self._run: Any = None
        self._config: RunnableConfig

    def child_config(self, place: int) -> RunnableConfig:
        """Return the configuration of the step at ``place``."""
        if self._run is None:
            start, self._run = self._make()
            self._config = start.config
        return child_config(self._config, self._run, f"seq:step:{place}")

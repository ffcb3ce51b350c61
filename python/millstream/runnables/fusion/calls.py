"""Calls of a sequence of which no handler is notified: our own steps are functions, and have no runs.

A Runnable says by the private hook ``_as_call()`` what its ``invoke`` returns for an input, if that is our own code
alone and waits for nothing. All other steps are invoked, with a configuration and a context of their own: users' code
starts runs in there, and these are child runs of the sequence's.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from typing import TYPE_CHECKING, Any

from ..._context import InContext
from ...callbacks.chain_run_manager import AsyncCallbackManagerForChainRun, CallbackManagerForChainRun
from ..config import RunnableConfig, child_config, ensure_config
from ..runs import RunStart, context_for
from .plan import find_hook, unbind_step

if TYPE_CHECKING:
    from ..runs import Named

__all__ = ("Call", "RunNeededError", "acall_steps", "build_call", "call_in_turn", "call_steps")

Call = Callable[[Any], Any]


class RunNeededError(Exception):
    """Raised by the function of a step that has to be invoked in a run for this input."""


def build_call(runnable: Any) -> Call | None:
    """Return ``runnable`` as a function; ``None`` if it has to be invoked."""
    step = unbind_step(runnable, None)
    if step.kwargs or (step.config or {}).get("callbacks"):
        return None
    found: Call | None = find_hook(step.runnable, "_as_call")
    return found


def call_in_turn(calls: Iterable[Call]) -> Call:
    """Return the function that calls ``calls``, each with the output of the one before."""

    def call(value: Any) -> Any:
        for one in calls:
            value = one(value)
        return value

    return call


def call_steps(
    owner: Named, steps: Sequence[Any], calls: Sequence[Call | None], value: Any, config: RunnableConfig | None
) -> Any:
    """Return the output of ``steps`` for ``value``; ``calls`` are the functions of those that are our own."""
    run = _SilentRun(owner, config, CallbackManagerForChainRun)
    for place, (step, call) in enumerate(zip(steps, calls, strict=True), 1):
        is_done, value = _call_own(call, value)
        if not is_done:
            child = run.child_config(place)
            value = context_for(child).run(step.invoke, value, child)
    return value


async def acall_steps(
    owner: Named, steps: Sequence[Any], calls: Sequence[Call | None], value: Any, config: RunnableConfig | None
) -> Any:
    """Return the output of ``steps`` for ``value``; see :func:`call_steps`."""
    run = _SilentRun(owner, config, AsyncCallbackManagerForChainRun)
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


class _SilentRun:
    """The run of a sequence of which no handler is notified; it is made for the first step that is invoked."""

    def __init__(self, owner: Named, config: RunnableConfig | None, kind: Any) -> None:
        self._owner = owner
        self._config = config
        self._kind = kind
        self._run: Any = None
        self._full: RunnableConfig

    def child_config(self, place: int) -> RunnableConfig:
        """Return the configuration of the step at ``place``."""
        if self._run is None:
            start = RunStart(self._owner, ensure_config(self._config))
            self._full = start.config
            self._run = self._kind.of(start.manager, start.config.get("run_id"))
        return child_config(self._full, self._run, f"seq:step:{place}")

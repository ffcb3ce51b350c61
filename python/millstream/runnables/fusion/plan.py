"""The plan of a chain that can run as one generator: functions of ours, an origin, stages of ours.

Each Runnable says what it is to a fused chain by one of three private hooks:

* ``_as_function()``: it is called once, before anything streams (prompts);
* ``_origin()``: it opens a connection of ours and yields chunks (models);
* ``_as_stage()``: it transforms chunks synchronously, with ``feed`` and ``close`` (parsers, picks).

A chain fuses if its steps are any number of functions, one origin, and any number of stages, in this order.
Its stream is then one generator over the origin's connection (``chunks.py``, and ``events.py`` for stream
events): no task, no queue, and leaving it closes the connection. Any other chain, and one with a step of
users' code, runs step by step (``sequence.py``), in async code in a task of its own, with the same outputs.
A user's subclass of a class of ours counts as users' code unless it writes the hook itself: an overridden
``transform`` must be called. A plan holds no state of a stream; :meth:`Plan.stages` makes new stages for each.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from ..binding import RunnableBinding
from ..config import RunnableConfig, child_config, ensure_config, merge_configs

if TYPE_CHECKING:
    from ...callbacks.manager import BaseRunManager
    from ...streaming.protocols import Stage
    from ..origin import Origin
    from ..runnable import Runnable

__all__ = ("Plan", "Step", "build_plan", "has_hook")


@dataclass(slots=True)
class Step:
    """One step: the Runnable itself, the arguments and configuration bound to it, and its place, from 1 on."""

    runnable: Any
    kwargs: dict[str, Any]
    config: RunnableConfig | None
    place: int

    def child_config(self, config: RunnableConfig, run: BaseRunManager) -> RunnableConfig:
        """Return the configuration of its run, a child of the sequence's ``run``: what is bound, under ``config``."""
        child = child_config(config, run, f"seq:step:{self.place}")
        return child if self.config is None else ensure_config(merge_configs(self.config, child))


@dataclass(slots=True)
class Plan:
    """The steps of a fused chain: functions of ours, the origin, stages of ours.

    ``binds_callbacks`` says whether callbacks are bound to one of them.
    """

    before: list[Step]
    functions: list[Callable[[Any], Any]]
    origin_step: Step
    origin: Origin
    after: list[Step]
    binds_callbacks: bool

    def has_callbacks(self) -> bool:
        """Return whether a step has callbacks of its own."""
        return self.binds_callbacks or bool(self.origin.callbacks)

    def origin_kwargs(self, kwargs: dict[str, Any]) -> dict[str, Any]:
        """Return the arguments of the origin; ``kwargs`` are for the chain's first step."""
        return {**self.origin_step.kwargs} if self.before else {**self.origin_step.kwargs, **kwargs}

    def stages(self) -> list[Stage[Any, Any]]:
        """Return a new stage for each step after the origin."""
        return [step.runnable._as_stage() for step in self.after]


def build_plan(steps: Sequence[Runnable[Any, Any]]) -> Plan | None:
    """Return the plan of ``steps``, or ``None`` where they have to run one by one."""
    before: list[Step] = []
    functions: list[Callable[[Any], Any]] = []
    after: list[Step] = []
    origin: tuple[Step, Origin] | None = None
    for place, runnable in enumerate(steps, 1):
        step = _unbound(runnable, place)
        if origin is not None:
            if not _is_ours(step.runnable, "_as_stage") or step.runnable._as_stage() is None:
                return None
            after.append(step)
        elif (found := step.runnable._origin()) is not None:
            origin = step, found
        elif _is_ours(step.runnable, "_as_function") and (function := step.runnable._as_function()) is not None:
            before.append(step)
            functions.append(function)
        else:
            return None
    if origin is None:
        return None
    configs = [step.config or {} for step in (*before, origin[0], *after)]
    return Plan(before, functions, *origin, after, binds_callbacks=any(config.get("callbacks") for config in configs))


def _unbound(runnable: Any, place: int) -> Step:
    kwargs: dict[str, Any] = {}
    config: RunnableConfig | None = None
    # Listeners, which a factory of configurations adds, are users' code.
    while type(runnable) is RunnableBinding and not runnable.config_factories:
        kwargs = {**runnable.kwargs, **kwargs}
        if runnable.config:
            config = runnable.config if config is None else merge_configs(runnable.config, config)
        runnable = runnable.bound
    return Step(runnable, kwargs, config, place)


def has_hook(runnable: Any, hook: str) -> bool:
    """Return whether ``hook``, ``"_as_stage"`` or ``"_as_function"``, returns something for ``runnable``, unbound."""
    step = _unbound(runnable, 0).runnable
    return _is_ours(step, hook) and getattr(step, hook)() is not None


def _is_ours(runnable: Any, hook: str) -> bool:
    """Return whether ``hook`` is true for ``runnable``: no users' class is derived from the class that writes it."""
    for cls in type(runnable).__mro__:
        if hook in cls.__dict__:
            return True
        if cls.__module__.partition(".")[0] != __package__.partition(".")[0]:
            return False
    return False

"""The plan of a chain that can run as one generator: functions of ours, an origin, stages of ours.

Each Runnable says what it is to a fused chain by one of three private hooks:

* ``_as_function()``: it is called once, before anything streams (prompts);
* ``_origin()``: it opens a connection of ours and yields chunks (models);
* ``_as_stage()``: it transforms chunks synchronously, with ``feed`` and ``close`` (parsers, picks).

A chain fuses if only stages follow its last origin. Its stream is then one generator over the origin's connection
(``chunks.py``, and ``events.py`` for stream events): no task, no queue, and leaving it closes the connection.
Steps before the origin only make its input. Where they are not all functions of ours, they run once, before the
connection is opened, in async code in a task of their own (``preparation.py``).
Any other chain runs step by step (``sequence.py``), in async code in a task of its own, with the same outputs.
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
    """The steps of a fused chain: what makes the origin's input, the origin, stages of ours.

    ``functions`` are those of the steps before the origin; ``None`` if users' code is among these.
    ``binds_callbacks`` says whether callbacks are bound to a step.
    """

    before: list[Step]
    functions: list[Callable[[Any], Any]] | None
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
    unbound = [_unbound(runnable, place) for place, runnable in enumerate(steps, 1)]
    origins = [(step, origin) for step in unbound if (origin := step.runnable._origin()) is not None]
    if not origins:
        return None
    origin_step, origin = origins[-1]
    before, after = unbound[: origin_step.place - 1], unbound[origin_step.place :]
    if any(_hook(step.runnable, "_as_stage") is None for step in after):
        return None
    functions = [_hook(step.runnable, "_as_function") for step in before]
    binds_callbacks = any((step.config or {}).get("callbacks") for step in unbound)
    return Plan(before, None if None in functions else functions, origin_step, origin, after, binds_callbacks)


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
    return _hook(_unbound(runnable, 0).runnable, hook) is not None


def _hook(runnable: Any, hook: str) -> Any:
    """Return what ``hook`` returns; ``None`` if a users' class is derived from the class that writes it."""
    for cls in type(runnable).__mro__:
        if hook in cls.__dict__:
            return getattr(runnable, hook)()
        if cls.__module__.partition(".")[0] != __package__.partition(".")[0]:
            return None
    return None

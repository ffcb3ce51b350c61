"""What a chain is made of, where it can run as one generator: functions of ours, a model, stages of ours."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from .binding import RunnableBinding
from .config import RunnableConfig, merge_configs

if TYPE_CHECKING:
    from ..streaming.protocols import Stage
    from .base import Runnable

__all__ = ("Plan", "Step", "planned")


@dataclass(slots=True)
class Step:
    """One step: the Runnable itself, what is bound to it, and its place, from 1 on."""

    runnable: Any
    kwargs: dict[str, Any]
    config: RunnableConfig | None
    place: int

    @property
    def tag(self) -> str:
        """Return the tag that the sequence gives its run."""
        return f"seq:step:{self.place}"

    def configured(self, below: RunnableConfig) -> RunnableConfig:
        """Return the configuration of its run: what is bound, under what the sequence hands down."""
        return below if self.config is None else merge_configs(self.config, below)


@dataclass(slots=True)
class Plan:
    """The steps of such a chain: a synchronous function for each before the model, a new stage for each after it."""

    before: list[Step]
    functions: list[Callable[[Any], Any]]
    model: Step
    after: list[Step]
    stages: list[Stage[Any, Any]]

    @property
    def is_heard(self) -> bool:
        """Whether a step has callbacks of its own."""
        return bool(self.model.runnable.callbacks) or any(
            step.config and step.config.get("callbacks") for step in (*self.before, self.model, *self.after)
        )


def planned(steps: Sequence[Runnable[Any, Any]], kwargs: dict[str, Any]) -> Plan | None:
    """Return the plan of ``steps``, or ``None`` where they have to run one by one; ``kwargs`` are for the first."""
    before: list[Step] = []
    functions: list[Callable[[Any], Any]] = []
    after: list[Step] = []
    stages: list[Stage[Any, Any]] = []
    model: Step | None = None
    for place, runnable in enumerate(steps, 1):
        step = _unbound(runnable, place)
        if model is not None:
            if not _is_ours(step.runnable, "_stage") or (stage := step.runnable._stage()) is None:
                return None
            after.append(step)
            stages.append(stage)
        elif _is_model(step.runnable):
            model = step
        elif _is_ours(step.runnable, "_plain") and (function := step.runnable._plain()) is not None:
            before.append(step)
            functions.append(function)
        else:
            return None
    if model is None:
        return None
    if not before:
        model.kwargs = {**model.kwargs, **kwargs}
    return Plan(before, functions, model, after, stages)


def _unbound(runnable: Any, place: int) -> Step:
    kwargs: dict[str, Any] = {}
    config: RunnableConfig | None = None
    while type(runnable) is RunnableBinding:
        kwargs = {**runnable.kwargs, **kwargs}
        if runnable.config is not None:
            config = runnable.config if config is None else merge_configs(runnable.config, config)
        runnable = runnable.bound
    return Step(runnable, kwargs, config, place)


def _is_model(runnable: Any) -> bool:
    """Return whether ``runnable`` is a model whose streams are made here, not by a user's ``stream``."""
    from ..language_models.base import BaseLanguageModel

    if not isinstance(runnable, BaseLanguageModel):
        return False
    return not (runnable._overrides("stream") or runnable._overrides("astream"))


def _is_ours(runnable: Any, hook: str) -> bool:
    """Return whether the class that writes ``hook`` speaks for ``runnable``: no class of a user's stands below it."""
    for cls in type(runnable).__mro__:
        if hook in cls.__dict__:
            return True
        if cls.__module__.partition(".")[0] != __package__.partition(".")[0]:
            return False
    return False

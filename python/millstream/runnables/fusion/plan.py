"""The plan of a chain that can run as one generator: what makes the origin's input, an origin, parts of ours.

Each Runnable says what it is to a fused chain by one of four private hooks:

* ``_as_function()``: it takes its whole input, and returns its output (prompts);
* ``_as_origin()``: it opens a connection of ours and yields chunks (models);
* ``_as_stage()``: it transforms chunks synchronously, with ``feed`` and ``close`` (parsers, picks);
* ``_as_composition()``: it is made of steps, which are parts of ours too (sequences, parallels, assigns, branches).

A chain fuses if only parts that are no functions follow its last origin. Its stream is then one generator over the
origin's connection (``chunks.py``, and ``events.py`` for stream events): no task, no queue, and leaving it closes the
connection. Steps before the origin only make its input. Where they are not all parts of ours, they run once, before
the connection is opened, in async code in a task of their own (``preparation.py``).
Any other chain runs step by step (``sequence.py``), in async code in a task of its own, with the same outputs; where no
handler is notified, its first steps are one generator up to the first step that is not a part behind an origin.
A user's subclass of a class of ours counts as users' code unless it writes the hook itself: an overridden
``transform`` must be called. A plan holds no state of a stream; :meth:`Plan.stages` makes new stages for each.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from ...streaming.accumulate import ChunkAccumulator
from ..config import RunnableConfig, child_config, ensure_config, merge_configs
from ..nodes import Composition, FunctionNode, Node, NodeStage, SequenceNode, StageNode

if TYPE_CHECKING:
    from ...callbacks.manager import BaseRunManager
    from ...streaming.protocols import Stage
    from ..origin import Origin

__all__ = (
    "NOTHING",
    "Part",
    "Plan",
    "Step",
    "build_part",
    "build_plan",
    "find_hook",
    "run_nodes",
    "runs_users_code",
    "takes_chunks",
    "unbind_step",
)

NOTHING: Any = object()
"""Stands for the input of an origin that has none, since the parts before it have no output."""


@dataclass(slots=True)
class Step:
    """One step: the Runnable itself, the arguments and configuration bound to it, and the tag of its run."""

    runnable: Any
    kwargs: dict[str, Any]
    config: RunnableConfig | None
    tag: str | None

    def child_config(self, config: RunnableConfig, run: BaseRunManager) -> RunnableConfig:
        """Return the configuration of its run, a child of the parent's ``run``: what is bound, under ``config``."""
        child = child_config(config, run, self.tag)
        return child if self.config is None else ensure_config(merge_configs(self.config, child))


@dataclass(slots=True)
class Part:
    """A step of ours: a function, a stage, or a composition of parts.

    ``is_whole`` says whether it takes its whole input at once: its run starts with it, and shows no chunks.
    """

    step: Step
    function: Callable[[Any], Any] | None = None
    make_stage: Callable[[], Stage[Any, Any]] | None = None
    connect: Callable[[list[Node]], Node] | None = None
    parts: Sequence[Part] = ()
    is_whole: bool = False

    def node(self, nodes: list[Node] | None = None) -> Node:
        """Return a new node, for one stream; ``nodes`` are those of its parts."""
        if self.function is not None:
            return FunctionNode(self.function)
        if self.connect is not None:
            return self.connect([part.node() for part in self.parts] if nodes is None else nodes)
        return StageNode(self.stage())

    def stage(self) -> Stage[Any, Any]:
        """Return a new stage, for one stream."""
        return NodeStage(self.node()) if self.make_stage is None else self.make_stage()

    def all_steps(self) -> Iterator[Step]:
        """Yield the step, and those of its parts."""
        yield self.step
        for part in self.parts:
            yield from part.all_steps()


@dataclass(slots=True)
class Plan:
    """The steps of a fused chain: what makes the origin's input, the origin, parts of ours.

    ``parts`` are the steps before the origin; ``None`` if users' code is among these.
    ``binds_callbacks`` says whether callbacks are bound to a step.
    """

    before: list[Step]
    parts: list[Part] | None
    origin_step: Step
    origin: Origin
    after: list[Part]
    binds_callbacks: bool

    def has_callbacks(self) -> bool:
        """Return whether a step has callbacks of its own."""
        return self.binds_callbacks or bool(self.origin.callbacks)

    def origin_kwargs(self, kwargs: dict[str, Any]) -> dict[str, Any]:
        """Return the arguments of the origin; ``kwargs`` are for the chain's first step."""
        return {**self.origin_step.kwargs} if self.before else {**self.origin_step.kwargs, **kwargs}

    def origin_input(self, value: object) -> Any:
        """Return the input of the origin for the chain's input; :data:`NOTHING` without any."""
        parts = self.parts or []
        for place, part in enumerate(parts):
            if part.function is None:
                return run_nodes([part.node() for part in parts[place:]], value, [])
            value = part.function(value)
        return value

    def stages(self) -> list[Stage[Any, Any]]:
        """Return a new stage for each step after the origin."""
        return [part.stage() for part in self.after]


def run_nodes(nodes: Sequence[Node], value: object, passed: list[Any]) -> Any:
    """Return the sum of the outputs of ``nodes``, one after the other, for ``value``; :data:`NOTHING` without any."""
    node = SequenceNode(nodes)
    sum = ChunkAccumulator(adds_on=True)
    count = 0

    def take(output: object, passed: list[Any]) -> None:
        nonlocal count
        sum.add(output)
        count += 1

    node.feed_into(take)(value, passed)
    node.close(passed)
    return sum.total() if count else NOTHING


def build_plan(steps: Sequence[Any]) -> Plan | None:
    """Return the plan of ``steps``, or ``None`` where they have to run one by one."""
    unbound = [unbind_step(runnable, f"seq:step:{place}") for place, runnable in enumerate(steps, 1)]
    origins = [
        (place, found) for place, step in enumerate(unbound) if (found := step.runnable._as_origin()) is not None
    ]
    if not origins:
        return None
    place, origin = origins[-1]
    before, after = unbound[:place], _parts_of(unbound[place + 1 :])
    if takes_chunks(origin) and before and find_hook(before[-1].runnable, "_as_function") is None:
        return None
    if after is None or any(part.function is not None for part in after):
        return None
    parts = _parts_of(before)
    inner = [step for part in (*(parts or ()), *after) for step in part.all_steps()]
    binds_callbacks = any((step.config or {}).get("callbacks") for step in (*unbound, *inner))
    return Plan(before, parts, unbound[place], origin, after, binds_callbacks)


def takes_chunks(origin: object) -> bool:
    """Return whether ``origin`` streams as its input does; most origins wait for their whole input."""
    return getattr(origin, "takes_chunks", False)


def _parts_of(steps: Sequence[Step]) -> list[Part] | None:
    """Return ``steps`` as parts; ``None`` if one is not a part."""
    parts = [part for step in steps if (part := _part_of(step)) is not None]
    return parts if len(parts) == len(steps) else None


def runs_users_code(steps: Sequence[Any]) -> bool:
    """Return whether a task that reads an async stream of ``steps`` runs users' code, other than that of handlers.

    The code of a model runs in a worker of its own, as does all that comes before a step with tasks of its own.
    """
    for runnable in reversed(steps):
        step = unbind_step(runnable, None)
        if find_hook(step.runnable, "_has_own_tasks"):
            return False
        is_origin = step.runnable._as_origin() is not None and not getattr(step.runnable, "_runs_users_code", False)
        if not is_origin and _part_of(step) is None:
            return True
    return False


def build_part(runnable: object, tag: str | None, *, is_whole: bool = False) -> Part | None:
    """Return ``runnable`` as a part; ``None`` if it runs users' code, or waits for more than its input.

    ``is_whole`` says whether it is invoked, and its steps are.
    """
    return _part_of(unbind_step(runnable, tag), is_whole=is_whole)


def _part_of(step: Step, *, is_whole: bool = False) -> Part | None:
    runnable = step.runnable
    found: Composition | None = find_hook(runnable, "_as_composition")
    if found is not None:
        parts = [build_part(one, tag, is_whole=True) for tag, one in found.conditions]
        parts += [build_part(one, tag, is_whole=is_whole) for tag, one in found.steps]
        own = [part for part in parts if part is not None]
        if len(own) < len(parts):
            return None
        return Part(step, connect=found.connect, parts=own, is_whole=is_whole or found.is_whole)
    if find_hook(runnable, "_as_stage") is not None:
        return Part(step, make_stage=runnable._as_stage, is_whole=is_whole)
    if (function := find_hook(runnable, "_as_function")) is not None:
        return Part(step, function=function, is_whole=True)
    return None


def unbind_step(runnable: object, tag: str | None) -> Step:
    """Return the step of ``runnable``: what bindings hold, and what they bind to it."""
    kwargs: dict[str, Any] = {}
    config: RunnableConfig | None = None
    while (bound := find_hook(runnable, "_as_bound")) is not None:
        runnable, bound_kwargs, bound_config = bound
        kwargs = {**bound_kwargs, **kwargs}
        if bound_config:
            config = bound_config if config is None else merge_configs(bound_config, config)
    return Step(runnable, kwargs, config, tag)


def find_hook(runnable: object, hook: str) -> Any:
    """Return what ``hook`` returns; ``None`` if a users' class is derived from the class that writes it."""
    for cls in type(runnable).__mro__:
        if hook in cls.__dict__:
            return getattr(runnable, hook)()
        if cls.__module__.partition(".")[0] != __package__.partition(".")[0]:
            return None
    return None

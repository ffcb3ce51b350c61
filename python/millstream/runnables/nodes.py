"""Nodes: steps of ours that push. Each chunk passes through all steps of a fused chain before the next one.

A node is connected to the function that takes its outputs, and returns the function that takes its inputs; both
receive a list too, which is passed on: the outputs of the chain, or its events (``run_events.py``). Nodes are
composed as Runnables are: in a sequence, side by side, by a condition. None of them waits, or runs users' code.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from ..streaming.accumulate import AddableDict, ChunkAccumulator
from ..streaming.protocols import Stage

__all__ = (
    "BranchNode",
    "Composition",
    "FunctionNode",
    "FunctionStage",
    "Node",
    "NodeStage",
    "ParallelNode",
    "SequenceNode",
    "StageNode",
    "Take",
    "WholeNode",
)

Take = Callable[[Any, list[Any]], None]
"""Receives a chunk, and the list that is passed on."""


@dataclass(slots=True)
class Composition:
    """The steps of a Runnable of ours, with the tags of their runs, and the function that connects their nodes.

    ``is_whole`` says whether it takes its whole input at once: its run starts with it, and shows no chunks.
    So do the runs of ``conditions``, which are invoked. Their nodes stand before those of the steps.
    """

    steps: Sequence[tuple[str | None, Any]]
    connect: Callable[[list[Node]], Node]
    is_whole: bool = False
    conditions: Sequence[tuple[str | None, Any]] = ()


class Node(ABC):
    """A step that pushes its outputs; :meth:`fail` is called if the chain has failed."""

    @abstractmethod
    def feed_into(self, take: Take) -> Take:
        """Return the function for the chunks of the input; it calls ``take`` with those of the output."""

    @abstractmethod
    def close(self, passed: list[Any]) -> None:
        """Push the outputs of the end of the input."""

    def fail(self, passed: list[Any]) -> None:  # noqa: B027
        """Push what a failed chain shows; by default nothing."""


class StageNode(Node):
    """A stage."""

    def __init__(self, stage: Stage[Any, Any]) -> None:
        self._stage = stage
        self._take: Take

    def feed_into(self, take: Take) -> Take:
        """Return the function for the chunks of the input."""
        self._take = take
        feed = self._stage.feed

        def feed_chunk(chunk: object, passed: list[Any]) -> None:
            for output in feed(chunk):
                take(output, passed)

        return feed_chunk

    def close(self, passed: list[Any]) -> None:
        """Push the outputs of the end of the input."""
        for output in self._stage.close():
            self._take(output, passed)


class WholeNode(Node):
    """A step that takes the sum of its input; without any input it has no output."""

    def __init__(self) -> None:
        self._sum = ChunkAccumulator(adds_on=True)
        self._is_fed = False
        self._take: Take

    def feed_into(self, take: Take) -> Take:
        """Return the function for the chunks of the input."""
        self._take = take
        return self._feed

    def _feed(self, chunk: object, passed: list[Any]) -> None:
        self._is_fed = True
        self._sum.add(chunk)

    def close(self, passed: list[Any]) -> None:
        """Push the outputs for the sum of the input."""
        if self._is_fed:
            self._push(self._sum.total(), passed)

    @abstractmethod
    def _push(self, input: object, passed: list[Any]) -> None:
        """Push the outputs for ``input``."""


class FunctionNode(WholeNode):
    """A function."""

    def __init__(self, function: Callable[[Any], Any]) -> None:
        super().__init__()
        self._function = function

    def _push(self, input: object, passed: list[Any]) -> None:
        self._take(self._function(input), passed)


class SequenceNode(Node):
    """Nodes one after the other."""

    def __init__(self, nodes: Iterable[Node]) -> None:
        self._nodes = list(nodes)

    def feed_into(self, take: Take) -> Take:
        """Return the function for the chunks of the input."""
        for node in reversed(self._nodes):
            take = node.feed_into(take)
        return take

    def close(self, passed: list[Any]) -> None:
        """Close the nodes, the first one first."""
        for node in self._nodes:
            node.close(passed)

    def fail(self, passed: list[Any]) -> None:
        """Pass it on."""
        for node in self._nodes:
            node.fail(passed)


class ParallelNode(SequenceNode):
    """Nodes side by side: the outputs of each are dicts with its key."""

    def __init__(self, keys: Iterable[str], nodes: Iterable[Node]) -> None:
        super().__init__(nodes)
        self._keys = list(keys)

    def feed_into(self, take: Take) -> Take:
        """Return the function for the chunks of the input."""
        feeds = [node.feed_into(_under_key(key, take)) for key, node in zip(self._keys, self._nodes, strict=True)]

        def feed_chunk(chunk: object, passed: list[Any]) -> None:
            for feed in feeds:
                feed(chunk, passed)

        return feed_chunk


def _under_key(key: str, take: Take) -> Take:
    def take_under_key(output: object, passed: list[Any]) -> None:
        take(AddableDict({key: output}), passed)

    return take_under_key


class BranchNode(WholeNode):
    """The first of several nodes whose condition is true; conditions are first, the last node has none."""

    def __init__(self, nodes: Sequence[Node]) -> None:
        super().__init__()
        self._nodes = nodes

    def _push(self, input: object, passed: list[Any]) -> None:
        count = len(self._nodes) // 2
        *conditional, default = self._nodes[count:]
        pairs = zip(self._nodes[:count], conditional, strict=True)
        chosen = next((node for condition, node in pairs if self._is_true(condition, input, passed)), default)
        _run_once(chosen, input, self._take, passed)

    def _is_true(self, condition: Node, input: object, passed: list[Any]) -> bool:
        results = ChunkAccumulator(adds_on=True)
        _run_once(condition, input, lambda output, _: results.add(output), passed)
        return bool(results.total())

    def fail(self, passed: list[Any]) -> None:
        """Pass it on."""
        for node in self._nodes:
            node.fail(passed)


def _run_once(node: Node, input: object, take: Take, passed: list[Any]) -> None:
    node.feed_into(take)(input, passed)
    node.close(passed)


class NodeStage(Stage[Any, Any]):
    """A node as a stage."""

    __slots__ = ("_feed", "_node")

    def __init__(self, node: Node) -> None:
        self._node = node
        self._feed = node.feed_into(_collect)

    def feed(self, item: object) -> Sequence[Any]:
        """Return the outputs of ``item``."""
        outputs: list[Any] = []
        self._feed(item, outputs)
        return outputs

    def close(self) -> Sequence[Any]:
        """Return the outputs of the end of the input."""
        outputs: list[Any] = []
        self._node.close(outputs)
        return outputs


class FunctionStage(NodeStage):
    """The stage of a function, which takes the sum of its input."""

    __slots__ = ()

    def __init__(self, function: Callable[[Any], Any]) -> None:
        super().__init__(FunctionNode(function))


def _collect(output: object, passed: list[Any]) -> None:
    passed.append(output)

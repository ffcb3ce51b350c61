"""Calls that pass from LangChain to Millstream: the configuration, the chunks, fields and graphs."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from langchain_core.callbacks import CallbackManager
from langchain_core.runnables.config import ensure_config
from langchain_core.runnables.graph import Edge, Graph, Node
from langchain_core.runnables.utils import ConfigurableFieldSpec

from ...callbacks.langchain_values import to_langchain
from ...runnables.graph import Edge as OurEdge
from ...runnables.graph import Graph as OurGraph
from ...runnables.graph import Node as OurNode
from ...streaming.protocols import ChunkProcessor, ProcessorAround

__all__ = (
    "ConvertedChunks",
    "batch_configs",
    "graph_from_langchain",
    "graph_to_langchain",
    "specs_to_langchain",
    "take_config",
)


def take_config(config: Any) -> Any:
    """Return the configuration for a call of Millstream's, with the handlers that LangChain would call.

    These are those of the call and of the run around it, LangSmith's tracer, and the debug and verbose handlers.
    """
    manager = CallbackManager.configure(ensure_config(config).get("callbacks"))
    if manager.handlers or manager.parent_run_id is not None:
        return {**(config or {}), "callbacks": manager}
    return {**config, "callbacks": None} if config and config.get("callbacks") else config


def batch_configs(config: Any) -> Any:
    """Return the configurations of a batch; see :func:`take_config`."""
    return take_config(config) if config is None or isinstance(config, Mapping) else list(map(take_config, config))


def specs_to_langchain(specs: Any) -> list[ConfigurableFieldSpec]:
    """Return configurable fields as LangChain's."""
    return [ConfigurableFieldSpec(*spec) for spec in specs]


def graph_from_langchain(graph: Any) -> OurGraph:
    """Return a graph as Millstream's; the Runnables in its nodes are LangChain's."""
    nodes = {id: OurNode(*node) for id, node in graph.nodes.items()}
    return OurGraph(nodes, [OurEdge(*edge) for edge in graph.edges])


def graph_to_langchain(graph: Any) -> Graph:
    """Return a graph as LangChain's; the Runnables in its nodes are Millstream's."""
    return Graph(
        nodes={id: Node(*node) for id, node in graph.nodes.items()}, edges=[Edge(*edge) for edge in graph.edges]
    )


class ConvertedChunks(ProcessorAround[Any], ChunkProcessor[Any]):
    """The chunks of another processor as LangChain's: they are converted where they are made, without a generator."""

    __slots__ = ("_inner",)

    def __init__(self, inner: ChunkProcessor[Any]) -> None:
        self._inner: ChunkProcessor[Any] = inner

    @property
    def feed(self) -> Callable[[Any], Sequence[Any]]:
        """Return the function from a raw item to chunks of LangChain's."""
        feed = self._inner.feed
        return lambda item: list(map(to_langchain, feed(item)))

    def start(self) -> Sequence[Any]:
        """Return the chunks before the source is opened."""
        return list(map(to_langchain, self._inner.start()))

    def opened(self, body: object) -> Sequence[Any] | None:
        """Return the chunks of what the source has read already."""
        begun = self._inner.opened(body)
        return None if begun is None else list(map(to_langchain, begun))

    def close(self) -> Sequence[Any]:
        """Return the last chunks."""
        return list(map(to_langchain, self._inner.close()))

    def result(self) -> Any:
        """Return the result of the run."""
        return to_langchain(self._inner.result())

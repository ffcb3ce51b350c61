"""Graphs and configurable fields of one library as the other's."""

from __future__ import annotations

from typing import Any

from langchain_core.runnables.graph import Edge, Graph, Node
from langchain_core.runnables.utils import ConfigurableFieldSpec

from ...runnables.graph import Edge as OurEdge
from ...runnables.graph import Graph as OurGraph
from ...runnables.graph import Node as OurNode

__all__ = ("graph_from_langchain", "graph_to_langchain", "specs_to_langchain")


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

"""The graphs of Runnables: of one alone, of steps, of branches side by side."""

from __future__ import annotations

import sys
from collections.abc import Iterable
from typing import TYPE_CHECKING, Any

from .._late import late
from .graph import Graph

if TYPE_CHECKING:
    from .config import RunnableConfig

__all__ = ("graph_of_branches", "graph_of_one", "graph_of_steps", "prompts_in")


def graph_of_one(runnable: object, config: RunnableConfig | None) -> Graph:
    """Return the graph of a Runnable without steps of its own, between the schemas of its input and its output."""
    graph = Graph()
    first = graph.add_node(_schema_or_none(runnable, "Input", config))
    middle = graph.add_node(runnable, metadata=config.get("metadata") if config else None)
    last = graph.add_node(_schema_or_none(runnable, "Output", config))
    graph.add_edge(first, middle)
    graph.add_edge(middle, last)
    return graph


def graph_of_steps(steps: Iterable[Any], config: RunnableConfig | None) -> Graph:
    """Return the graph of Runnables one after the other."""
    graph = Graph()
    runnables = list(steps)
    for step in runnables:
        last = graph.last_node()
        one = step.get_graph(config)
        if step is not runnables[0]:
            one.trim_first_node()
        if step is not runnables[-1]:
            one.trim_last_node()
        first, _ = graph.extend(one)
        if first is None:
            raise ValueError(f"Runnable {step} has no first node")
        if last is not None:
            graph.add_edge(last, first)
    return graph


def graph_of_branches(runnable: Any, branches: Iterable[Any], config: RunnableConfig | None) -> Graph:
    """Return the graph of Runnables side by side, between the schemas of the input and the output of ``runnable``."""
    graph = Graph()
    input = graph.add_node(runnable.get_input_schema(config))
    output = graph.add_node(runnable.get_output_schema(config))
    for branch in branches:
        one = branch.get_graph()
        one.trim_first_node()
        one.trim_last_node()
        if not one:
            graph.add_edge(input, output)
            continue
        first, last = graph.extend(one)
        if first is None or last is None:
            raise ValueError(f"Runnable {branch} has no {'first' if first is None else 'last'} node")
        graph.add_edge(input, first)
        graph.add_edge(last, output)
    return graph


def prompts_in(graph: Graph) -> list[Any]:
    """Return the prompts among the nodes, Millstream's and LangChain's."""
    classes = [late("BasePromptTemplate")]
    if (theirs := sys.modules.get("langchain_core.prompts.base")) is not None:
        classes.append(theirs.BasePromptTemplate)
    return [node.data for node in graph.nodes.values() if isinstance(node.data, tuple(classes))]


def _schema_or_none(runnable: Any, suffix: str, config: RunnableConfig | None) -> Any:
    """Return a schema of ``runnable``; one without fields if the type is not known."""
    try:
        return runnable.get_input_schema(config) if suffix == "Input" else runnable.get_output_schema(config)
    except TypeError:
        from .schemas import model_of_fields

        return model_of_fields(runnable.get_name(suffix), {})

"""The graph of a Runnable: its steps, and the schemas of what goes in and comes out."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Collection
from dataclasses import dataclass, field
from typing import Any
from uuid import uuid4

from .graph_parts import (
    Branch,
    CurveStyle,
    Edge,
    LabelsDict,
    MermaidDrawMethod,
    Node,
    NodeStyles,
    Stringifiable,
    is_uuid,
)

__all__ = (
    "Branch",
    "CurveStyle",
    "Edge",
    "Graph",
    "LabelsDict",
    "MermaidDrawMethod",
    "Node",
    "NodeStyles",
    "Stringifiable",
    "is_uuid",
    "node_data_json",
    "node_data_str",
)


def node_data_str(id: str, data: Any) -> str:
    """Return the name of a node: its id, or the name of its data if the id is a UUID."""
    if data is None or not is_uuid(id):
        return id
    name: str = data.get_name() if _is_runnable(data) else data.__name__
    return name.removeprefix("Runnable")


def node_data_json(node: Node, *, with_schemas: bool = False) -> dict[str, Any]:
    """Return what a node stands for: a Runnable by the path of its class, a schema by its name or in full."""
    data, name = node.data, node_data_str(node.id, node.data)
    json: dict[str, Any] = {}
    if _is_runnable(data):
        json = {"type": "runnable", "data": {"id": _path_of(data), "name": name}}
    elif isinstance(data, type) and hasattr(data, "model_json_schema"):
        json = {"type": "schema", "data": _json_schema(data) if with_schemas else name}
    elif data is not None:
        json = {"type": "unknown", "data": name}
    return json if node.metadata is None else {**json, "metadata": node.metadata}


@dataclass
class Graph:
    """Nodes by their ids, and the edges between them."""

    nodes: dict[str, Node] = field(default_factory=dict)
    edges: list[Edge] = field(default_factory=list)

    def __bool__(self) -> bool:
        """Return whether there is any node."""
        return bool(self.nodes)

    def to_json(self, *, with_schemas: bool = False) -> dict[str, list[dict[str, Any]]]:
        """Return the nodes and the edges as plain data; ids that are UUIDs are numbers there."""
        ids = {node.id: place if is_uuid(node.id) else node.id for place, node in enumerate(self.nodes.values())}
        nodes = [
            {"id": ids[node.id], **node_data_json(node, with_schemas=with_schemas)} for node in self.nodes.values()
        ]
        edges: list[dict[str, Any]] = []
        for edge in self.edges:
            edges.append({"source": ids[edge.source], "target": ids[edge.target]})
            if edge.data is not None:
                edges[-1]["data"] = edge.data
            if edge.conditional:
                edges[-1]["conditional"] = True
        return {"nodes": nodes, "edges": edges}

    # Changing it.

    def next_id(self) -> str:
        """Return an id for a new node."""
        return uuid4().hex

    def add_node(self, data: object, id: str | None = None, *, metadata: dict[str, Any] | None = None) -> Node:
        """Add a node; :class:`ValueError` if there is one with its id."""
        if id is not None and id in self.nodes:
            raise ValueError(f"Node with id {id} already exists")
        new_id = id or self.next_id()
        node = self.nodes[new_id] = Node(new_id, node_data_str(new_id, data), data, metadata)
        return node

    def remove_node(self, node: Node) -> None:
        """Remove a node and its edges."""
        self.nodes.pop(node.id)
        self.edges = [edge for edge in self.edges if node.id not in (edge.source, edge.target)]

    def add_edge(
        self, source: Node, target: Node, data: Stringifiable | None = None, conditional: bool = False
    ) -> Edge:
        """Add an edge; :class:`ValueError` if one of its nodes is not in the graph."""
        for described, node in (("Source", source), ("Target", target)):
            if node.id not in self.nodes:
                raise ValueError(f"{described} node {node.id} not in graph")
        edge = Edge(source.id, target.id, data, conditional)
        self.edges.append(edge)
        return edge

    def extend(self, graph: Graph, *, prefix: str = "") -> tuple[Node | None, Node | None]:
        """Add the nodes and the edges of another graph, under ``prefix`` if they have readable ids.

        Returns its first and its last node. Nothing connects the two graphs yet.
        """
        readable = prefix and not all(is_uuid(node.id) for node in graph.nodes.values())
        prefix = f"{prefix}:" if readable else ""
        self.nodes.update({prefix + id: node.copy(id=prefix + id) for id, node in graph.nodes.items()})
        self.edges += [edge.copy(source=prefix + edge.source, target=prefix + edge.target) for edge in graph.edges]
        first, last = graph.first_node(), graph.last_node()
        return first and first.copy(id=prefix + first.id), last and last.copy(id=prefix + last.id)

    def reid(self) -> Graph:
        """Return the graph with names for ids, where those are UUIDs; equal names are numbered."""
        named: dict[str, list[str]] = defaultdict(list)
        for node in self.nodes.values():
            named[node.name].append(node.id)
        ids: dict[str, str] = {}
        for name, same in named.items():
            for place, id in enumerate(same, 1):
                ids[id] = id if not is_uuid(id) else name if len(same) == 1 else f"{name}_{place}"
        return Graph(
            {ids[id]: node.copy(id=ids[id]) for id, node in self.nodes.items()},
            [edge.copy(source=ids[edge.source], target=ids[edge.target]) for edge in self.edges],
        )

    # Its ends.

    def first_node(self) -> Node | None:
        """Return the one node that no edge leads to; ``None`` if there is not exactly one."""
        return self._only_node(lambda edge: (edge.source, edge.target))

    def last_node(self) -> Node | None:
        """Return the one node that no edge leaves; ``None`` if there is not exactly one."""
        return self._only_node(lambda edge: (edge.target, edge.source))

    def trim_first_node(self) -> None:
        """Remove the first node if it has one edge, and another node is the first then."""
        self._trim(lambda edge: (edge.source, edge.target))

    def trim_last_node(self) -> None:
        """Remove the last node if it has one edge, and another node is the last then."""
        self._trim(lambda edge: (edge.target, edge.source))

    def _only_node(self, ends: Callable[[Edge], tuple[str, str]], without: Collection[str] = ()) -> Node | None:
        """Return the one node that no edge leads to, as ``ends`` reads the edges; ``without`` is left out."""
        pairs = map(ends, self.edges)
        reached = {*without, *(end for start, end in pairs if start not in without)}
        found = [node for node in self.nodes.values() if node.id not in reached]
        return found[0] if len(found) == 1 else None

    def _trim(self, ends: Callable[[Edge], tuple[str, str]]) -> None:
        node = self._only_node(ends)
        if node is None or self._only_node(ends, (node.id,)) is None:
            return
        if len({edge for edge in self.edges if ends(edge)[0] == node.id}) == 1:
            self.remove_node(node)

    # Drawing it.

    def draw_ascii(self) -> str:
        """Return the graph, drawn with characters; :class:`ImportError` if grandalf is not installed."""
        from .graph_ascii import draw_ascii

        return draw_ascii({node.id: node.name for node in self.nodes.values()}, self.edges)

    def print_ascii(self) -> None:
        """Print the graph, drawn with characters."""
        print(self.draw_ascii())

    def draw_mermaid(
        self,
        *,
        with_styles: bool = True,
        curve_style: CurveStyle = CurveStyle.LINEAR,
        node_colors: NodeStyles | None = None,
        wrap_label_n_words: int = 9,
        frontmatter_config: dict[str, Any] | None = None,
    ) -> str:
        """Return the graph as a text for Mermaid. ``frontmatter_config`` is written by PyYAML."""
        from .graph_mermaid import draw_mermaid

        graph = self.reid()
        first, last = graph.first_node(), graph.last_node()
        return draw_mermaid(
            graph.nodes,
            graph.edges,
            first_node=first and first.id,
            last_node=last and last.id,
            with_styles=with_styles,
            curve_style=curve_style,
            node_styles=node_colors,
            wrap_label_n_words=wrap_label_n_words,
            frontmatter_config=frontmatter_config,
        )

    def draw_png(self, *args: object, **kwargs: Any) -> bytes:
        """Raise :class:`~millstream.UnsupportedError`: images are not drawn here."""
        from .graph_mermaid import draw_mermaid_png

        return draw_mermaid_png(*args, **kwargs)

    draw_mermaid_png = draw_png


def _is_runnable(data: object) -> bool:
    return not isinstance(data, type) and hasattr(data, "get_name") and hasattr(data, "invoke")


def _path_of(runnable: object) -> list[str]:
    """Return the path of the class of a Runnable: LangChain's own says it."""
    if hasattr(runnable, "lc_id"):
        return list(runnable.lc_id())
    cls = type(runnable)
    return [*cls.__module__.split("."), cls.__name__]


def _json_schema(model: Any) -> dict[str, Any]:
    from .schemas import LenientJsonSchema

    schema: dict[str, Any] = model.model_json_schema(schema_generator=LenientJsonSchema)
    return schema

"""Graphs as texts for Mermaid, which draws flowcharts."""

from __future__ import annotations

import string
from collections.abc import Iterator, Mapping
from dataclasses import asdict
from typing import TYPE_CHECKING, Any

from ..errors import UnsupportedError
from .graph_parts import CurveStyle, NodeStyles

if TYPE_CHECKING:
    from .graph_parts import Edge, Node

__all__ = ("draw_mermaid", "draw_mermaid_png")

_ALLOWED = frozenset(string.ascii_letters + string.digits + "_-")
_MARKDOWN = ("*", "_", "`")
_ENTITIES = str.maketrans(
    {
        **{"#": "#35;", "[": "#91;", "]": "#93;", "(": "#40;", ")": "#41;", "{": "#123;", "}": "#125;"},
        **{'"': "#quot;", "<": "#60;", ">": "#62;", "|": "#124;"},
    }
)


def draw_mermaid(
    nodes: Mapping[str, Node],
    edges: list[Edge],
    *,
    first_node: str | None = None,
    last_node: str | None = None,
    with_styles: bool = True,
    curve_style: CurveStyle = CurveStyle.LINEAR,
    node_styles: NodeStyles | None = None,
    wrap_label_n_words: int = 9,
    frontmatter_config: dict[str, Any] | None = None,
) -> str:
    """Return a graph as a text for Mermaid.

    A node whose id has colons stands in a subgraph, named by the part before the last one.
    Raises :class:`ValueError` if two subgraphs have one name.
    """
    chart = _Chart(nodes, edges, first_node, last_node, with_styles=with_styles, words=wrap_label_n_words)
    head = _frontmatter(frontmatter_config or {}, curve_style) if with_styles else ""
    styles = asdict(node_styles or NodeStyles()) if with_styles else {}
    classes = [f"\tclassDef {name} {style}\n" for name, style in styles.items()]
    return "".join([head, "graph TD;\n", *chart.lines(), *classes])


def draw_mermaid_png(*args: object, **kwargs: Any) -> bytes:
    """Raise :class:`~millstream.UnsupportedError`: images are not drawn here."""
    raise UnsupportedError("Millstream draws no images of graphs: pass the text of draw_mermaid() to a renderer.")


class _Chart:
    """The nodes, subgraphs and edges of a chart."""

    def __init__(
        self,
        nodes: Mapping[str, Node],
        edges: list[Edge],
        first: str | None,
        last: str | None,
        *,
        with_styles: bool,
        words: int,
    ) -> None:
        self._with_styles = with_styles
        self._words = words
        self._ends = {first: "([{}]):::first", last: "([{}]):::last"}
        # The nodes by the subgraph in which they stand, and the edges by that which holds both ends.
        self._nodes: dict[str, dict[str, Node]] = {"": {}}
        self._edges: dict[str, list[Edge]] = {}
        self._seen: set[str] = set()
        for key, node in nodes.items():
            self._nodes.setdefault(key.rpartition(":")[0], {})[key] = node
        for edge in edges:
            parts = zip(edge.source.split(":"), edge.target.split(":"), strict=False)
            self._edges.setdefault(":".join(source for source, target in parts if source == target), []).append(edge)

    def lines(self) -> Iterator[str]:
        """Yield the lines of the chart."""
        yield from self._node_lines("")
        yield from self._subgraph("")
        for prefix in self._edges:
            if prefix and ":" not in prefix:
                yield from self._subgraph(prefix)
                self._seen.add(prefix)
        for prefix in self._nodes if self._with_styles else ():
            if prefix and ":" not in prefix and prefix not in self._seen:
                yield f"\tsubgraph {prefix}\n"
                yield from self._node_lines(prefix)
                yield "\tend\n"
                self._seen.add(prefix)

    def _subgraph(self, prefix: str) -> Iterator[str]:
        """Yield the lines of a subgraph, and of those in it; the outermost one has no name."""
        edges = self._edges.get(prefix, [])
        is_loop = len(edges) == 1 and edges[0].source == edges[0].target
        framed = bool(prefix) and not is_loop
        if framed:
            name = prefix.rpartition(":")[2]
            if name in self._seen:
                raise ValueError(
                    f"Found duplicate subgraph '{name}' -- this likely means that you're reusing a subgraph node with "
                    "the same name. Please adjust your graph to have subgraph nodes with unique names."
                )
            self._seen.add(name)
            yield f"\tsubgraph {name}\n"
            yield from self._node_lines(prefix)
        for edge in edges:
            yield f"\t{_to_safe_id(edge.source)}{self._arrow(edge)}{_to_safe_id(edge.target)};\n"
        for nested in self._edges:
            if nested.startswith(f"{prefix}:") and ":" not in nested[len(prefix) + 1 :]:
                yield from self._subgraph(nested)
        if framed:
            yield "\tend\n"

    def _node_lines(self, prefix: str) -> Iterator[str]:
        for key, node in self._nodes.get(prefix, {}).items() if self._with_styles else ():
            shape = self._ends.get(key, "({})")
            yield f"\t{_to_safe_id(key)}{shape.format(_label(node))}\n"

    def _arrow(self, edge: Edge) -> str:
        if edge.data is None:
            return " -.-> " if edge.conditional else " --> "
        words = str(edge.data).split()
        label: Any = edge.data
        if len(words) > self._words:
            lines = [" ".join(words[start : start + self._words]) for start in range(0, len(words), self._words)]
            label = "&nbsp<br>&nbsp".join(lines)
        return f" -. &nbsp;{label}&nbsp; .-> " if edge.conditional else f" -- &nbsp;{label}&nbsp; --> "


def _label(node: Node) -> str:
    """Return the label of a node: its name, and under a line its metadata."""
    name = node.name.rpartition(":")[2]
    label = f"<p>{name}</p>" if name.startswith(_MARKDOWN) and name.endswith(_MARKDOWN) else name
    lines = [
        f"{key} = {shown}".translate(_ENTITIES)
        for key, value in (node.metadata or {}).items()
        if (shown := _shown(value)) is not None
    ]
    return f"{label}<hr/><small><em>" + "\n".join(lines) + "</em></small>" if lines else label


def _shown(value: object) -> str | None:
    """Return a value of the metadata as a text; ``None`` if it is not a scalar, or a list of scalars."""
    scalars = (str, int, float, bool)
    if isinstance(value, scalars):
        return str(value)
    if isinstance(value, list | tuple | set) and all(isinstance(item, scalars) for item in value):
        items = [str(item) for item in value]
        return ", ".join(sorted(items) if isinstance(value, set) else items)
    return None


def _to_safe_id(label: str) -> str:
    """Return an id that Mermaid takes: a backslash and the code point stand for any other character."""
    return "".join([char if char in _ALLOWED else f"\\{ord(char):x}" for char in label])


def _frontmatter(settings: dict[str, Any], curve: CurveStyle) -> str:
    """Return the head of the text: ``settings``, with the style of the edges."""
    if not settings:
        return f"---\nconfig:\n  flowchart:\n    curve: {curve.value}\n---\n"
    try:
        import yaml
    except ImportError as error:
        raise ImportError("Install PyYAML to pass frontmatter_config: `pip install pyyaml`.") from error
    config = settings.get("config", {})
    flowchart = {**config.get("flowchart", {}), "curve": curve.value}
    text = yaml.dump({**settings, "config": {**config, "flowchart": flowchart}}, default_flow_style=False)
    return f"---\n{text}---\n"

"""The parts of graphs: nodes, edges, and the styles in which they are drawn."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from enum import Enum
from typing import Any, NamedTuple, Protocol, TypedDict
from uuid import UUID

__all__ = (
    "Branch",
    "CurveStyle",
    "Edge",
    "LabelsDict",
    "MermaidDrawMethod",
    "Node",
    "NodeStyles",
    "Stringifiable",
    "is_uuid",
)


class Stringifiable(Protocol):
    """The label of an edge; it is drawn as its text."""

    def __str__(self) -> str:
        """Return the text."""


class LabelsDict(TypedDict):
    """Labels for nodes and edges, by their ids."""

    nodes: dict[str, str]
    edges: dict[str, str]


def is_uuid(value: str) -> bool:
    """Return whether ``value`` is the text of a UUID."""
    try:
        UUID(value)
    except ValueError:
        return False
    return True


class Edge(NamedTuple):
    """An edge from one node to another, by their ids."""

    source: str
    target: str
    data: Stringifiable | None = None
    conditional: bool = False

    def copy(self, *, source: str | None = None, target: str | None = None) -> Edge:
        """Return the edge with other ends."""
        return self._replace(source=source or self.source, target=target or self.target)


class Node(NamedTuple):
    """A node: a Runnable, a schema, or anything else that stands in a graph."""

    id: str
    name: str
    data: Any
    metadata: dict[str, Any] | None

    def copy(self, *, id: str | None = None, name: str | None = None) -> Node:
        """Return the node with another id or name."""
        return self._replace(id=id or self.id, name=name or self.name)


class Branch(NamedTuple):
    """A condition, and the ids of the nodes that its results lead to."""

    condition: Callable[..., str]
    ends: dict[str, str] | None


class CurveStyle(Enum):
    """The styles in which Mermaid draws edges."""

    BASIS = "basis"
    BUMP_X = "bumpX"
    BUMP_Y = "bumpY"
    CARDINAL = "cardinal"
    CATMULL_ROM = "catmullRom"
    LINEAR = "linear"
    MONOTONE_X = "monotoneX"
    MONOTONE_Y = "monotoneY"
    NATURAL = "natural"
    STEP = "step"
    STEP_AFTER = "stepAfter"
    STEP_BEFORE = "stepBefore"


@dataclass
class NodeStyles:
    """The styles in which Mermaid draws nodes, as in its ``classDef``."""

    default: str = "fill:#f2f0ff,line-height:1.2"
    first: str = "fill-opacity:0"
    last: str = "fill:#bfb6fc"


class MermaidDrawMethod(Enum):
    """The programs by which LangChain draws images; Millstream draws texts alone."""

    PYPPETEER = "pyppeteer"
    API = "api"

"""Graphs drawn with characters. The layout is grandalf's, which is imported when a graph is drawn."""

from __future__ import annotations

import math
import os
from collections.abc import Iterable, Iterator, Mapping, Sequence
from itertools import pairwise
from typing import Any

__all__ = ("AsciiCanvas", "VertexViewer", "draw_ascii")


class VertexViewer:
    """The size of a node's box, for the layout."""

    HEIGHT = 3

    def __init__(self, name: str) -> None:
        self._w = len(name) + 2

    @property
    def h(self) -> int:
        """The height: the text between two edges."""
        return self.HEIGHT

    @property
    def w(self) -> int:
        """The width: the text between two edges."""
        return self._w


class _EdgeViewer:
    """The points of an edge; the layout sets them."""

    def __init__(self) -> None:
        self.pts: list[tuple[float, float]] = []

    def setpath(self, points: list[tuple[float, float]]) -> None:
        self.pts = points


class AsciiCanvas:
    """Lines of characters to draw on; :class:`ValueError` for what lies outside."""

    def __init__(self, cols: int, lines: int) -> None:
        if cols <= 1 or lines <= 1:
            raise ValueError("Canvas dimensions should be > 1")
        self.cols = cols
        self.lines = lines
        self.canvas = [[" "] * cols for _ in range(lines)]

    def draw(self) -> str:
        """Return the lines as one text."""
        return os.linesep.join(map("".join, self.canvas))

    def point(self, x: int, y: int, char: str) -> None:
        """Draw one character."""
        if len(char) != 1:
            raise ValueError("char should be a single character")
        if not 0 <= x < self.cols:
            raise ValueError("x should be >= 0 and < number of columns")
        if not 0 <= y < self.lines:
            raise ValueError("y should be >= 0 and < number of lines")
        self.canvas[y][x] = char

    def line(self, x0: int, y0: int, x1: int, y1: int, char: str) -> None:
        """Draw a line of ``char``."""
        if x0 > x1:
            x0, y0, x1, y1 = x1, y1, x0, y0
        dx, dy = x1 - x0, y1 - y0
        if abs(dx) >= abs(dy):
            for x in range(x0, x1 + 1):
                self.point(x, y0 if dx == 0 else y0 + round((x - x0) * dy / dx), char)
            return
        start, from_y = (x0, y0) if y0 < y1 else (x1, y1)
        for y in range(min(y0, y1), max(y0, y1) + 1):
            self.point(x0 if dx == 0 else start + round((y - from_y) * dx / dy), y, char)

    def text(self, x: int, y: int, text: str) -> None:
        """Write ``text`` to the right of a point."""
        for place, char in enumerate(text):
            self.point(x + place, y, char)

    def box(self, x0: int, y0: int, width: int, height: int) -> None:
        """Draw a box with its upper left corner at a point."""
        if width <= 1 or height <= 1:
            raise ValueError("Box dimensions should be > 1")
        x1, y1 = x0 + width - 1, y0 + height - 1
        for x in range(x0, x1):
            self.point(x, y0, "-")
            self.point(x, y1, "-")
        for y in range(y0, y1):
            self.point(x0, y, "|")
            self.point(x1, y, "|")
        for x, y in ((x0, y0), (x1, y0), (x0, y1), (x1, y1)):
            self.point(x, y, "+")


def draw_ascii(vertices: Mapping[Any, str], edges: Sequence[tuple[Any, Any, Any, Any]]) -> str:
    """Return a graph, drawn with characters.

    ``vertices`` are the names of the nodes by their ids; an edge is a source, a target, anything, and whether
    it is conditional. Raises :class:`ImportError` if grandalf is not installed.
    """
    layout = _layout(vertices, edges)
    corners = [corner for vertex in layout.sV for corner in _corners(vertex)]
    corners += [point for edge in layout.sE for point in edge.view.pts]
    left, top = min(x for x, _ in corners), min(y for _, y in corners)
    right, bottom = max(x for x, _ in corners), max(y for _, y in corners)
    canvas = AsciiCanvas(math.ceil(right) - math.floor(left) + 1, round(bottom - top))
    # The edges come first, so that boxes cover them.
    for edge in layout.sE:
        _draw_edge(canvas, [(round(x - left), round(y - top)) for x, y in edge.view.pts], "." if edge.data else "*")
    for vertex in layout.sV:
        x, y = next(_corners(vertex))
        column, row = round(x - left), round(y - top)
        canvas.box(column, row, vertex.view.w, vertex.view.h)
        canvas.text(column + 1, row + 1, vertex.data)
    return canvas.draw()


def _layout(vertices: Mapping[Any, str], edges: Iterable[tuple[Any, Any, Any, Any]]) -> Any:
    """Return grandalf's graph with the places of the boxes and the points of the edges."""
    try:
        from grandalf.graphs import Edge, Graph, Vertex
        from grandalf.layouts import SugiyamaLayout
        from grandalf.routing import route_with_lines
    except ImportError as error:
        raise ImportError("Install grandalf to draw graphs: `pip install grandalf`.") from error
    boxes = {id: Vertex(f" {name} ") for id, name in vertices.items()}
    lines = [Edge(boxes[source], boxes[target], data=conditional) for source, target, _, conditional in edges]
    graph = Graph(boxes.values(), lines)
    for box in boxes.values():
        box.view = VertexViewer(box.data)
    for line in lines:
        line.view = _EdgeViewer()
    part = graph.C[0]
    layout = SugiyamaLayout(part)
    layout.init_all(roots=[vertex for vertex in part.sV if not vertex.e_in()], optimize=True)
    layout.yspace = VertexViewer.HEIGHT
    layout.xspace = min(box.view.w for box in boxes.values())
    layout.route_edge = route_with_lines
    layout.draw()
    return layout.g


def _corners(vertex: Any) -> Iterator[tuple[float, float]]:
    """Yield the upper left and the lower right corner of a box, whose place is the middle of its upper edge."""
    (x, y), width = vertex.view.xy, vertex.view.w
    yield x - width / 2, y
    yield x + width / 2, y + vertex.view.h


def _draw_edge(canvas: AsciiCanvas, points: list[tuple[int, int]], char: str) -> None:
    if len(points) <= 1:
        raise ValueError("Not enough points to draw an edge")
    for start, end in pairwise(points):
        canvas.line(*start, *end, char)

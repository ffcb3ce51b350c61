"""Graphs of Runnables: the nodes, the edges and the texts of LangChain's."""

import sys
from typing import Any
from uuid import uuid4

import langchain_core.runnables as theirs
import langchain_core.runnables.graph as their_graph
import pytest
from langchain_core.prompts import PromptTemplate as TheirPromptTemplate
from langchain_core.runnables.graph_ascii import AsciiCanvas as TheirCanvas
from langchain_core.runnables.graph_mermaid import draw_mermaid as draw_their_mermaid
from pydantic import BaseModel

import millstream.runnables as ours
from millstream import UnsupportedError
from millstream.output_parsers import StrOutputParser
from millstream.prompts import PromptTemplate
from millstream.runnables import graph as our_graph
from millstream.runnables.graph import CurveStyle, Edge, Graph, Node, NodeStyles, node_data_json
from millstream.runnables.graph_ascii import AsciiCanvas, draw_ascii
from millstream.runnables.graph_mermaid import draw_mermaid
from millstream.runnables.runnable_graphs import prompts_in
from schema_shapes import graph_shape

Library = Any


def typed(x: int) -> str:
    return str(x)


def one(library: Library) -> Any:
    return library.RunnableLambda(typed)


def several(library: Library) -> Any:
    return library.RunnableLambda(typed) | typed | (lambda x: x["a"])


def nested(library: Library) -> Any:
    inner, other = several(library), one(library)

    def choose(x: Any) -> Any:
        return inner.invoke(x) if x else other.invoke(x)

    return library.RunnableLambda(typed).with_config(metadata={"key": 2}) | choose | typed


RUNNABLES = [one, several, nested]


@pytest.mark.parametrize("build", RUNNABLES)
def test_a_runnable_has_the_nodes_and_edges_of_langchains(build: Any) -> None:
    assert graph_shape(build(ours).get_graph()) == graph_shape(build(theirs).get_graph())
    config = {"metadata": {"a": [1]}}
    assert graph_shape(build(ours).get_graph(config)) == graph_shape(build(theirs).get_graph(config))


@pytest.mark.parametrize("build", RUNNABLES)
@pytest.mark.parametrize(
    "arguments",
    [
        {},
        {"with_styles": False},
        {"curve_style": CurveStyle.STEP, "node_colors": NodeStyles(first="fill:#fff"), "wrap_label_n_words": 1},
        {"frontmatter_config": {"config": {"theme": "neutral", "flowchart": {"a": 1}}, "title": "x: y"}},
    ],
    ids=str,
)
def test_a_runnable_is_drawn_for_mermaid_as_by_langchain(build: Any, arguments: dict[str, Any]) -> None:
    pytest.importorskip("yaml")
    their_arguments = {key: getattr(value, "name", value) for key, value in arguments.items()}
    if "curve_style" in arguments:
        their_arguments["curve_style"] = their_graph.CurveStyle[arguments["curve_style"].name]
    drawn = build(ours).get_graph().draw_mermaid(**arguments)
    assert drawn == build(theirs).get_graph().draw_mermaid(**their_arguments)


@pytest.mark.parametrize("build", RUNNABLES)
def test_a_runnable_is_drawn_with_characters_as_by_langchain(build: Any) -> None:
    pytest.importorskip("grandalf")
    assert build(ours).get_graph().draw_ascii() == build(theirs).get_graph().draw_ascii()


def test_without_grandalf_drawing_with_characters_is_an_error(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "grandalf.graphs", None)
    with pytest.raises(ImportError, match="Install grandalf to draw graphs: `pip install grandalf`"):
        draw_ascii({1: "a", 2: "b"}, [(1, 2, None, False)])


def test_a_canvas_has_points_lines_boxes_and_texts() -> None:
    def drawn(canvas: Any) -> str:
        for start in ((0, 0), (5, 2), (11, 5)):
            for end in ((11, 0), (0, 5), (6, 1), (5, 5), (2, 0)):
                canvas.line(*start, *end, "*")
        canvas.box(8, 3, 4, 3)
        canvas.text(9, 4, "ab")
        canvas.point(0, 5, ".")
        text: str = canvas.draw()
        return text

    assert drawn(AsciiCanvas(12, 6)) == drawn(TheirCanvas(12, 6))


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: AsciiCanvas(1, 2), "Canvas dimensions"),
        (lambda: AsciiCanvas(2, 2).point(0, 0, "ab"), "single character"),
        (lambda: AsciiCanvas(2, 2).point(2, 0, "a"), "number of columns"),
        (lambda: AsciiCanvas(2, 2).point(0, -1, "a"), "number of lines"),
        (lambda: AsciiCanvas(2, 2).box(0, 0, 1, 2), "Box dimensions"),
    ],
)
def test_nothing_is_drawn_outside_of_a_canvas(call: Any, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        call()


# A graph that is made by hand.


def made(library: Any) -> Any:
    """Return a graph with subgraphs, a loop, conditions, labels and metadata."""
    keys = ["__start__", "a", "sub:x", "sub:y", "sub:deep:z", "sub:deep:u", "lone:w", "*end*"]
    names = {key: key for key in keys} | {"*end*": "*end*"}
    data: dict[str, Any] = {
        "a": {"key": "v<>", "n": 1, "items": [1, "b"], "set": {"y", "x"}, "object": Any, "nested": [[1]]}
    }
    nodes = {key: library.Node(id=key, name=names[key], data=BaseModel, metadata=data.get(key)) for key in keys}
    edges = [
        library.Edge("__start__", "a"),
        library.Edge("a", "a", "again and again and again", True),
        library.Edge("a", "sub:x", "go", True),
        library.Edge("sub:x", "sub:y", "one two three four five six seven eight nine ten"),
        library.Edge("sub:y", "sub:deep:z", None, True),
        library.Edge("sub:deep:z", "sub:deep:u"),
        library.Edge("sub:deep:u", "*end*"),
    ]
    return library.Graph(nodes, edges)


def test_a_graph_made_by_hand_is_drawn_as_by_langchain() -> None:
    ours, theirs = made(our_graph), made(their_graph)
    for arguments in ({}, {"with_styles": False}, {"wrap_label_n_words": 2}):
        assert ours.draw_mermaid(**arguments) == theirs.draw_mermaid(**arguments)
    assert draw_mermaid(ours.nodes, ours.edges) == draw_their_mermaid(theirs.nodes, theirs.edges)
    assert ours.to_json() == theirs.to_json()


def test_two_subgraphs_of_one_name_are_an_error() -> None:
    nodes = {
        key: Node(key, key, None, None) for key in ("x:s:a", "x:s:b", "y:s:c", "y:s:d", "x:t", "x:u", "y:t", "y:u")
    }
    edges = [Edge("x:s:a", "x:s:b"), Edge("y:s:c", "y:s:d"), Edge("x:t", "x:u"), Edge("y:t", "y:u")]
    with pytest.raises(ValueError, match="Found duplicate subgraph 's'"):
        Graph(nodes, edges).draw_mermaid()


def test_nodes_and_edges_are_added_copied_and_removed() -> None:
    def build(library: Any) -> Any:
        graph, other = library.Graph(), library.Graph()
        first, second = graph.add_node(BaseModel, "first"), graph.add_node(None, "second", metadata={"a": 1})
        third = graph.add_node(BaseModel, "third")
        graph.add_edge(first, second)
        graph.add_edge(second, third, "x", True)
        with pytest.raises(ValueError, match="Node with id first already exists"):
            graph.add_node(None, "first")
        with pytest.raises(ValueError, match="Source node gone not in graph"):
            graph.add_edge(first.copy(id="gone"), second)
        with pytest.raises(ValueError, match="Target node gone not in graph"):
            graph.add_edge(first, first.copy(id="gone", name="n"))
        assert not other
        other.add_edge(other.add_node(BaseModel, "a"), other.add_node(BaseModel, "b"))
        assert other
        ends = graph.extend(other, prefix="p")
        alone = graph.extend(other)
        last = graph.last_node()
        graph.trim_first_node()
        graph.remove_node(second)
        return graph.to_json(), [tuple(end) for end in (*ends, *alone)], last

    assert build(our_graph) == build(their_graph)


def test_ends_are_trimmed_if_another_node_is_the_end_then() -> None:
    def build(library: Any) -> Any:
        graph = library.Graph()
        a, b, c = (graph.add_node(BaseModel, id) for id in "abc")
        graph.add_edge(a, b)
        graph.add_edge(b, c)
        graph.add_edge(a, c)
        graph.trim_first_node()
        graph.trim_last_node()
        kept = graph.to_json()
        graph.remove_node(b)
        graph.trim_first_node()
        graph.trim_last_node()
        return kept, graph.to_json()

    assert build(our_graph) == build(their_graph)


def test_ids_that_are_uuids_become_names() -> None:
    def build(library: Any) -> Any:
        graph = library.Graph()
        nodes = [graph.add_node(BaseModel), graph.add_node(BaseModel), graph.add_node(None, "own")]
        graph.add_edge(nodes[0], nodes[1])
        return graph.reid().to_json()

    assert build(our_graph) == build(their_graph)
    assert our_graph.is_uuid(str(uuid4()))
    assert not our_graph.is_uuid("x")


def test_anything_may_be_a_node() -> None:
    class Thing:
        __name__ = "thing"

    for library in (our_graph, their_graph):
        node = library.Graph().add_node(Thing())
        assert library.node_data_json(node) == {"type": "unknown", "data": "thing"}
    assert node_data_json(Node("a", "a", None, {"x": 1})) == {"metadata": {"x": 1}}


def test_images_are_not_drawn() -> None:
    graph = one(ours).get_graph()
    for draw in (graph.draw_png, graph.draw_mermaid_png):
        with pytest.raises(UnsupportedError, match="Millstream draws no images of graphs"):
            draw()


def test_a_chain_names_its_prompts_ours_and_langchains() -> None:
    prompt, their_prompt = PromptTemplate.from_template("{a}"), TheirPromptTemplate.from_template("{b}")
    assert (prompt | StrOutputParser()).get_prompts() == [prompt]
    assert StrOutputParser().get_prompts() == []
    graph = prompt.get_graph()
    graph.extend(their_prompt.get_graph())  # type: ignore[arg-type]
    assert prompts_in(graph) == [prompt, their_prompt]


def test_a_type_that_is_not_known_is_a_schema_without_fields() -> None:
    class Step(ours.Runnable[Any, Any]):
        @property
        def InputType(self) -> Any:
            raise TypeError

        OutputType = InputType

        def invoke(self, input: Any, config: Any = None, **kwargs: Any) -> Any:
            return input

    names = [node.name for node in Step().get_graph().nodes.values()]
    assert names == ["StepInput", "Step", "StepOutput"]


def test_the_names_are_those_of_langchains_module() -> None:
    names = ["Branch", "CurveStyle", "Edge", "Graph", "LabelsDict", "MermaidDrawMethod", "Node", "NodeStyles"]
    for name in [*names, "is_uuid", "node_data_json", "node_data_str"]:
        assert hasattr(our_graph, name), name
        assert hasattr(their_graph, name), name
    assert [style.value for style in our_graph.CurveStyle] == [style.value for style in their_graph.CurveStyle]

"""Parsers of tool calls: a stream gives what adding its chunks up gives, in time linear in the arguments."""

import json
from functools import reduce
from operator import add
from typing import Any

import pydantic
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from langchain_core import messages as theirs
from langchain_core.output_parsers import openai_tools as their_parsers

from millstream.exceptions import OutputParserException
from millstream.messages import AIMessage, AIMessageChunk
from millstream.messages.ai import merge_messages
from millstream.output_parsers.openai_tools import JsonOutputKeyToolsParser, JsonOutputToolsParser, PydanticToolsParser
from millstream.outputs import ChatGeneration

Piece = dict[str, Any]


class Person(pydantic.BaseModel):
    name: str = "nobody"


def piece(index: int | None = 0, **fields: Any) -> Piece:
    return {"name": None, "args": None, "id": None, **fields, "index": index}


def chunks_of(pieces: list[Any], module: Any = None) -> list[Any]:
    kind: Any = AIMessageChunk if module is None else module.AIMessageChunk
    return [kind(content="", tool_call_chunks=one if isinstance(one, list) else [one]) for one in pieces]


def streamed(parser: Any, chunks: list[Any]) -> list[Any]:
    return list(parser.transform(iter(chunks)))


def added_up(parser: Any, chunks: list[Any]) -> list[Any]:
    """Return what the parser says of each sum of first chunks, where that differs from the one before."""
    outputs: list[Any] = []
    for end in range(1, len(chunks) + 1):
        output = parser.parse_result([ChatGeneration(merge_messages(chunks[:end]))], partial=True)
        if output is not None and (not outputs or output != outputs[-1]):
            outputs.append(output)
    return outputs


STREAMS: dict[str, tuple[list[Any], list[Any]]] = {
    "two calls at index 0 with other ids": (
        [
            piece(id="a", name="read_file", args='{"path": "x"}'),
            piece(id="b", name="search", args='{"q": '),
            piece(args='"y"}'),
        ],
        [{"args": {"path": "x"}, "type": "read_file"}, {"args": {"q": "y"}, "type": "search"}],
    ),
    "id and name in every chunk": (
        [piece(id="a", name="Person", args=text) for text in ('{"na', 'me": ', '"Ada"}')],
        [{"args": {"name": "Ada"}, "type": "Person"}],
    ),
    "calls without an index": (
        [piece(None, id="a", name="f", args='{"x": 1}'), piece(None, id="b", name="g", args='{"x": 2}')],
        [{"args": {"x": 1}, "type": "f"}, {"args": {"x": 2}, "type": "g"}],
    ),
    "arguments that are null": ([piece(id="a", name="f", args="nu"), piece(args="ll")], [{"args": {}, "type": "f"}]),
    "arguments that are white space": (
        [piece(id="a", name="f", args=" "), piece(args="\n")],
        [{"args": {}, "type": "f"}],
    ),
    "a name in pieces": ([piece(id="a", name="Per"), piece(name="son", args="{}")], [{"args": {}, "type": "Person"}]),
    "what JSON forbids and Python reads": (
        [piece(id="a", name="f", args='{"x": N'), piece(args='aN, "y": 1}')],
        None,  # type: ignore[dict-item]
    ),
}


@pytest.mark.parametrize(("pieces", "expected"), STREAMS.values(), ids=STREAMS)
def test_a_stream_gives_what_adding_the_chunks_up_gives(pieces: list[Any], expected: list[Any] | None) -> None:
    chunks = chunks_of(pieces)
    outputs = streamed(JsonOutputToolsParser(), chunks)
    assert repr(outputs[-1]) == repr(JsonOutputToolsParser().invoke(reduce(add, chunks)))
    if expected is not None:
        assert outputs[-1] == expected
        assert outputs == added_up(JsonOutputToolsParser(), chunks)


names = st.sampled_from([None, "", "f"])
ids = st.sampled_from([None, "", "a", "b"])
arguments = st.sampled_from([None, "", " ", "{", '"k":', '"v', '"', "1", "}", "{}", "null", "nu", "[", ", ", "x"])
pieces = st.builds(
    lambda index, **fields: piece(index, **fields),
    st.sampled_from([None, 0, 1]),
    name=names,
    id=ids,
    args=arguments,
)
PARSERS: list[Any] = [
    JsonOutputToolsParser(),
    JsonOutputToolsParser(return_id=True),
    JsonOutputToolsParser(first_tool_only=True),
    JsonOutputKeyToolsParser("f", first_tool_only=True, return_id=True),
    JsonOutputKeyToolsParser("f"),
]


@settings(max_examples=300, deadline=None)
@given(st.lists(st.lists(pieces, max_size=3), min_size=1, max_size=8), st.sampled_from(PARSERS))
def test_any_stream_gives_what_adding_the_chunks_up_gives(made: list[list[Piece]], parser: Any) -> None:
    chunks = chunks_of(made)
    assert streamed(parser, chunks) == added_up(parser, chunks)


calls = st.lists(
    st.tuples(st.sampled_from(["f", "g"]), st.dictionaries(st.sampled_from("ab"), st.integers(0, 9), max_size=2)),
    min_size=1,
    max_size=3,
)


@settings(max_examples=200, deadline=None)
@given(calls, st.integers(1, 5), st.booleans())
def test_calls_of_the_usual_form_stream_as_in_langchain(
    made: list[tuple[str, Any]], size: int, return_id: bool
) -> None:
    pieces: list[Any] = []
    for index, (name, args) in enumerate(made):
        text = json.dumps(args)
        pieces.append(piece(index, id=f"call_{index}", name=name, args=""))
        pieces += [piece(index, args=text[start : start + size]) for start in range(0, len(text), size)]
    for ours, their in (
        (JsonOutputToolsParser(return_id=return_id), their_parsers.JsonOutputToolsParser(return_id=return_id)),
        (
            JsonOutputKeyToolsParser("f", first_tool_only=True),
            their_parsers.JsonOutputKeyToolsParser(key_name="f", first_tool_only=True),
        ),
    ):
        own = [AIMessageChunk("hi"), *chunks_of(pieces)]
        their_own = [theirs.AIMessageChunk(content="hi"), *chunks_of(pieces, theirs)]
        assert streamed(ours, own) == streamed(their, their_own)


def test_a_class_is_found_by_a_name_that_comes_again_or_in_pieces() -> None:
    parser = PydanticToolsParser([Person], first_tool_only=True)
    again = [piece(id="a", name="Person", args=text) for text in ("{", '"name": "A', 'da"}')]
    assert streamed(parser, chunks_of(again))[-1] == Person(name="Ada")
    assert streamed(parser, chunks_of([piece(id="a", name="Per"), piece(name="son", args='{"name": "B"}')])) == [
        Person(name="B")
    ]
    with pytest.raises(OutputParserException, match=r"Unknown tool type: 'Animal'\. Available tools: Person"):
        streamed(parser, chunks_of([piece(id="a", name="Animal", args="{}")]))
    with pytest.raises(OutputParserException, match="Unknown tool type: 'Per'"):
        parser.invoke(AIMessage("", tool_calls=[{"name": "Per", "args": {}, "id": "a"}]))


def test_whole_messages_are_read_in_a_stream_too() -> None:
    message = AIMessage("", tool_calls=[{"name": "Person", "args": {"name": "Ada"}, "id": "a"}])
    assert streamed(JsonOutputToolsParser(), [message]) == [[{"args": {"name": "Ada"}, "type": "Person"}]]
    for parser in (JsonOutputToolsParser(), PydanticToolsParser([Person])):
        with pytest.raises(OutputParserException, match="only be used with a chat generation"):
            parser.invoke("a text")
        with pytest.raises(OutputParserException, match="only be used with a chat generation"):
            streamed(parser, ["a text"])


def test_calls_that_only_the_details_hold_are_read_as_in_langchain() -> None:
    raw = [{"id": "a", "function": {"name": "f", "arguments": "{bad"}}]
    for parser, module in ((JsonOutputToolsParser(), None), (their_parsers.JsonOutputToolsParser(), theirs)):
        kind: Any = AIMessage if module is None else module.AIMessage
        with pytest.raises(ValueError, match="Function f arguments:\n\n{bad\n\nare not valid JSON"):
            parser.invoke(kind(content="", additional_kwargs={"tool_calls": raw}))


def test_a_subclass_that_reads_results_its_own_way_does_so_in_a_stream() -> None:
    class Names(JsonOutputToolsParser):
        def parse_result(self, result: Any, *, partial: bool = False) -> Any:
            return [call["type"] for call in super().parse_result(result, partial=partial)]

    assert streamed(Names(), chunks_of([piece(id="a", name="f", args="{"), piece(args="}")])) == [["f"]]


def test_reading_the_first_call_costs_nothing_for_each_piece_of_another() -> None:
    reads = []

    class Counted(JsonOutputToolsParser):
        def _read(self, calls: list[Any], *, partial: bool) -> Any:
            reads.append(len(calls))
            return super()._read(calls, partial=partial)

    first = [piece(0, id="a", name="f", args='{"text": "' + "x" * 1000 + '"}')]
    rest = [piece(1, id="b", name="g", args='{"text": "'), *(piece(1, args="y") for _ in range(1000))]
    assert len(streamed(Counted(first_tool_only=True), chunks_of(first + rest))) == 1
    assert reads == [1]

"""Parsers of tool calls: a stream yields the outputs for the merged chunks, in time linear in the arguments."""

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
    cls: Any = AIMessageChunk if module is None else module.AIMessageChunk
    return [cls(content="", tool_call_chunks=one if isinstance(one, list) else [one]) for one in pieces]


def stream_outputs(parser: Any, chunks: list[Any]) -> list[Any]:
    return list(parser.transform(iter(chunks)))


def outputs_of_sums(parser: Any, chunks: list[Any]) -> list[Any]:
    """Return the outputs for the merged first chunks, for each number of them, without repetitions."""
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
def test_a_stream_yields_the_outputs_for_the_merged_chunks(pieces: list[Any], expected: list[Any] | None) -> None:
    chunks = chunks_of(pieces)
    outputs = stream_outputs(JsonOutputToolsParser(), chunks)
    assert repr(outputs[-1]) == repr(JsonOutputToolsParser().invoke(reduce(add, chunks)))
    if expected is not None:
        assert outputs[-1] == expected
        assert outputs == outputs_of_sums(JsonOutputToolsParser(), chunks)


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
    JsonOutputKeyToolsParser(key_name="f", first_tool_only=True, return_id=True),
    JsonOutputKeyToolsParser(key_name="f"),
]


@settings(max_examples=300, deadline=None)
@given(st.lists(st.lists(pieces, max_size=3), min_size=1, max_size=8), st.sampled_from(PARSERS))
def test_any_stream_yields_the_outputs_for_the_merged_chunks(made: list[list[Piece]], parser: Any) -> None:
    chunks = chunks_of(made)
    assert stream_outputs(parser, chunks) == outputs_of_sums(parser, chunks)


calls = st.lists(
    st.tuples(st.sampled_from(["f", "g"]), st.dictionaries(st.sampled_from("ab"), st.integers(0, 9), max_size=2)),
    min_size=1,
    max_size=3,
)


@settings(max_examples=200, deadline=None)
@given(calls, st.integers(1, 5), st.booleans())
def test_calls_in_the_usual_format_stream_as_in_langchain(
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
            JsonOutputKeyToolsParser(key_name="f", first_tool_only=True),
            their_parsers.JsonOutputKeyToolsParser(key_name="f", first_tool_only=True),
        ),
    ):
        own = [AIMessageChunk("hi"), *chunks_of(pieces)]
        their_own = [theirs.AIMessageChunk(content="hi"), *chunks_of(pieces, theirs)]
        assert stream_outputs(ours, own) == stream_outputs(their, their_own)


def test_a_class_is_found_by_a_repeated_or_split_name() -> None:
    parser = PydanticToolsParser(tools=[Person], first_tool_only=True)
    again = [piece(id="a", name="Person", args=text) for text in ("{", '"name": "A', 'da"}')]
    assert stream_outputs(parser, chunks_of(again))[-1] == Person(name="Ada")
    assert stream_outputs(parser, chunks_of([piece(id="a", name="Per"), piece(name="son", args='{"name": "B"}')])) == [
        Person(name="B")
    ]
    with pytest.raises(OutputParserException, match=r"Unknown tool type: 'Animal'\. Available tools: Person"):
        stream_outputs(parser, chunks_of([piece(id="a", name="Animal", args="{}")]))
    with pytest.raises(OutputParserException, match="Unknown tool type: 'Per'"):
        parser.invoke(AIMessage("", tool_calls=[{"name": "Per", "args": {}, "id": "a"}]))


def test_complete_messages_are_parsed_in_a_stream_too() -> None:
    message = AIMessage("", tool_calls=[{"name": "Person", "args": {"name": "Ada"}, "id": "a"}])
    assert stream_outputs(JsonOutputToolsParser(), [message]) == [[{"args": {"name": "Ada"}, "type": "Person"}]]
    for parser in (JsonOutputToolsParser(), PydanticToolsParser(tools=[Person])):
        with pytest.raises(OutputParserException, match="only be used with a chat generation"):
            parser.invoke("a text")
        with pytest.raises(OutputParserException, match="only be used with a chat generation"):
            stream_outputs(parser, ["a text"])


def test_calls_in_additional_kwargs_alone_are_read_as_in_langchain() -> None:
    raw = [{"id": "a", "function": {"name": "f", "arguments": "{bad"}}]
    for parser, module in ((JsonOutputToolsParser(), None), (their_parsers.JsonOutputToolsParser(), theirs)):
        cls: Any = AIMessage if module is None else module.AIMessage
        with pytest.raises(ValueError, match="Function f arguments:\n\n{bad\n\nare not valid JSON"):
            parser.invoke(cls(content="", additional_kwargs={"tool_calls": raw}))


def test_the_parse_result_of_a_subclass_is_used_in_a_stream() -> None:
    class Names(JsonOutputToolsParser):
        def parse_result(self, result: Any, *, partial: bool = False) -> Any:
            return [call["type"] for call in super().parse_result(result, partial=partial)]

    assert stream_outputs(Names(), chunks_of([piece(id="a", name="f", args="{"), piece(args="}")])) == [["f"]]


def test_parsing_the_first_call_costs_nothing_for_pieces_of_other_calls() -> None:
    reads = []

    class Counted(JsonOutputToolsParser):
        def _read(self, calls: list[Any], *, partial: bool) -> Any:
            reads.append(len(calls))
            return super()._read(calls, partial=partial)

    first = [piece(0, id="a", name="f", args='{"text": "' + "x" * 1000 + '"}')]
    rest = [piece(1, id="b", name="g", args='{"text": "'), *(piece(1, args="y") for _ in range(1000))]
    assert len(stream_outputs(Counted(first_tool_only=True), chunks_of(first + rest))) == 1
    assert reads == [1]

"""The arguments of tool calls: incomplete, blank, null, and invalid."""

import json
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from langchain_core.utils.json import parse_partial_json

from millstream import ChatOpenAI
from millstream import messages as ours
from millstream.messages.partial_json import read_partial_json
from millstream.testing.memory import MemoryTransport

Fields = dict[str, Any]


def piece(index: int, **fields: Any) -> Any:
    """Return a piece of a call."""
    return {"name": None, "args": None, "id": None, **fields, "index": index}


documents = st.recursive(
    st.none() | st.booleans() | st.integers(-999, 999) | st.floats(-9, 9) | st.text('ab \\"é🎣{}[],:', max_size=4),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text('ab"\\', max_size=2), inner, max_size=3),
    max_leaves=6,
)


@settings(max_examples=200, deadline=None)
@given(st.dictionaries(st.text('ab"', max_size=2), documents, max_size=3), st.data())
def test_incomplete_arguments_are_read_as_in_langchain(document: Any, data: st.DataObject) -> None:
    text = json.dumps(document, ensure_ascii=False, separators=data.draw(st.sampled_from([(", ", ": "), (",", ":")])))
    begun = text[: data.draw(st.integers(1, len(text)))]
    assert read_partial_json(begun) == parse_partial_json(begun)


PARTIAL: list[tuple[str, Any]] = [
    ('{"a": "x\\', {"a": "x"}),
    ('{"a": "x\\u12', {"a": "x"}),
    ('{"a": "x\\ud83c', {"a": "x"}),
    ('{"a": "x\\ud83c\\', {"a": "x"}),
    ('{"a": "x\\ud83c\\udfa3', {"a": "x🎣"}),
    ('{"a": "x\\ud83cy', {"a": "x\ufffdy"}),
    ('{"a": "\\\\ud83c', {"a": "\\ud83c"}),
    ('{"a": "line\nline', {"a": "line\nline"}),
    ('{"a": tru', {}),
    ('{"a": true, "b": fal', {"a": True}),
    ('{"a": -', {}),
    ('{"a": 1.', {"a": 1}),
    ('{"a": 1.5e', {"a": 1.5}),
    ('{"a": [', {"a": []}),
    ('{"a": [1,', {"a": [1]}),
    (' {"a" :', {}),
    ('{"a": 1} and more', {"a": 1}),
    ("[1, 2", [1, 2]),
    ('"ab', "ab"),
]


@pytest.mark.parametrize(("text", "value"), PARTIAL)
def test_unfinished_values_end_with_the_text(text: str, value: Any) -> None:
    assert read_partial_json(text) == value


@pytest.mark.parametrize("text", ["x", "tru", "]", '{"a": 1]', "{]", "[1 2", "[" * 100_000])
def test_arguments_that_do_not_begin_valid_json_make_an_invalid_call(text: str) -> None:
    with pytest.raises((ValueError, RecursionError)):
        read_partial_json(text)
    chunk = ours.AIMessageChunk("", tool_call_chunks=[piece(0, args=text)])
    assert (chunk.tool_calls, len(chunk.invalid_tool_calls)) == ([], 1)


@pytest.mark.parametrize("text", ["", " ", "null", "\n null ", "n", "nul", None])
def test_null_and_blank_arguments_are_an_empty_dict(text: Any) -> None:
    chunk = ours.AIMessageChunk("", tool_call_chunks=[piece(0, name="f", id="a", args=text)])
    assert chunk.tool_calls == [{"name": "f", "args": {}, "id": "a", "type": "tool_call"}]


WRONG_CALLS: list[tuple[Fields, str]] = [
    ({"tool_calls": 1}, "tool_calls must be a list, not int"),
    ({"tool_call_chunks": {"name": "f"}}, "tool_call_chunks must be a list, not dict"),
    ({"tool_calls": ["f"]}, "a tool call must be a dict, not str"),
    ({"tool_calls": [{"name": "f", "args": {}}]}, "a tool call must have 'id'"),
    ({"tool_calls": [{"name": 1, "args": {}, "id": None}]}, "a tool call's name must be a str, not int"),
    ({"tool_calls": [{"name": "f", "args": [1], "id": None}]}, "a tool call's args must be a dict, not list"),
    ({"invalid_tool_calls": [None]}, "an invalid tool call must be a dict, not NoneType"),
    ({"tool_call_chunks": [5]}, "a piece of a tool call must be a dict, not int"),
    ({"tool_call_chunks": [{"args": {}}]}, "a tool call chunk's args must be a str, not dict"),
]


@pytest.mark.parametrize(("fields", "message"), WRONG_CALLS)
def test_invalid_calls_explain_the_error(fields: Fields, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        ours.AIMessageChunk("", **fields)


def answers(arguments: str) -> dict[bool, list[bytes]]:
    """Return an answer that calls a tool, streamed and complete."""
    function = {"name": "f", "arguments": arguments}
    call = {"id": "a", "type": "function", "function": function}
    begun = {"index": 0, **call, "function": {**function, "arguments": arguments[:2]}}
    deltas: list[Any] = [{"tool_calls": [begun]}]
    deltas += [{"tool_calls": [{"index": 0, "function": {"arguments": rest}}]} for rest in arguments[2:]]
    choices: list[Any] = [{"index": 0, "delta": delta} for delta in deltas]
    choices.append({"index": 0, "delta": {}, "finish_reason": "tool_calls"})
    frames = [f"data: {json.dumps({'choices': [choice]})}\n\n".encode() for choice in choices]
    message = {"role": "assistant", "content": None, "tool_calls": [call]}
    body = {"choices": [{"index": 0, "message": message, "finish_reason": "tool_calls"}]}
    return {True: [*frames, b"data: [DONE]\n\n"], False: [json.dumps(body).encode()]}


@pytest.mark.parametrize("text", ["", "null", " ", "{}", '{"a": 1}', '{"path": "/tmp/x', "[1]", "{bad}", '{"a": 1'])
def test_an_answer_has_the_same_calls_whether_it_streamed_or_not(text: str) -> None:
    read = []
    for streaming, body in answers(text).items():
        model = ChatOpenAI(api_key="k", http_client=MemoryTransport(body), model="gpt-4o", streaming=streaming)
        answer = model.invoke("p")
        read.append((answer.tool_calls, answer.invalid_tool_calls))
        assert len(answer.tool_calls) + len(answer.invalid_tool_calls) == 1
    assert read[0] == read[1]
    if text.strip() in ("", "null"):
        assert read[0][0][0]["args"] == {}


@pytest.mark.parametrize("text", ["", "null", "{}", '{"a": 1}'])
def test_the_merged_chunks_have_the_calls_of_the_complete_answer(text: str) -> None:
    body = answers(text)
    streamed, whole = (
        ChatOpenAI(api_key="k", http_client=MemoryTransport(body[way]), model="gpt-4o") for way in (True, False)
    )
    first, *rest = streamed.stream("p")
    assert (first + rest).tool_calls == whole.invoke("p").tool_calls

"""Conversions of messages from users' representations, and to requests and text, compared with LangChain's."""

import copy
from typing import Any

import pytest
from langchain_core import messages as theirs
from langchain_openai.chat_models import base as their_openai
from langchain_openai.chat_models._compat import _convert_from_v1_to_chat_completions

from message_samples import BLOCKS, CALL, SAMPLES, SENT, USAGE, Made, make_both
from millstream import messages as ours
from millstream.language_models.prompt_text import to_prompt
from millstream.messages.openai import to_openai_message
from millstream.messages.tool_calls import read_raw_call

LIKE: list[Any] = [
    "hi",
    ("human", "hi"),
    ("ai", "hi"),
    ("system", BLOCKS),
    ("placeholder_is_no_role", "x"),
    ["user", "hi"],
    {"role": "user", "content": "hi", "name": "bob"},
    {"role": "developer", "content": "hi"},
    {
        "role": "assistant",
        "content": None,
        "tool_calls": [{"id": "1", "type": "function", "function": {"name": "f", "arguments": '{"a": 1}'}}],
    },
    {"role": "assistant", "content": "x", "tool_calls": [{**CALL, "type": "tool_call"}], "id": "i", "refusal": None},
    {"role": "tool", "content": "r", "tool_call_id": "1", "name": "f", "status": "error", "artifact": [1]},
    {"role": "function", "content": "r", "name": "f"},
    {"type": "human", "content": "hi", "additional_kwargs": {"a": 1}, "b": 2, "example": True},
    {"type": "ai", "content": "hi", "response_metadata": {"m": 1}},
    {
        "lc": 1,
        "type": "constructor",
        "id": ["langchain", "schema", "messages", "HumanMessage"],
        "kwargs": {"content": "x"},
    },
    {"content": "x"},
    {"role": "user"},
    ("a", "b", "c"),
    5,
    b"xx",
    {"role": "nobody", "content": "x"},
]


@pytest.mark.parametrize("like", LIKE)
def test_representations_are_converted_to_the_same_messages_as_in_langchain(like: Any) -> None:
    try:
        expected = theirs.convert_to_messages([copy.deepcopy(like)])[0]
    except (ValueError, NotImplementedError) as error:
        with pytest.raises((type(error), NotImplementedError)):
            ours.convert_to_messages([copy.deepcopy(like)])
        return
    (message,) = ours.convert_to_messages([copy.deepcopy(like)])
    assert (type(message).__name__, message.model_dump()) == (type(expected).__name__, expected.model_dump())


def test_dicts_keep_unknown_keys_as_in_langchain() -> None:
    (message,) = ours.convert_to_messages([{"role": "assistant", "content": "x", "usage_metadata": USAGE}])
    assert isinstance(message, ours.AIMessage)
    assert message.usage_metadata == USAGE
    dumped = ours.AIMessageChunk("x", chunk_position="last").model_dump()
    assert ours.convert_to_messages([dumped]) == [ours.AIMessageChunk("x", chunk_position="last")]
    packed = {
        "lc": 1,
        "type": "constructor",
        "id": ["langchain", "schema", "messages", "AIMessageChunk"],
        "kwargs": dumped,
    }
    assert ours.convert_to_messages([packed]) == [ours.AIMessageChunk("x", chunk_position="last")]
    spoken = ours.ChatMessage("x", role="r")
    assert ours.convert_to_messages(spoken) == ours.convert_to_messages([spoken.model_dump()]) == [spoken]


def test_conversations_are_formatted_as_in_langchain() -> None:
    samples = [make_both(sample) for sample in SAMPLES if sample[0] != "BaseMessage"]
    own, their = [pair[0] for pair in samples], [pair[1] for pair in samples]
    assert ours.get_buffer_string(own) == theirs.get_buffer_string(their) == to_prompt(own)
    prefixes = ("H", "A")
    assert ours.get_buffer_string(own, *prefixes, message_separator="|") == theirs.get_buffer_string(
        their, *prefixes, message_separator="|"
    )
    with pytest.raises(ValueError, match="unsupported message type"):
        ours.get_buffer_string([ours.BaseMessage("x", type="q")])


def test_chunks_are_converted_to_messages() -> None:
    for sample in SAMPLES:
        if sample[0] != "BaseMessage" and not {"foo", "example"} & sample[1].keys():
            own, their = make_both(sample)
            whole = theirs.message_chunk_to_message(their)
            message = ours.message_chunk_to_message(own)
            assert (type(message).__name__, message.model_dump()) == (type(whole).__name__, whole.model_dump())


@pytest.mark.parametrize("sample", [*SAMPLES[:-1], *(("HumanMessage", {"content": content}) for content in SENT)])
def test_requests_are_equal_to_those_of_langchain(sample: Made) -> None:
    own, their = make_both(sample)
    try:
        sent_by_them = _convert_from_v1_to_chat_completions(their) if isinstance(their, theirs.AIMessage) else their
        expected = their_openai._convert_message_to_dict(sent_by_them)
    except ValueError:
        with pytest.raises(ValueError):
            to_openai_message(own)
        return
    sent = to_openai_message(own)
    assert sent == expected
    assert list(sent) == list(expected)


def test_blocks_that_chat_completions_rejects_are_not_sent() -> None:
    message = ours.AIMessage(
        [{"type": "reasoning", "reasoning": "r"}, {"type": "text", "text": "x"}, {"type": "audio", "id": "a"}]
    )
    assert to_openai_message(message)["content"][0] == {"type": "text", "text": "x"}
    assert to_openai_message(message)["audio"] == {"id": "a"}


CONVERTED: list[Any] = [
    *SENT,
    [{"type": "image", "source": {"type": "base64", "media_type": "image/png"}}],
    [
        {"image": {"source": {"bytes": b"x"}, "format": "png"}},
        {"json": {"a": 1}},
        {"guard_content": {"text": {"text": "g"}}},
    ],
    [{"type": "media", "mime_type": "image/png", "data": b"x"}],
    [{"type": "media", "mime_type": "audio/wav", "data": b"x"}],
    [{"type": "tool_result", "tool_use_id": "t", "content": [{"type": "text", "text": "r"}], "is_error": True}],
    [{"type": "tool_result", "tool_use_id": "t", "content": "r"}, "q"],
    [{"type": "text"}, {"type": "image"}],
    [
        {"type": "file", "file": {"file_data": "x"}},
        {"type": "input_audio", "input_audio": {"data": "A", "format": "wav"}},
    ],
    [{"type": "whatever", "x": 1}],
]


@pytest.mark.parametrize("content", CONVERTED)
@pytest.mark.parametrize("text_format", ["string", "block"])
@pytest.mark.parametrize("pass_through", [True, False])
def test_blocks_of_any_provider_are_converted_as_in_langchain(
    content: Any, text_format: Any, pass_through: bool
) -> None:
    options: Any = {"text_format": text_format, "pass_through_unknown_blocks": pass_through, "include_id": True}
    calls = [CALL] if any(block.get("type") == "tool_use" for block in content if isinstance(block, dict)) else []
    fields = {"content": content, "id": "i", "tool_calls": calls}
    try:
        expected = theirs.convert_to_openai_messages([theirs.AIMessage(**fields)], **options)
    except ValueError:
        with pytest.raises(ValueError):
            ours.convert_to_openai_messages([ours.AIMessage(**fields)], **options)
        return
    assert ours.convert_to_openai_messages([ours.AIMessage(**fields)], **options) == expected


def test_one_message_is_converted_to_one_dict() -> None:
    samples = [make_both(sample) for sample in SAMPLES[:-1]]
    for own, their in samples:
        if any(isinstance(block, dict) and "type" not in block for block in own.content):
            continue
        expected = theirs.convert_to_openai_messages(their)
        converted = ours.convert_to_openai_messages(own)
        assert converted == expected
        assert list(converted) == list(expected)
    assert ours.convert_to_openai_messages("hi") == {"role": "user", "content": "hi"}
    assert ours.convert_to_openai_messages(["hi"]) == [{"role": "user", "content": "hi"}]
    with pytest.raises(ValueError, match="text_format"):
        ours.convert_to_openai_messages("hi", text_format="lines")  # type: ignore[arg-type]


DEEP = "[" * 100_000
FROM_WIRE: list[tuple[dict[str, Any], list[Any], list[Any]]] = [
    ({"arguments": "null"}, [{}], []),
    ({"arguments": ""}, [{}], []),
    ({"arguments": " \n"}, [{}], []),
    ({"arguments": None}, [{}], []),
    ({}, [{}], []),
    ({"arguments": {"command": "ls"}}, [{"command": "ls"}], []),
    ({"arguments": DEEP}, [], [DEEP]),
    ({"arguments": [1]}, [], ["[1]"]),
    ({"arguments": 5}, [], ["5"]),
    ({"arguments": "{bad"}, [], ["{bad"]),
]


@pytest.mark.parametrize(("function", "args", "invalid"), FROM_WIRE, ids=lambda value: str(value)[:40])
def test_arguments_of_any_type_are_read(function: Any, args: list[Any], invalid: list[Any]) -> None:
    call = {"id": "1", "function": {"name": "f", **function}}
    read, broken = read_raw_call(call)
    assert [one["args"] for one in (read,) if one is not None] == args
    assert [one["args"] for one in (broken,) if one is not None] == invalid
    assert broken is None or broken["error"]
    message = {"role": "assistant", "content": "", "tool_calls": [call]}
    if invalid:
        with pytest.raises(ValueError):
            ours.convert_to_messages([message])
    else:
        assert ours.convert_to_messages([message])[0].tool_calls == [read]  # type: ignore[attr-defined]


@pytest.mark.parametrize(
    "message",
    [
        {"role": "assistant", "content": "", "tool_calls": [5]},
        {"role": "assistant", "content": "", "tool_calls": 5},
        {"role": "assistant", "content": "", "tool_calls": [{"name": "f"}]},
        {"role": "assistant", "content": "", "tool_calls": [{"id": "1", "function": {"name": "f", "arguments": DEEP}}]},
    ],
    ids=lambda value: str(value)[:80],
)
def test_an_invalid_representation_is_a_value_error(message: dict[str, Any]) -> None:
    with pytest.raises(ValueError):
        ours.convert_to_messages([message])


def test_the_artifact_of_a_tool_is_read_from_additional_kwargs_as_in_langchain() -> None:
    for message in (
        {"role": "tool", "content": "r", "tool_call_id": "1", "additional_kwargs": {"artifact": {"x": 1}}},
        {
            "type": "tool",
            "content": "r",
            "tool_call_id": "1",
            "additional_kwargs": {"artifact": [1], "status": "error"},
        },
        {
            "role": "tool",
            "content": "r",
            "tool_call_id": "1",
            "additional_kwargs": {"artifact": 1, "k": 1},
            "artifact": 2,
        },
        {"role": "tool", "content": "r", "tool_call_id": "1", "additional_kwargs": {"status": None}, "artifact": 0},
    ):
        (own,), (their,) = ours.convert_to_messages([message]), theirs.convert_to_messages([message])
        assert own.model_dump() == their.model_dump()


@pytest.mark.parametrize(("role", "missing"), [("tool", "tool_call_id"), ("function", "name")])
def test_a_missing_required_field_is_named(role: str, missing: str) -> None:
    with pytest.raises(ValueError, match=f"a message of the role '{role}' must have '{missing}'"):
        ours.convert_to_messages([{"role": role, "content": "r"}])

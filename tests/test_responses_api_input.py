"""Messages as input items of the Responses API, beside langchain-openai's."""

import copy
import warnings
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from langchain_core import messages as theirs
from langchain_openai.chat_models.base import _construct_lc_result_from_responses_api, _construct_responses_api_input
from openai._models import construct_type
from openai.types.responses import Response

from message_samples import PNG
from millstream import messages as ours
from millstream.providers.openai.responses_input import build_input, split_at_response
from millstream.providers.openai.responses_reader import ResponsesReader
from responses_samples import CALL, CUSTOM_CALL, ITEMS, MESSAGE, REASONING, events_of, response

Sample = tuple[str, dict[str, Any]]


def human(*blocks: Any, **fields: Any) -> Sample:
    return "HumanMessage", {"content": list(blocks), **fields}


def system(*blocks: Any, **fields: Any) -> Sample:
    return "SystemMessage", {"content": list(blocks), **fields}


def answer(content: Any, **fields: Any) -> Sample:
    return "AIMessage", {"content": content, **fields}


def tool(content: Any, **fields: Any) -> Sample:
    return "ToolMessage", {"content": content, "tool_call_id": "call_1", **fields}


TEXT = {"type": "text", "text": "t"}
TOOL_CALL = {"name": "f", "args": {"a": "ü"}, "id": "call_1"}
SCREEN = {"type": "input_image", "image_url": "data:x"}
PROVIDERS_OWN = {"type": "non_standard", "value": {"type": "computer_call_output", "call_id": "c", "output": SCREEN}}
CUSTOM_OUTPUT = {"type": "custom_tool_call_output", "output": "o"}
OWN_CUSTOM = {"type": "non_standard", "value": {**CUSTOM_OUTPUT, "call_id": "c"}}
CITATION = {"type": "citation", "url": "u", "title": "t", "start_index": 1, "extras": {"x": 1}}
DOCUMENT = {"type": "citation", "title": "a.txt", "extras": {"file_id": "f", "file_index": 3}}
EXTRAS = {"extras": {"prompt_cache_breakpoint": {"mode": "explicit"}}}

SAMPLES: dict[str, Sample] = {
    "text": ("HumanMessage", {"content": "hi", "name": "bob"}),
    "blocks": human(TEXT, {"type": "image_url", "image_url": {"url": "u", "detail": "low"}}),
    "image": human({"type": "image", "base64": PNG, "mime_type": "image/png"}, {"type": "image", "url": "u"}),
    "files": human(
        {"type": "file", "url": "https://x/y.pdf"},
        {"type": "file", "base64": "eA==", "mime_type": "application/pdf", "filename": "a.pdf"},
        {"type": "file", "file_id": "file_1"},
        {"type": "file", "file": {"file_id": "file_2"}},
        {"type": "image", "source_type": "base64", "data": PNG, "mime_type": "image/png"},
    ),
    "input blocks": human({"type": "input_text", "text": "x"}, SCREEN, {"type": "input_file", "file_id": "f"}),
    "other items": human(
        {"type": "mcp_approval_response", "approve": True, "approval_request_id": "a"}, TEXT, {"type": "unknown"}
    ),
    "only items": human({"type": "configuration_update", "x": 1}),
    "breakpoints": human({**TEXT, **EXTRAS}, {"type": "file", "file_id": "f", "prompt_cache_breakpoint": 1}),
    "anthropic image": human(
        {"type": "image", "source": {"type": "base64", "media_type": "image/png", "data": PNG}},
        {"type": "image", "source": {"type": "url", "url": "u"}},
        {"type": "tool_use", "id": "x"},
    ),
    "provider's own": human({"type": "non_standard", "value": {"type": "input_text", "text": "v"}}),
    "system": system(TEXT),
    "developer": system(TEXT, additional_kwargs={"__openai_role__": "developer"}),
    "additional tools": system({"type": "additional_tools", "tools": []}, TEXT),
    "other role": ("ChatMessage", {"content": "c", "role": "critic"}),
    "assistant's role": ("ChatMessage", {"content": "c", "role": "assistant"}),
    "function": ("FunctionMessage", {"content": "c", "name": "f"}),
    "answer": answer("yes"),
    "empty answer": answer(""),
    "no blocks": answer([]),
    "calls": answer("", tool_calls=[TOOL_CALL], invalid_tool_calls=[{"name": "g", "args": "{", "id": "2"}]),
    "text and calls": answer("t", tool_calls=[TOOL_CALL]),
    "raw calls": answer(
        "",
        additional_kwargs={
            "tool_calls": [{"id": "1", "type": "function", "x": 1} | {"function": {"name": "f", "arguments": "{}"}}]
        },
    ),
    "first version": answer(
        [TEXT, {"type": "odd"}],
        id="msg_1",
        tool_calls=[TOOL_CALL],
        additional_kwargs={
            "reasoning": {"id": "rs_1", "summary": []},
            "refusal": "no",
            "tool_outputs": [ITEMS["code"], ITEMS["web search"]],
            "__openai_function_call_ids__": {"call_1": "fc_1"},
        },
        response_metadata={"id": "resp_1"},
    ),
    "first version by ids": answer([TEXT], id="msg_1", response_metadata={"id": "resp_1"}),
    "standard text": answer([{**TEXT, "annotations": [CITATION, DOCUMENT], "id": "msg_1"}, {**TEXT, "id": "msg_1"}]),
    "generated id": answer([{**TEXT, "id": "lc_1"}]),
    "no text": answer([{"type": "text", "id": "msg_1"}, {"type": "text", "text": None}]),
    "other annotations": answer(
        [
            {
                **TEXT,
                "annotations": [
                    {"type": "non_standard_annotation", "value": {"a": 1}},
                    {} | {"type": "url_citation", "url": "u"},
                ],
            }
        ]
    ),
    "standard reasoning": answer(
        [
            {"type": "reasoning", "reasoning": "a", "id": "rs_1", "index": 1, "extras": {"encrypted_content": "x"}},
            {"type": "reasoning", "reasoning": "b", "id": "rs_1"},
            {"type": "reasoning", "reasoning": "c", "id": "rs_2"},
            {"type": "reasoning", "id": "rs_3", "extras": {"status": "s"}},
            {"type": "reasoning", "reasoning": "d"},
            {"type": "reasoning", "reasoning": "e"},
        ]
    ),
    "standard refusal": answer([{"type": "refusal", "refusal": "no", "id": "msg_1", "extras": {"phase": "p"}}]),
    "empty refusal": answer([{"type": "refusal", "refusal": ""}]),
    "standard calls": answer(
        [
            {"type": "tool_call", **TOOL_CALL, "extras": {"item_id": "fc_1", "status": "completed", "async": True}},
            {"type": "tool_call", "id": "call_2", "extras": {"arguments": "{}", "namespace": "n"}, "name": "g"},
            {"type": "tool_call", "id": "call_3"},
        ],
        tool_calls=[TOOL_CALL, {"name": "h", "args": {}, "id": "call_3"}],
    ),
    "standard image": answer([{"type": "image", "base64": "eA==", "id": "ig_1", "extras": {"status": "completed"}}]),
    "phases": answer([{**TEXT, "id": "msg_1", "phase": "p"}, {"type": "refusal", "refusal": "r", "id": "msg_1"}]),
    "thinking": answer([{"type": "thinking", "thinking": "t"}, {"type": "reasoning_content"}, TEXT]),
    "marked text": answer([{**TEXT, **EXTRAS, "annotations": []}]),
    "other images": answer([{"type": "image_url", "image_url": {"url": "u"}}]),
    "tool": tool("r"),
    "tool's blocks": tool([{**TEXT, "id": "x"}, {"type": "image_url", "image_url": {"url": "u"}}]),
    "tool's image": tool([{"type": "image", "base64": PNG, "mime_type": "image/png"}]),
    "tool's odd blocks": tool([{"ä": 1}, "b"]),
    "screen": tool("data:x", additional_kwargs={"type": "computer_call_output"}),
    "screen block": tool(
        [SCREEN, SCREEN], additional_kwargs={"type": "computer_call_output", "acknowledged_safety_checks": [1]}
    ),
    "screen of its own": tool([PROVIDERS_OWN], additional_kwargs={"acknowledged_safety_checks": [1]}),
    "custom tool": tool([CUSTOM_OUTPUT]),
    "custom tool of its own": tool([OWN_CUSTOM]),
    "no custom output": tool([{"type": "custom_tool_call_output"}]),
}


def pair(sample: Sample) -> tuple[Any, Any]:
    """Return a message of each library."""
    name, fields = sample
    return getattr(ours, name)(**copy.deepcopy(fields)), getattr(theirs, name)(**copy.deepcopy(fields))


def assert_equal_input(messages: list[tuple[Any, Any]], store: bool | None = None) -> None:
    mine, peers = [one for one, _ in messages], [other for _, other in messages]
    expected = _construct_responses_api_input(peers, store=store)
    assert build_input(mine, store=store) == expected


@pytest.mark.parametrize("store", [None, False])
@pytest.mark.parametrize("name", SAMPLES)
def test_messages_become_the_items_that_langchain_sends(name: str, store: bool | None) -> None:
    assert_equal_input([pair(SAMPLES[name])], store)


@given(st.lists(st.sampled_from(sorted(SAMPLES)), max_size=5), st.sampled_from([None, True, False]))
def test_conversations_become_the_items_that_langchain_sends(names: list[str], store: bool | None) -> None:
    assert_equal_input([pair(SAMPLES[name]) for name in names], store)


def answers_of(body: dict[str, Any], version: str | None) -> tuple[Any, Any]:
    """Return the answer that each library makes of a response."""
    whole: Any = construct_type(type_=Response, value=body)
    expected = _construct_lc_result_from_responses_api(whole, output_version=version)
    return ResponsesReader(version=version).whole(body).generations[0].message, expected.generations[0].message


@pytest.mark.parametrize("store", [None, False])
@pytest.mark.parametrize("version", [None, "v0"])
@pytest.mark.parametrize("name", ITEMS)
def test_answers_are_sent_back_as_langchain_sends_them(name: str, version: str | None, store: bool | None) -> None:
    assert_equal_input([answers_of(response(ITEMS[name]), version)], store)


@pytest.mark.parametrize("store", [None, False])
@pytest.mark.parametrize("name", [name for name in ITEMS if name != "unknown"])
def test_standard_blocks_of_an_answer_are_sent_back_as_langchain_sends_them(name: str, store: bool | None) -> None:
    mine, peer = answers_of(response(ITEMS[name]), None)
    blocks = copy.deepcopy(peer.content_blocks)
    assert mine.content_blocks == blocks
    fields: Any = {"content": blocks, "tool_calls": peer.tool_calls, "response_metadata": {"output_version": "v1"}}
    assert_equal_input([(ours.AIMessage(**copy.deepcopy(fields)), theirs.AIMessage(**fields))], store)


def test_the_chunks_of_an_answer_are_sent_back_without_their_indexes() -> None:
    reader = ResponsesReader(version=None)
    chunks = [
        reader.read(event, event["delta"] if event["type"] == "response.output_text.delta" else None)
        for event in events_of(REASONING, MESSAGE, CALL, CUSTOM_CALL)
    ]
    merged = sum_of([chunk.message for chunk in chunks if chunk is not None])
    sent = build_input([merged], store=None)
    assert [item["type"] for item in sent] == ["reasoning", "message", "function_call", "custom_tool_call"]
    assert "index" not in str(sent)


def sum_of(chunks: list[Any]) -> Any:
    return chunks[0] + chunks[1:]


def test_the_calls_of_several_tools_of_openai_are_joined_to_their_own_results() -> None:
    calls: list[Any] = [
        {"type": "server_tool_call", "name": "web_search", "id": id, "args": {}} for id in ("ws_1", "ws_2")
    ]
    result = {"type": "server_tool_result", "tool_call_id": "ws_2", "status": "success"}
    sent = build_input([ours.AIMessage(content=[*calls, result])], store=None)
    assert sent == [{"id": "ws_2", "action": {}, "status": "completed", "type": "web_search_call"}]


def test_texts_beside_blocks_are_sent() -> None:
    sent = build_input([ours.HumanMessage(["a", TEXT]), ours.AIMessage(content=["b", TEXT])], store=None)
    assert [part["text"] for item in sent for part in item["content"]] == ["a", "t", "b", "t"]


@pytest.mark.parametrize("name", ["HumanMessage", "ToolMessage"])
def test_additional_tools_are_sent_with_a_system_message_only(name: str) -> None:
    mine, peer = pair((name, {"content": [{"type": "additional_tools"}], "tool_call_id": "1"}))
    errors = []
    for build, message in ((build_input, mine), (_construct_responses_api_input, peer)):
        with pytest.raises(ValueError, match="additional_tools") as caught:
            build([message], store=None)
        errors.append(str(caught.value))
    assert errors[0] == errors[1]


def test_a_block_that_a_system_message_cannot_have_is_dropped_with_langchains_warning() -> None:
    warned = []
    mine, peer = pair(system({"type": "input_audio"}, TEXT))
    for build, message in ((build_input, mine), (_construct_responses_api_input, peer)):
        with warnings.catch_warnings(record=True) as caught:
            warnings.simplefilter("always")
            build([message], store=None)
        warned.append([str(one.message) for one in caught])
    assert warned[0] == warned[1] != []


def test_messages_after_the_last_response_are_those_that_the_server_does_not_have() -> None:
    first = ours.AIMessage("a", response_metadata={"id": "resp_1"})
    other = ours.AIMessage("b", response_metadata={"id": "chatcmpl-1"})
    last = ours.HumanMessage("c")
    assert split_at_response([last, first, other, last]) == ([other, last], "resp_1")
    assert split_at_response([last, other]) == ([last, other], None)


@pytest.mark.parametrize(
    "block",
    [
        *({"type": "image_url"}, {"type": "file"}, {"type": "video", "url": "u"}),
        *({"type": "audio", "base64": "aGk=", "mime_type": "audio/wav"}, {"type": "image", "base_64": "aGk="}),
    ],
    ids=str,
)
def test_a_block_that_cannot_be_sent_raises(block: dict[str, Any]) -> None:
    with pytest.raises(ValueError, match="block|Block"):
        build_input([ours.HumanMessage([block])], store=None)

"""The events and responses of the Responses API as messages, beside those that langchain-openai makes of them."""

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from langchain_core.load import dumpd
from langchain_core.messages import BaseMessage
from langchain_openai.chat_models.base import (
    _construct_lc_result_from_responses_api,
    _convert_responses_chunk_to_generation_chunk,
)
from openai._models import construct_type
from openai.types.responses import Response, ResponseStreamEvent

from millstream.messages.conversion import finish_message
from millstream.outputs.chat_generation import merge_chat_generation_chunks
from millstream.providers.openai.responses_reader import ResponsesReader
from responses_samples import (
    CALL,
    ITEMS,
    MESSAGE,
    REASONING,
    REFUSAL,
    USAGE,
    WEB_SEARCH,
    events_of,
    message,
    response,
)

VERSIONS = [None, "v0", "responses/v1", "v1"]
MIXED: list[dict[str, Any]] = [REASONING, WEB_SEARCH, MESSAGE, CALL, message("Two", " parts", id="msg_9")]


def read_theirs(events: list[dict[str, Any]], version: str | None, schema: Any = None) -> list[Any]:
    """Return langchain-openai's chunks."""
    index = output_index = part_index = -1
    chunks: list[Any] = []
    items: dict[str, int] = {}
    for event in events:
        made: Any = construct_type(type_=ResponseStreamEvent, value=event)
        index, output_index, part_index, chunk = _convert_responses_chunk_to_generation_chunk(
            made,
            index,
            output_index,
            part_index,
            schema=schema,
            metadata={},
            has_reasoning=any("reasoning" in one.message.additional_kwargs for one in chunks),
            output_version=version,
            item_output_indices=items,
        )
        if chunk is not None:
            chunks.append(chunk)
    return chunks


def read_ours(events: list[dict[str, Any]], version: str | None, schema: Any = None) -> list[Any]:
    """Return our chunks; deltas of text as the decoder hands them out."""
    reader = ResponsesReader(version=version, schema=schema)
    found = (reader.read(event, text_of(event)) for event in events)
    return [chunk for chunk in found if chunk is not None]


def text_of(event: dict[str, Any]) -> str | None:
    return event["delta"] if event["type"] == "response.output_text.delta" else None


def describe(made: Any) -> Any:
    """Return all that users see of a message."""
    fields = dict(made.model_dump())
    if isinstance(made, BaseMessage):
        assert dumpd(made)["kwargs"]["content"] == made.content
    return {key: value for key, value in fields.items() if key != "type"}, type(made).__name__


def assert_equal_chunks(events: list[dict[str, Any]], version: str | None, schema: Any = None) -> None:
    expected, found = read_theirs(events, version, schema), read_ours(events, version, schema)
    assert [describe(chunk.message) for chunk in found] == [describe(chunk.message) for chunk in expected]
    merged = merge_chat_generation_chunks(found)
    total = expected[0]
    for chunk in expected[1:]:
        total += chunk
    assert merged is not None
    assert describe(merged.message) == describe(total.message)
    assert merged.message.content_blocks == total.message.content_blocks


@pytest.mark.parametrize("version", VERSIONS)
@pytest.mark.parametrize("name", ITEMS)
def test_each_item_streams_the_chunks_that_langchain_makes(name: str, version: str | None) -> None:
    assert_equal_chunks(events_of(ITEMS[name]), version)


@pytest.mark.parametrize("version", VERSIONS)
@pytest.mark.parametrize("name", ITEMS)
def test_each_item_becomes_the_message_that_langchain_makes(name: str, version: str | None) -> None:
    assert_equal_results(response(ITEMS[name]), version)


def assert_equal_results(body: dict[str, Any], version: str | None) -> None:
    theirs: Any = construct_type(type_=Response, value=body)
    expected = _construct_lc_result_from_responses_api(theirs, output_version=version)
    found = ResponsesReader(version=version).whole(body)
    mine, peer = found.generations[0].message, expected.generations[0].message
    assert describe(mine) == describe(peer)
    assert mine.content_blocks == peer.content_blocks


@pytest.mark.parametrize("version", VERSIONS)
def test_several_items_have_growing_indexes(version: str | None) -> None:
    assert_equal_chunks(events_of(*MIXED, REFUSAL), version)
    assert_equal_results(response(*MIXED, REFUSAL), version)


@pytest.mark.parametrize("version", [None, "v0"])
@pytest.mark.parametrize("tier", ["default", "flex", "priority", None])
def test_the_usage_names_the_service_tier_as_in_langchain(tier: str | None, version: str | None) -> None:
    for usage in (USAGE, None, {**USAGE, "input_tokens_details": None}):
        assert_equal_chunks(events_of(MESSAGE, service_tier=tier, usage=usage), version)
        assert_equal_results(response(MESSAGE, service_tier=tier, usage=usage), version)


def test_an_incomplete_response_says_why() -> None:
    fields: Any = {"status": "incomplete", "incomplete_details": {"reason": "max_output_tokens"}}
    assert_equal_chunks(events_of(MESSAGE, **fields), None)
    assert_equal_results(response(MESSAGE, **fields), None)


def test_events_at_the_end_of_an_item_may_have_a_later_index() -> None:
    events = events_of(WEB_SEARCH, MESSAGE)
    for event in events:
        if event["type"] in ("response.output_item.done", "response.output_text.done"):
            event["output_index"] += 3
    assert_equal_chunks(events, None)


def test_a_reserved_word_and_a_namespace_are_kept_in_calls() -> None:
    call = {**CALL, "namespace": "n", "async": True}
    assert_equal_chunks(events_of(call), None)
    assert_equal_results(response(call), None)


SCHEMA = {"title": "Animal", "type": "object", "properties": {"name": {"type": "string"}}}


@pytest.mark.parametrize("text", ['{"name": "cat"}', '{"name": ', "cat", ""])
def test_the_parsed_object_is_beside_the_content(text: str) -> None:
    form = {"format": {"type": "json_schema", "name": "Animal", "schema": SCHEMA}}
    assert_equal_chunks(events_of(message(text), text=form), None, SCHEMA)


def test_text_alone_has_the_index_of_the_part_that_began_last() -> None:
    events = events_of(REASONING, message("one", "two", id="m"))
    reader = ResponsesReader(version=None)
    made: list[Any] = []
    for event in events:
        if event["type"] == "response.output_text.delta":
            made.append(reader.text(event["delta"]))
        elif (chunk := reader.read(event, None)) is not None:
            made.append(chunk.message)
    expected = [chunk.message for chunk in read_theirs(events, None)]
    assert [describe(chunk) for chunk in made] == [describe(chunk) for chunk in expected]


def test_text_before_any_item_is_the_first_block() -> None:
    assert ResponsesReader(version=None).text("a").content == [{"type": "text", "text": "a", "index": 0}]


@pytest.mark.parametrize("version", [None, "v0"])
def test_a_response_without_events_before_it_is_one_chunk(version: str | None) -> None:
    output = [REASONING, MESSAGE, CALL, ITEMS["broken call"], REFUSAL]
    whole: Any = ResponsesReader(version=version).whole(response(*output)).generations[0].message
    for event in (response(*output), events_of(*output)[-1]):
        chunk = ResponsesReader(version=version).read(event, "Hello, wörld!")
        assert chunk is not None
        message: Any = finish_message(chunk.message)
        assert message.tool_calls == whole.tool_calls
        assert [call["args"] for call in message.invalid_tool_calls] == ['{"city": "Bo']
        assert without_index(message.content) == whole.content
        assert message.usage_metadata == whole.usage_metadata


def without_index(blocks: Any) -> Any:
    return [{key: value for key, value in block.items() if key != "index"} for block in blocks]


def test_text_that_only_the_end_of_a_part_has_is_handed_out() -> None:
    for kind in ("response.output_text.done", "response.content_part.done", "response.output_item.done"):
        events = [event for event in events_of(MESSAGE) if event["type"] in ("response.output_item.added", kind)]
        reader = ResponsesReader(version=None)
        chunks = [reader.read(event, "all" if event["type"] == kind else None) for event in events]
        assert [chunk.message.text for chunk in chunks if chunk is not None] == ["", "all"]


@pytest.mark.parametrize("missing", ["delta", "delta added", "delta done"])
def test_calls_of_servers_that_send_no_deltas_are_handed_out(missing: str) -> None:
    left_out = {
        "delta": ["function_call_arguments.delta"],
        "delta done": ["function_call_arguments.delta", "function_call_arguments.done"],
        "delta added": ["function_call_arguments.delta", "output_item.added"],
    }[missing]
    calls = [CALL, {**CALL, "id": "fc_9", "call_id": "call_9"}]
    events = [event for event in events_of(*calls) if event["type"].removeprefix("response.") not in left_out]
    merged = merge_chat_generation_chunks(read_ours(events, None))
    assert merged is not None
    message: Any = merged.message
    assert [(call["id"], call["args"]) for call in message.tool_calls] == [
        ("call_1", {"city": "Bonn"}),
        ("call_9", {"city": "Bonn"}),
    ]
    assert [block["arguments"] for block in message.content] == [CALL["arguments"]] * 2


def test_text_after_an_event_of_another_part_is_in_the_part_that_began_last() -> None:
    reader = ResponsesReader(version=None)
    events = events_of(ITEMS["cited"])
    began = [
        event for event in events if event["type"] in ("response.output_item.added", "response.content_part.added")
    ]
    for event in began:
        reader.read(event, None)
    late = {"output_index": 0, "content_index": 0, "item_id": "msg_2"}
    reader.read({"type": "response.output_text.done", **late, "text": ""}, None)
    first, second = reader.text("a"), reader.text("b")
    assert first.content == [{"type": "text", "text": "a", "index": 1}]
    assert second.content == [{"type": "text", "text": "b", "index": 1}]


items = st.lists(st.sampled_from([name for name in ITEMS if name != "unknown"]), max_size=5)


@given(items, st.sampled_from(VERSIONS), st.integers(2, 9))
def test_any_items_stream_the_chunks_that_langchain_makes(names: list[str], version: str | None, step: int) -> None:
    output = [{**ITEMS[name], "id": f"{ITEMS[name]['id']}{place}"} for place, name in enumerate(names)]
    assert_equal_chunks(events_of(*output, step=step), version)
    assert_equal_results(response(*output), version)


json_values = st.recursive(
    st.none() | st.booleans() | st.integers(-5, 5) | st.text(max_size=4),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=4), inner, max_size=3),
    max_leaves=5,
)


@given(st.sampled_from([event for name in ITEMS for event in events_of(ITEMS[name])]), st.data())
def test_a_value_of_any_type_raises_nothing(event: dict[str, Any], data: st.DataObject) -> None:
    changed = {key: data.draw(json_values) if data.draw(st.booleans()) else value for key, value in event.items()}
    changed["type"] = event["type"]
    if isinstance(inner := event.get("item") or event.get("response"), dict):
        place = "item" if "item" in event else "response"
        changed[place] = {key: data.draw(json_values) if data.draw(st.booleans()) else inner[key] for key in inner}
    for version in ("v0", None):
        reader = ResponsesReader(version=version)
        if (chunk := reader.read(json.loads(json.dumps(changed)), None)) is not None:
            assert repr(chunk)
        if isinstance(changed.get("response"), dict):
            assert repr(reader.whole(changed["response"]))

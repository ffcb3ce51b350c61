"""Version 3 of a chat model's events, beside LangChain's: the same fakes, and the same bytes served."""

import asyncio
import json
from typing import Any

import langchain_core.language_models.fake_chat_models as their_fakes
import langchain_core.messages as their_messages
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from langchain_tests.utils.stream_lifecycle import assert_valid_event_stream

import millstream.language_models.fake_chat_models as our_fakes
import millstream.messages as our_messages
from events_v3 import ANSWERS, aread_stream, both_models, read_stream, reply_of
from langchain_chat import choice, payload
from millstream import ChatOpenAI
from millstream.language_models.chat_model_stream import ChatModelStream
from millstream.runnables import ConfigurableField
from millstream.testing import MockServer

pytestmark = pytest.mark.filterwarnings("ignore::langchain_core._api.beta_decorator.LangChainBetaWarning")

MESSAGES: dict[str, dict[str, Any]] = {
    "a text": {"content": "Hello, goldfish on the moon"},
    "no text": {"content": ""},
    "a call": {"content": "", "tool_calls": [{"name": "f", "args": {"a": 1}, "id": "c1"}]},
    "a legacy call": {"content": "", "additional_kwargs": {"function_call": {"name": "f", "arguments": '{"a": 1}'}}},
    "details": {"content": "a b", "additional_kwargs": {"k": "v"}, "response_metadata": {"model_name": "m"}},
}


def fakes(**fields: Any) -> tuple[Any, Any]:
    ours = our_fakes.GenericFakeChatModel(messages=iter([our_messages.AIMessage(**fields)] * 2))
    theirs = their_fakes.GenericFakeChatModel(messages=iter([their_messages.AIMessage(**fields)] * 2))
    return ours, theirs


@pytest.mark.parametrize("which", MESSAGES)
def test_fakes_have_the_same_events_projections_and_messages(which: str) -> None:
    ours, theirs = fakes(**MESSAGES[which])
    assert read_stream(ours.stream_events("p", version="v3")) == read_stream(theirs.stream_events("p", version="v3"))

    async def read(model: Any) -> Any:
        return await aread_stream(model.astream_events("p", version="v3"))

    assert asyncio.run(read(ours)) == asyncio.run(read(theirs))


@pytest.mark.parametrize("which", ANSWERS)
def test_served_answers_have_the_same_events_projections_and_messages(which: str) -> None:
    with MockServer(reply_of(ANSWERS[which])) as server:
        ours, theirs = both_models(server)
        found = read_stream(ours.stream_events("p", version="v3"))
        assert found == read_stream(theirs.stream_events("p", version="v3"))
        assert_valid_event_stream(found["events"])

        async def read(model: Any) -> Any:
            return await aread_stream(model.astream_events("p", version="v3"))

        again = asyncio.run(read(ours))
        assert again == asyncio.run(read(theirs))
        assert again == found


functions = st.fixed_dictionaries({"arguments": st.sampled_from(["", "{", "}", "1"])})
calls = st.fixed_dictionaries({"index": st.integers(0, 1), "function": functions})
pieces = st.lists(calls, max_size=2, unique_by=lambda call: call["index"])
deltas = st.fixed_dictionaries({}, optional={"content": st.sampled_from(["", "a", "bc ", "é"]), "tool_calls": pieces})


@settings(max_examples=15, deadline=None)
@given(st.lists(deltas, min_size=1, max_size=5))
def test_random_answers_have_the_same_events_and_messages(parts: list[dict[str, Any]]) -> None:
    payloads = [payload(choice(delta)) for delta in parts]
    with MockServer(reply_of([*payloads, payload(choice({}, finish_reason="stop"))])) as server:
        ours, theirs = both_models(server)
        found = read_stream(ours.stream_events("p", version="v3"))
        expected = read_stream(theirs.stream_events("p", version="v3"))
        # Arguments that are JSON, but not an object, are not those of a call.
        if not any(_is_scalar(block.get("args")) for block in _finished(found["events"])):
            assert found == expected
        assert_valid_event_stream(found["events"])


def _finished(events: list[Any]) -> list[Any]:
    return [event["content"] for event in events if event["event"] == "content-block-finish"]


def _is_scalar(args: Any) -> bool:
    try:
        return isinstance(args, str) and not isinstance(json.loads(args), dict)
    except ValueError:
        return False


def test_arguments_that_are_not_an_object_make_an_invalid_call() -> None:
    call = {"index": 0, "id": "c1", "type": "function", "function": {"name": "f", "arguments": "[1]"}}
    with MockServer(reply_of([payload(choice({"tool_calls": [call]}, finish_reason="stop"))])) as server:
        message = both_models(server)[0].stream_events("p", version="v3").output
    assert message.tool_calls == []
    assert message.invalid_tool_calls[0]["args"] == "[1]"


def test_calls_that_share_an_index_are_two_blocks() -> None:
    calls = [
        {"index": 0, "id": id, "type": "function", "function": {"name": name, "arguments": "{}"}}
        for id, name in (("c1", "f"), ("c2", "g"))
    ]
    payloads = [payload(choice({"tool_calls": [call]})) for call in calls]
    with MockServer(reply_of([*payloads, payload(choice({}, finish_reason="tool_calls"))])) as server:
        stream = both_models(server)[0].stream_events("p", version="v3")
        assert_valid_event_stream(list(stream))
    assert [(call["id"], call["name"], call["args"]) for call in stream.output.tool_calls] == [
        ("c1", "f", {}),
        ("c2", "g", {}),
    ]


def test_reasoning_is_a_block_and_a_projection() -> None:
    parts = [{"reasoning_content": "Hm"}, {"reasoning_content": ", yes"}, {"content": "Yes."}]
    payloads = [payload(choice(part)) for part in parts]
    with MockServer(reply_of([*payloads, payload(choice({}, finish_reason="stop"))])) as server:
        stream = both_models(server)[0].stream_events("p", version="v3")
        assert list(stream.reasoning) == ["Hm", ", yes"]
        assert_valid_event_stream(list(stream))
    assert [block["type"] for block in stream.output.content] == ["reasoning", "text"]
    assert str(stream.text) == "Yes."


@pytest.mark.parametrize("arguments", [{"output_version": "v1"}, {"rate_limiter": None, "tags": ["t"]}])
def test_the_events_do_not_depend_on_the_models_own_format(arguments: dict[str, Any]) -> None:
    with MockServer(reply_of(ANSWERS["two calls"])) as server:
        plain_model = both_models(server)[0]
        other = ChatOpenAI(model="m", api_key="k", base_url=server.url, **arguments)
        assert read_stream(other.stream_events("p", version="v3")) == read_stream(
            plain_model.stream_events("p", version="v3")
        )


def test_a_bound_model_streams_with_its_arguments() -> None:
    with MockServer(reply_of(ANSWERS["a text"])) as server:
        bound = both_models(server)[0].bind(stop=["x"], ls_structured_output_format={"schema": {}})
        assert str(bound.stream_events("p", version="v3").text) == "Hello 🐠\n"
        assert server.requests[-1].body["stop"] == ["x"]


def test_a_configurable_model_has_the_stream_of_the_chosen_one() -> None:
    with MockServer(reply_of(ANSWERS["a text"])) as server:
        model: Any = both_models(server)[0].configurable_fields(model_name=ConfigurableField(id="m"))
        stream = model.stream_events("p", {"configurable": {"m": "other"}}, version="v3")
        assert isinstance(stream, ChatModelStream)
        assert stream.output.text == "Hello 🐠\n"
        assert server.requests[-1].body["model"] == "other"

        async def main() -> Any:
            return await (await model.with_config(configurable={"m": "third"}).astream_events("p", version="v3"))

        assert asyncio.run(main()).text == "Hello 🐠\n"
        assert server.requests[-1].body["model"] == "third"

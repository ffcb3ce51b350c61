"""Structured output and tools of ``ChatOpenAI`` over the Responses API."""

import asyncio
import json
from typing import Any, TypedDict

import pytest
from pydantic import BaseModel

from endings import aread, read_all
from langchain_peer import dump_messages
from millstream.errors import ContentFilterError, RefusalError, TruncatedOutputError
from millstream.messages import HumanMessage, ToolMessage
from millstream.testing import MockServer
from responses_samples import CALL, CUSTOM_CALL, MESSAGE, REASONING, REFUSAL, message
from test_responses_api_models import both, read, streamed, whole


class Animal(BaseModel):
    """An animal."""

    name: str
    legs: int = 4


class City(TypedDict):
    """A city."""

    name: str


TEXT = '{"name": "cat", "legs": 3}'
FORM: Any = {"text": {"format": {"type": "json_schema", "name": "Animal", "schema": {}}}}


@pytest.mark.parametrize("schema", [Animal, City, Animal.model_json_schema()], ids=["pydantic", "typed dict", "schema"])
def test_objects_are_those_of_langchain(schema: Any) -> None:
    with both(whole(REASONING, message(TEXT), **FORM)) as (mine, peer, server):
        structured = mine.with_structured_output(schema)
        expected = peer.with_structured_output(schema).invoke("p")
        assert structured.invoke("p") == expected
        assert asyncio.run(structured.ainvoke("p")) == expected
        assert server.requests[0].body == server.requests[1].body


@pytest.mark.parametrize("schema", [Animal, City], ids=["pydantic", "typed dict"])
def test_the_last_object_of_a_stream_is_that_of_langchain(schema: Any) -> None:
    with both(streamed(message(TEXT), **FORM)) as (mine, peer, server):
        structured = mine.with_structured_output(schema)
        expected = list(peer.with_structured_output(schema).stream("p"))[-1]
        assert list(structured.stream("p"))[-1] == expected
        assert asyncio.run(aread(structured.astream("p")))[-1] == expected
        assert server.requests[0].body == server.requests[1].body


def test_partial_objects_are_those_of_langchain() -> None:
    with both(streamed(message(TEXT), **FORM)) as (mine, peer, _):
        schema = {"title": "Animal", "type": "object", "properties": {}}
        expected = list(peer.with_structured_output(schema).stream("p"))
        assert list(mine.with_structured_output(schema).stream("p")) == expected
        assert len(expected) > 2


def test_the_parsed_object_is_in_the_message_as_in_langchain() -> None:
    for reply in (whole(message(TEXT), **FORM), streamed(message(TEXT), **FORM)):
        with both(reply) as (mine, peer, _):
            schema: Any = Animal if reply.framing == "length" else Animal.model_json_schema()
            pair = [
                RAW[reply.framing == "length"](model.with_structured_output(schema, include_raw=True))
                for model in (mine, peer)
            ]
            assert pair[0]["raw"].additional_kwargs == pair[1]["raw"].additional_kwargs != {}
            assert pair[0]["parsed"] == pair[1]["parsed"]


RAW: dict[bool, Any] = {
    True: lambda model: model.invoke("p"),
    False: lambda model: merge(model.stream("p")),
}


def merge(stream: Any) -> Any:
    merged: dict[str, Any] = {}
    for piece in stream:
        for key, value in piece.items():
            merged[key] = merged[key] + value if key == "raw" and key in merged else value
    return merged


@pytest.mark.parametrize("method", ["json_schema", "json_mode"])
def test_a_refusal_raises(method: str) -> None:
    for reply in (whole(REFUSAL), streamed(REFUSAL)):
        with both(reply) as (mine, _, _):
            structured = mine.with_structured_output(Animal, method=method)
            with pytest.raises(RefusalError, match="I cannot do that"):
                structured.invoke("p")
            found, error = read_all(structured.stream("p"))
            assert (found, type(error)) == ([], RefusalError)


@pytest.mark.parametrize(
    ("reason", "error"), [("max_output_tokens", TruncatedOutputError), ("content_filter", ContentFilterError)]
)
def test_an_incomplete_answer_raises(reason: str, error: type[Exception]) -> None:
    fields: Any = {"status": "incomplete", "incomplete_details": {"reason": reason}}
    for reply in (whole(message(TEXT), **fields), streamed(message(TEXT), **fields)):
        with both(reply) as (mine, _, _):
            structured = mine.with_structured_output(Animal)
            with pytest.raises(error):
                structured.invoke("p")
            _, found = read_all(structured.stream("p"))
            assert type(found) is error


def test_the_call_of_a_tool_is_an_object() -> None:
    call = {**CALL, "name": "Animal", "arguments": TEXT}
    for reply in (whole(call), streamed(call)):
        with both(reply) as (mine, peer, _):
            structured = mine.with_structured_output(Animal, method="function_calling")
            assert structured.invoke("p") == Animal(name="cat", legs=3)
            if reply.framing == "length":
                assert peer.with_structured_output(Animal, method="function_calling").invoke("p") == Animal(
                    name="cat", legs=3
                )
            assert list(structured.stream("p"))[-1] == Animal(name="cat", legs=3)


def weather(city: str) -> str:
    """Return the weather.

    Args:
        city: The city.
    """
    return f"fine in {city}"


def test_a_conversation_with_tools_is_sent_back() -> None:
    with both([whole(REASONING, CALL), whole(MESSAGE)]) as (mine, _, server):
        model = mine.bind_tools([weather])
        first = model.invoke("p")
        (call,) = first.tool_calls
        result = ToolMessage(weather(**call["args"]), tool_call_id=call["id"])
        assert model.invoke([HumanMessage("p"), first, result]).text == "Hello, wörld!"
        sent = server.requests[-1].body["input"]
    assert [item["type"] for item in sent] == ["message", "reasoning", "function_call", "function_call_output"]
    assert sent[2]["call_id"] == sent[3]["call_id"] == "call_1"
    assert sent[3]["output"] == "fine in Bonn"
    assert server.requests[-1].body["tools"][0]["name"] == "weather"


def test_only_the_new_messages_are_sent_with_the_id_of_the_last_response() -> None:
    with both([whole(CALL), whole(MESSAGE)], use_previous_response_id=True) as (mine, _, server):
        first = mine.invoke("p")
        mine.invoke([HumanMessage("p"), first, ToolMessage("fine", tool_call_id="call_1")])
        body = server.requests[-1].body
    assert body["previous_response_id"] == "resp_1"
    assert [item["type"] for item in body["input"]] == ["function_call_output"]


@pytest.mark.parametrize("version", [None, "v0", "v1"])
def test_custom_tools_are_called_as_in_langchain(version: str | None) -> None:
    tool = {"type": "custom", "name": "python"}
    with both(streamed(CUSTOM_CALL), output_version=version) as (mine, peer, server):
        assert read(mine.bind(tools=[tool])) == read(peer.bind(tools=[tool]))
        assert server.requests[0].body == server.requests[1].body
    with both(whole(CUSTOM_CALL), output_version=version) as (mine, peer, _):
        assert dump_messages(mine.invoke("p")) == dump_messages(peer.invoke("p"))


def test_built_in_tools_choose_the_responses_api() -> None:
    with MockServer(whole(MESSAGE)) as server:
        from millstream import ChatOpenAI

        model = ChatOpenAI(model="gpt-4o", api_key="k", base_url=server.url)
        model.bind_tools([{"type": "web_search"}]).invoke("p")
        model.invoke("p", previous_response_id="resp_1")
        model.invoke("p", reasoning={"effort": "low"})
        assert {request.path for request in server.requests} == {"/v1/responses"}
        assert json.dumps(server.requests[0].body["tools"]) == '[{"type": "web_search"}]'


@pytest.mark.parametrize("options", [{}, {"format": {"type": "grammar", "syntax": "lark", "definition": "start: /a/"}}])
def test_functions_of_a_text_are_custom_tools_as_in_langchain(options: dict[str, Any]) -> None:
    def execute(code: str) -> str:
        """Execute code."""
        return code.upper()

    async def aexecute(code: str) -> str:
        """Execute code."""
        return code.upper()

    from langchain_openai import custom_tool as their_tool

    from millstream.tools import custom_tool

    call: Any = {"type": "tool_call", "name": "execute", "args": {"__arg1": "a"}, "id": "call_3"}
    for func in (execute, aexecute):
        mine = custom_tool(**options)(func) if options else custom_tool(func)
        peer = their_tool(**options)(func) if options else their_tool(func)
        with both([whole(CUSTOM_CALL), whole(CUSTOM_CALL)]) as (model, other, server):
            first = model.bind_tools([mine]).invoke("p")
            other.bind_tools([peer]).invoke("p")
            assert server.requests[0].body == server.requests[1].body
        result = asyncio.run(mine.ainvoke(call))
        expected = asyncio.run(peer.ainvoke(call))
        assert dump_messages(result) == dump_messages(expected)
        assert first.tool_calls[0]["args"] == {"__arg1": 'print("hi")'}
    assert custom_tool(execute).invoke(call).content == [{"type": "custom_tool_call_output", "output": "A"}]


def test_calls_that_are_relayed_as_chat_completions_are_counted_from_0() -> None:
    from millstream import ChatOpenAI
    from openai_served import served

    calls = [REASONING, CALL, {**CALL, "id": "fc_9", "call_id": "call_9"}]
    with MockServer(streamed(*calls)) as upstream:
        model = ChatOpenAI(model="m", api_key="k", base_url=upstream.url, use_responses_api=True, max_retries=0)
        user: Any = [{"role": "user", "content": "x"}]
        with served({"m": model}) as sdk, sdk.chat.completions.stream(model="m", messages=user) as stream:
            found = stream.get_final_completion().choices[0].message.tool_calls
    assert [(call.id, call.function.arguments) for call in found or ()] == [
        ("call_1", CALL["arguments"]),
        ("call_9", CALL["arguments"]),
    ]

"""Graphs and messages of LangChain's on the wires: messages are the answer, and their metadata stay on the server."""

import asyncio
import json
from collections.abc import AsyncIterator
from itertools import groupby
from typing import Any

import pytest

pytest.importorskip("langchain.agents")

from langchain.agents import create_agent
from langchain_core.messages import AIMessageChunk as LangChainChunk

from asgi_calls import Client
from millstream import ChatOpenAI
from millstream.integrations.langchain import from_langchain, to_langchain
from millstream.messages import AIMessage, AIMessageChunk, HumanMessage, ToolMessage
from millstream.runnables import RunnableGenerator
from millstream.server import EventStreamResponse
from millstream.testing import MockServer, Reply


def weather(city: str) -> str:
    """Return the weather of a city."""
    return f"sunny in {city}"


def _reply(request: Any) -> Reply:
    if any(message["role"] == "tool" for message in request.body["messages"]):
        return Reply(pieces=["It ", "is ", "sunny."])
    return Reply(tool_calls=[{"name": "weather", "args": {"city": "Rome"}, "id": "c1"}])


def _make_agent(server: MockServer) -> Any:
    model = ChatOpenAI(base_url=server.url, api_key="k", model="m", stream_usage=True)
    return create_agent(to_langchain(model), [weather], system_prompt="a secret")


def _respond(stream: Any, wire: Any) -> bytes:
    client = Client()
    asyncio.run(client.call(EventStreamResponse(stream, wire=wire)))
    assert client.is_whole
    return client.body


_make_runnable: Any = RunnableGenerator
_INPUT = {"messages": [("user", "weather in Rome?")]}


@pytest.mark.parametrize("is_ours", [False, True], ids=["langgraph", "from_langchain"])
@pytest.mark.parametrize("mode", ["messages", ["messages", "updates"]], ids=["one-mode", "modes"])
def test_an_agent_is_an_answer_with_tool_calls_and_results(is_ours: bool, mode: Any) -> None:
    with MockServer(_reply) as server:
        agent = _make_agent(server)
        stream = (from_langchain(agent) if is_ours else agent).astream(_INPUT, stream_mode=mode)
        body = _respond(stream, "ag-ui")
    events = [json.loads(line[6:]) for line in body.decode().splitlines() if line]
    events = [event for event in events if event["type"] != "CUSTOM" or mode == "messages"]
    assert [kind for kind, _ in groupby(event["type"] for event in events)] == [
        *("RUN_STARTED", "TOOL_CALL_START", "TOOL_CALL_ARGS", "TOOL_CALL_END", "TOOL_CALL_RESULT"),
        *("TEXT_MESSAGE_START", "TEXT_MESSAGE_CONTENT", "TEXT_MESSAGE_END", "RUN_FINISHED"),
    ]
    texts = {
        kind: "".join(event["delta"] for event in events if event["type"] == kind)
        for kind in ("TOOL_CALL_ARGS", "TEXT_MESSAGE_CONTENT")
    }
    assert texts == {"TOOL_CALL_ARGS": '{"city": "Rome"}', "TEXT_MESSAGE_CONTENT": "It is sunny."}
    result = next(event for event in events if event["type"] == "TOOL_CALL_RESULT")
    assert (result["toolCallId"], result["content"]) == ("c1", "sunny in Rome")
    assert b"secret" not in body
    assert b"langgraph" not in body


def test_the_usage_of_an_agent_is_that_of_all_its_models() -> None:
    usage: Any = {"input_tokens": 2, "output_tokens": 1, "total_tokens": 3}

    async def run(inputs: AsyncIterator[str]) -> AsyncIterator[Any]:
        async for _ in inputs:
            yield AIMessage("a", usage_metadata=usage), {"langgraph_node": "model"}
            yield HumanMessage("an input"), {"langgraph_node": "model"}
            yield ToolMessage("r", tool_call_id="c1"), {"langgraph_node": "tools"}
            yield ("sub:1",), "messages", (AIMessageChunk("b", usage_metadata=usage), {"thread_id": "t1"})

    body = _respond(_make_runnable(run).astream("i"), "ndjson")
    lines = [json.loads(line) for line in body.splitlines()]
    assert [line.get("text") for line in lines] == ["a", None, "b", None]
    assert lines[-1]["usage"] == {"prompt_tokens": 4, "completion_tokens": 2, "total_tokens": 6}
    assert b"an input" not in body
    assert b"thread_id" not in body


def test_the_usage_of_an_answer_is_the_sum_of_its_chunks_usage() -> None:
    def usage(inputs: int, outputs: int, reasoning: int) -> Any:
        counts = {"input_tokens": inputs, "output_tokens": outputs, "total_tokens": inputs + outputs}
        return counts | {"output_token_details": {"reasoning": reasoning}}

    async def chunks() -> AsyncIterator[Any]:
        yield AIMessageChunk("a", usage_metadata=usage(2, 1, 1))
        yield AIMessageChunk("b", usage_metadata=usage(0, 2, 0))
        yield AIMessageChunk("", usage_metadata=usage(0, 0, 0))

    ending = json.loads(_respond(chunks(), "ndjson").splitlines()[-1])
    details = {"completion_tokens_details": {"reasoning_tokens": 1}}
    assert ending["usage"] == {"prompt_tokens": 2, "completion_tokens": 3, "total_tokens": 5, **details}


def test_the_chunks_of_a_langchain_model_are_the_answer() -> None:
    async def chunks() -> Any:
        yield LangChainChunk(content="Hel", id="run-1")
        yield LangChainChunk(content="lo", id="run-1", response_metadata={"stop_reason": "max_tokens"})

    assert _respond(chunks(), "ndjson") == b'{"text":"Hel"}\n{"text":"lo"}\n{"finish_reason":"length"}\n'


def test_fields_of_messages_that_no_wire_can_carry_are_left_out() -> None:
    note = {"type": "citation", "url": 5}
    odd = [
        AIMessageChunk("a", response_metadata={"finish_reason": 5, "logprobs": object()}),
        AIMessageChunk("b", additional_kwargs={"reasoning_content": 5, "refusal": 5, "audio": 5}),
        AIMessageChunk([{"type": "text", "text": "c", "annotations": [note]}]),
        AIMessageChunk("", tool_call_chunks=[{"name": "f", "args": "{}", "id": "c1", "index": -1}]),
    ]

    async def run(inputs: AsyncIterator[str]) -> AsyncIterator[Any]:
        async for _ in inputs:
            for chunk in odd:
                yield chunk

    body = _respond(_make_runnable(run).astream("i"), "ndjson")
    lines = [json.loads(line) for line in body.splitlines()]
    assert [line.get("text") for line in lines] == ["a", "b", "c", None, None]
    assert lines[3]["tool_calls"][0]["id"] == "c1"
    assert lines[4] == {"finish_reason": "tool_calls"}


@pytest.mark.parametrize("is_ours", [False, True], ids=["langgraph", "from_langchain"])
@pytest.mark.parametrize("mode", ["messages", ["messages", "updates"]], ids=["one-mode", "modes"])
def test_events_of_a_graph_have_no_metadata_of_its_messages(is_ours: bool, mode: Any) -> None:
    config: Any = {"configurable": {"thread_id": "a secret"}, "metadata": {"user": "a secret"}}
    with MockServer(_reply) as server:
        agent = _make_agent(server)
        runnable = from_langchain(agent) if is_ours else agent
        body = _respond(runnable.astream_events(_INPUT, config, version="v2", stream_mode=mode), "langchain.v2")
    assert b'"on_chain_stream"' in body
    assert b"sunny in Rome" in body
    assert b"secret" not in body
    assert b"langgraph_" not in body

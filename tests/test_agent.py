"""The agent in ``examples/`` with the mock server, which calls tools and then answers."""

import asyncio
import json
import runpy
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from langchain_peer import KEY
from millstream import ChatOpenAI
from millstream.testing import MockServer, RecordedRequest, Reply

AGENT = Path(__file__).parents[1] / "examples" / "agent.py"
BOTH = [{"name": "weather", "args": {"city": "Bremen"}}, {"name": "weather", "args": {"city": "Lisbon"}}]
SCRIPT = [
    Reply(tool_calls=BOTH, pieces=["Let me", " see."]),
    Reply(tool_calls=[{"name": "add", "args": {"a": 9, "b": 22}, "id": "call_sum"}]),
    Reply(pieces=["31", " °C"]),
]


def scripted(request: RecordedRequest) -> Reply:
    """Choose the answer by the number of earlier answers."""
    spoken = [message for message in request.body["messages"] if message["role"] == "assistant"]
    return SCRIPT[len(spoken)]


async def texts(server: MockServer, **called: Any) -> list[str]:
    answer = runpy.run_path(str(AGENT))["answer"]
    model = ChatOpenAI(base_url=server.url, api_key=KEY)
    return [text async for text in answer("How warm?", model=model, **called)]


def test_the_agent_calls_its_tools_and_streams_its_answer() -> None:
    with MockServer(scripted) as server:
        assert asyncio.run(texts(server)) == ["Let me", " see.", "31", " °C"]
    first, second, third = [request.body for request in server.requests]
    assert [tool["function"]["name"] for tool in first["tools"]] == ["add", "weather"]
    assert first["tools"] == second["tools"] == third["tools"]
    answer = third["messages"][1]
    assert (answer["content"], len(answer["tool_calls"])) == ("Let me see.", 2)
    assert json.loads(answer["tool_calls"][1]["function"]["arguments"]) == {"city": "Lisbon"}
    results = [message for message in third["messages"] if message["role"] == "tool"]
    assert [(result["tool_call_id"], result["content"]) for result in results] == [
        ("call_mock1", "rain, 9 °C"),
        ("call_mock2", "sun, 22 °C"),
        ("call_sum", "31.0"),
    ]


def test_the_exception_of_a_tool_is_sent_to_the_model() -> None:
    def confused(request: RecordedRequest) -> Reply:
        if len(request.body["messages"]) > 1:
            return Reply(pieces=["sorry"])
        return Reply(tool_calls=[{"name": "add", "args": {"a": 1}}, {"name": "subtract", "args": {}}])

    with MockServer(confused) as server:
        assert asyncio.run(texts(server)) == ["sorry"]
    results = [message["content"] for message in server.requests[-1].body["messages"] if message["role"] == "tool"]
    assert "Field required" in results[0]
    assert "KeyError" in results[1]


def test_a_call_whose_arguments_are_not_valid_json_is_answered() -> None:
    def confused(request: RecordedRequest) -> Reply:
        if len(request.body["messages"]) > 1:
            return Reply(pieces=["sorry"])
        return Reply(tool_calls=[{"name": "add", "args": '{"a": ', "id": "c"}])

    with MockServer(confused) as server:
        assert asyncio.run(texts(server)) == ["sorry"]
    _, answer, result = server.requests[-1].body["messages"]
    assert [call["id"] for call in answer["tool_calls"]] == [result["tool_call_id"]] == ["c"]


def test_an_agent_that_never_answers_stops() -> None:
    with (
        MockServer(Reply(tool_calls=[{"name": "add", "args": {"a": 1, "b": 2}}])) as server,
        pytest.raises(RuntimeError, match="no answer after 2 rounds"),
    ):
        asyncio.run(texts(server, rounds=2))


def test_the_example_runs_as_a_program(monkeypatch: pytest.MonkeyPatch) -> None:
    with MockServer(scripted) as server:
        monkeypatch.setenv("OPENAI_BASE_URL", server.url)
        monkeypatch.setenv("OPENAI_API_KEY", "k")
        done = subprocess.run([sys.executable, "-W", "error", str(AGENT)], capture_output=True, text=True, timeout=60)
    assert (done.returncode, done.stdout, done.stderr) == (0, "Let me see.31 °C\n", "")


# The scripted answers.


def test_a_scripted_call_is_sent_in_pieces_and_as_a_whole() -> None:
    reply = Reply(tool_calls=[{"name": "add", "args": {"a": 1, "b": 2}}, {"name": "raw", "args": "{", "id": "c"}])
    with MockServer(reply) as server:
        model = ChatOpenAI(base_url=server.url, api_key=KEY)
        chunks = list(model.stream("p"))
        whole = model.invoke("p")
    total = chunks[0] + chunks[1:]
    assert [(piece["name"], piece["args"], piece["id"]) for piece in total.tool_call_chunks] == [
        ("add", '{"a": 1, "b": 2}', "call_mock1"),
        ("raw", "{", "c"),
    ]
    assert len([chunk for chunk in chunks if chunk.tool_call_chunks]) == 5
    assert total.response_metadata["finish_reason"] == "tool_calls"
    assert whole.tool_calls == total.tool_calls[:1]
    assert [call["id"] for call in whole.invalid_tool_calls] == ["c"]

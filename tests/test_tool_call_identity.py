"""Tool calls that servers mix up: a model's answer has each of them once, complete, and under its own name."""

import asyncio
import json
from types import ModuleType
from typing import Any

import pytest

from endings import aread
from millstream import ChatOpenAI
from millstream.providers import stream_decoding
from millstream.testing import MockServer, Reply

DONE = b"data: [DONE]\n\n"
Entry = dict[str, Any]


def entry(name: str | None = None, arguments: Any = None, **more: Any) -> Entry:
    function = {"name": name, "arguments": arguments}
    return {
        **more,
        "type": "function",
        "function": {key: value for key, value in function.items() if value is not None},
    }


def stream_body(*entries: Entry) -> bytes:
    choices: list[Any] = [{"index": 0, "delta": {"tool_calls": [one]}, "finish_reason": None} for one in entries]
    choices.append({"index": 0, "delta": {}, "finish_reason": "tool_calls"})
    return b"".join(b"data: " + json.dumps({"choices": [choice]}).encode() + b"\n\n" for choice in choices) + DONE


def complete_body(*entries: Entry) -> bytes:
    message = {"role": "assistant", "content": None, "tool_calls": entries}
    return json.dumps({"choices": [{"index": 0, "message": message, "finish_reason": "tool_calls"}]}).encode()


# The entries of a stream, and the calls in them: name, arguments, id.
STREAMS: dict[str, tuple[list[Entry], list[tuple[str, Any, str | None]]]] = {
    "an object as arguments": ([entry("run", {"command": "ls"}, index=0, id="a")], [("run", {"command": "ls"}, "a")]),
    "objects in parallel": (
        [entry("f", {"a": 1}), entry("f", {"a": 2})],
        [("f", {"a": 1}, None), ("f", {"a": 2}, None)],
    ),
    "neither index nor id": (
        [entry("f", '{"a":1}'), entry("g", '{"b":'), entry(None, "2}")],
        [("f", {"a": 1}, None), ("g", {"b": 2}, None)],
    ),
    "all under index 0": (
        [entry("f", '{"a":1}', index=0, id=""), entry("f", '{"a":', index=0, id="null"), entry(None, "2}", index=0)],
        [("f", {"a": 1}, None), ("f", {"a": 2}, None)],
    ),
    "all under index 0 with ids": (
        [entry("f", "{}", index=0, id="a"), entry("f", "", index=0, id="b"), entry(None, '{"a":2}', index=0)],
        [("f", {}, "a"), ("f", {"a": 2}, "b")],
    ),
    "a name with each piece": (
        [
            entry("read_file", '{"p":', index=0, id="a"),
            entry("read_file", '"x"', index=0),
            entry("read_file", "}", index=0),
        ],
        [("read_file", {"p": "x"}, "a")],
    ),
    "id and name with each piece": (
        [entry("f", '{"p":', index=0, id="a"), entry("f", "1}", index=0, id="a")],
        [("f", {"p": 1}, "a")],
    ),
    "a new id with each piece": (
        [entry("f", '{"p":', index=0, id="a"), entry(None, "1}", index=0, id="b")],
        [("f", {"p": 1}, "a")],
    ),
    "a name in pieces": (
        [entry("get_", None, index=0, id="a"), entry("weather", "", index=0), entry(None, "{}", index=0)],
        [("get_weather", {}, "a")],
    ),
}


def calls_of(message: Any) -> list[tuple[str, Any, str | None]]:
    assert message.invalid_tool_calls == []
    return [(call["name"], call["args"], call["id"]) for call in message.tool_calls]


def merge_stream(chunks: list[Any]) -> Any:
    first, *rest = chunks
    return first + rest if rest else first


@pytest.mark.parametrize("name", STREAMS)
@pytest.mark.parametrize("transport", ["native", "httpx2"])
def test_a_stream_has_the_intended_calls(
    impl: ModuleType, monkeypatch: pytest.MonkeyPatch, transport: str, name: str
) -> None:
    entries, expected = STREAMS[name]
    if impl.__name__.endswith("_pure") and transport == "native":
        pytest.skip("the native transport reads through the native core")
    monkeypatch.setattr(stream_decoding, "StreamDecoder", impl.StreamDecoder)
    with MockServer(Reply(body=stream_body(*entries))) as server:
        arguments: dict[str, Any] = {"base_url": server.url, "api_key": "k", "transport": transport}
        model = ChatOpenAI(**arguments)
        assert calls_of(merge_stream(list(model.stream("p")))) == expected
        assert calls_of(merge_stream(asyncio.run(aread(model.astream("p"))))) == expected
        assert calls_of(ChatOpenAI(streaming=True, **arguments).invoke("p")) == expected


@pytest.mark.parametrize("arguments", [{"command": "ls"}, '{"command": "ls"}'], ids=["object", "text"])
def test_a_complete_answer_has_the_calls_of_its_entries(arguments: Any) -> None:
    entries = [entry("run", arguments, id="a"), entry("run", arguments, id="a"), entry("run", arguments)]
    reply = Reply(body=complete_body(*entries), content_type="application/json")
    with MockServer(reply) as server:
        message = ChatOpenAI(base_url=server.url, api_key="k").invoke("p")
    assert [call[:2] for call in calls_of(message)] == [("run", {"command": "ls"})] * 3

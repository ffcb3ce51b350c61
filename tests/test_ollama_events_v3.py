"""Events of version 3 of ``ChatOllama``, compared with LangChain's over the same bytes."""

import json
import warnings
from typing import Any

import pytest

with warnings.catch_warnings():
    warnings.simplefilter("ignore")
    from langchain_tests.utils.stream_lifecycle import assert_valid_event_stream

from millstream.testing import MockServer
from ollama_peers import dump, ollama_of, peer, served
from test_ollama_answers import CASES

# Where the events differ, and why.
DIFFERENT = {
    "tools": "LangChain appends the arguments of a call in a second payload to those of the first call",
    **dict.fromkeys(
        ("empty", "one payload", "load with text"), "the one payload has the metadata, which our first event shows too"
    ),
}


@pytest.mark.parametrize("name", CASES)
def test_events_are_langchains_and_valid(name: str) -> None:
    payloads, fields, arguments = CASES[name]
    with MockServer(served(*payloads)) as server, peer(server, **fields) as theirs:
        mine: Any = list(ollama_of(server, **fields).stream_events("p", version="v3", **arguments))
        expected = list(theirs.stream_events("p", version="v3", **arguments))
    assert_valid_event_stream(mine)
    events = [dump(mine), dump(expected)]
    if name in DIFFERENT:
        assert events[0] != events[1], "LangChain's events are ours now"
        events = [[{**event, "metadata": None} for event in read] for read in events]
    if name != "tools":
        assert json.dumps(events[0]) == json.dumps(events[1])


def test_calls_of_several_payloads_are_calls_of_their_own() -> None:
    payloads, _, _ = CASES["tools"]
    with MockServer(served(*payloads)) as server:
        events: Any = list(ollama_of(server).stream_events("p", version="v3"))
    blocks = [event["content"] for event in events if event["event"] == "content-block-finish"]
    assert [(block["name"], block["args"]) for block in blocks if block["type"] == "tool_call"] == [
        ("f", {"a": 1}),
        ("g", {}),
        ("f", {"b": [1, {"c": None}]}),
    ]

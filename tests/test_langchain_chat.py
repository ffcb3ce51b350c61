"""Chunks, callbacks and errors of our LangChain chat models, beside langchain-openai's on the same bodies."""

from typing import Any

import pytest

from langchain_chat import body_of, chat_models, choice, outcomes, payload
from millstream.testing import Reply

USAGE = {
    "prompt_tokens": 3,
    "completion_tokens": 4,
    "total_tokens": 7,
    "prompt_tokens_details": {"cached_tokens": 1, "audio_tokens": 0},
    "completion_tokens_details": {"reasoning_tokens": 2},
}
START = payload(choice({"role": "assistant", "content": "", "refusal": None}), service_tier="default")
STOP = payload(choice({}, finish_reason="stop"), system_fingerprint="fp", service_tier="default")
COUNT = payload(usage=USAGE, service_tier="flex")
LOGPROBS = {"content": [{"token": "a", "logprob": -0.5, "bytes": [97], "top_logprobs": []}]}
FILTERED = {"hate": {"filtered": False, "severity": "safe"}}


def text(*pieces: str) -> list[Any]:
    """Return the payloads of pieces of text."""
    return [payload(choice({"content": piece})) for piece in pieces]


def call(index: Any = 0, id: Any = None, name: Any = None, args: Any = None) -> dict[str, Any]:
    """Return a piece of a tool call."""
    given = {
        "index": index,
        "id": id,
        "type": "function" if id else None,
        "function": {"name": name, "arguments": args},
    }
    return {key: value for key, value in given.items() if value is not None}


def calls(*pieces: dict[str, Any]) -> dict[str, Any]:
    """Return the payload of pieces of tool calls."""
    return payload(choice({"tool_calls": list(pieces)}))


BODIES: dict[str, list[Any]] = {
    "openai": [START, *text("Hel", "lo", " é😀"), STOP, COUNT],
    "no role and no usage": [*text("a", "b"), STOP],
    "a role with each piece": [payload(choice({"role": "assistant", "content": piece})) for piece in "abc"] + [STOP],
    "empty pieces": [START, *text("", "a", "", "b", ""), payload(choice({})), payload(choice({"content": None})), STOP],
    "the finish with text": [START, payload(choice({"content": "a"}, finish_reason="length")), COUNT],
    "usage with the finish": [START, *text("a"), {**STOP, "usage": USAGE}],
    "usage with each piece": [{**piece, "usage": USAGE} for piece in [START, *text("a", "b"), STOP]],
    "null usage": [{**piece, "usage": None} for piece in [START, *text("a", "b"), STOP]] + [COUNT],
    "logprobs": [
        START,
        payload(choice({"content": "a"}, logprobs=LOGPROBS)),
        payload(choice({"content": "b"}, logprobs={"content": [{"token": "b", "logprob": 0}], "extra": 1})),
        payload(choice({}, logprobs={"refusal": [{"token": "c", "logprob": 0}]}, finish_reason="stop")),
    ],
    "a tool call": [
        payload(choice({"role": "assistant", "content": None})),
        calls(call(0, "call_1", "f", "")),
        *[calls(call(0, args=piece)) for piece in ('{"a"', ": ", "1}")],
        payload(choice({}, finish_reason="tool_calls")),
        COUNT,
    ],
    "two tool calls": [
        calls(call(0, "call_1", "f", ""), call(1, "call_2", "g", "{")),
        calls(call(1, args="}"), call(0, args="{}")),
        payload(choice({"content": "a"})),
        payload(choice({}, finish_reason="tool_calls")),
    ],
    "a tool call without an index": [calls(call(None, "call_1", "f", "{}")), payload(choice({}, finish_reason="stop"))],
    "a function call": [
        payload(choice({"role": "assistant", "content": None, "function_call": {"name": "f", "arguments": ""}})),
        payload(choice({"function_call": {"arguments": "{}"}})),
        payload(choice({}, finish_reason="function_call")),
    ],
    "azure": [
        {"choices": [], "created": 0, "id": "", "model": "", "object": "", "prompt_filter_results": [FILTERED]},
        payload(choice({"role": "assistant", "content": ""}, content_filter_results={})),
        payload(choice({"content": "a"}, content_filter_results=FILTERED)),
        payload(choice({"content": "b"}, content_filter_results=FILTERED, content_filter_offsets={"start": 1})),
        payload(choice({}, finish_reason="stop", content_filter_results={})),
    ],
    "the choice is not the first": [
        payload(choice({"content": "a"}, index=3)),
        payload(choice({}, finish_reason="stop")),
    ],
    "no delta": [*text("a"), payload(choice(None)), STOP],
    "no choices": [payload(), {"id": "x"}, payload() | {"choices": None}, *text("a"), STOP],
    "a role of another kind": [payload(choice({"role": "system", "content": "a"})), *text("b"), STOP],
    "the user's role": [payload(choice({"role": "user", "content": "a"})), *text("b"), STOP],
    "members that nobody knows": [
        payload(choice({"content": "a", "x": 1, "audio": None, "id": None}, y=[2]), z={"a": 1}),
        payload(choice({"content": "b"}), obfuscation="abc"),
        STOP,
    ],
    "comments": [b": hi\n\n", *text("a"), b": hi\n\n", STOP],
    "only usage": [COUNT],
    "nothing": [],
}


@pytest.mark.parametrize("name", BODIES)
def test_all_ways_to_stream_are_those_of_langchain(name: str) -> None:
    with chat_models(Reply(body=body_of(BODIES[name])), stream_usage=True) as (model, peer, _):
        assert outcomes(model) == outcomes(peer)

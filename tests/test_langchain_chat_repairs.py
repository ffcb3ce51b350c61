"""Where our LangChain chat models differ from langchain-openai's on purpose: each test shows both."""

import json
from functools import reduce
from operator import add
from typing import Any

import pytest
from langchain_core.messages import AIMessageChunk, HumanMessage

from langchain_chat import aoutcome, body_of, chat_models, choice, describe, outcome, payload
from millstream.testing import Reply

pytestmark = pytest.mark.usefixtures("half")

START = payload(choice({"role": "assistant", "content": ""}))
STOP = payload(choice({}, finish_reason="stop"))


def merged(model: Any) -> Any:
    """Return the sum of a model's chunks, which is the same in async code and for ``_stream``."""
    chunks = list(model.stream("p"))
    assert aoutcome(lambda: model.astream("p")) == describe(chunks)
    return reduce(add, chunks)


def test_halves_of_a_character_in_two_payloads_are_joined() -> None:
    halves = [
        b'data: {"choices":[{"index":0,"delta":{"content":"%s"}}]}\n\n' % half for half in (b"a\\ud83d", b"\\ude00b")
    ]
    with chat_models(Reply(body=body_of([START, *halves, STOP]))) as (model, peer, _):
        chunks = list(model.stream("p"))
        assert "".join(chunk.content for chunk in chunks) == "a\U0001f600b"
        # The number of chunks is the same, and langchain-openai's cannot be encoded.
        theirs = [chunk.content for chunk in peer.stream("p")]
        assert len(theirs) == len(chunks)
        with pytest.raises(UnicodeEncodeError):
            "".join(theirs).encode()


def test_a_half_without_its_other_half_becomes_a_replacement_character() -> None:
    body = b'data: {"choices":[{"index":0,"delta":{"content":"a\\ud83d"}}]}\n\ndata: [DONE]\n\n'
    with chat_models(Reply(body=body)) as (model, _, _):
        assert merged(model).content == "a\ufffd"


def test_a_refusal_is_in_the_additional_kwargs() -> None:
    refusals = [payload(choice({"refusal": piece})) for piece in ("I ", "can't")]
    with chat_models(Reply(body=body_of([START, *refusals, STOP]))) as (model, peer, _):
        assert merged(model).additional_kwargs == {"refusal": "I can't"}
        assert reduce(add, peer.stream("p")).additional_kwargs == {}


@pytest.mark.parametrize("name", ["reasoning_content", "reasoning"])
def test_reasoning_is_in_the_additional_kwargs(name: str) -> None:
    thoughts = [payload(choice({name: piece, "content": None})) for piece in ("Let ", "me")]
    answer = payload(choice({"content": "yes"}))
    with chat_models(Reply(body=body_of([START, *thoughts, answer, STOP]))) as (model, peer, _):
        assert merged(model).additional_kwargs == {"reasoning_content": "Let me"}
        assert merged(model).content == "yes"
        theirs = list(peer.stream("p"))
        assert reduce(add, theirs).additional_kwargs == {}
        # The chunks are equal otherwise.
        for found in (list(model.stream("p")), list(model._stream([HumanMessage("p")]))):
            for chunk in found:
                getattr(chunk, "message", chunk).additional_kwargs.clear()
            expected = theirs if isinstance(found[0], AIMessageChunk) else peer._stream([HumanMessage("p")])
            assert describe(found) == describe(list(expected))


@pytest.mark.filterwarnings("ignore:Pydantic serializer warnings")
def test_a_list_of_text_parts_is_their_text() -> None:
    parts = [payload(choice({"content": [{"type": "text", "text": piece}]})) for piece in ("a", "b")]
    with chat_models(Reply(body=body_of([START, *parts, STOP]))) as (model, peer, _):
        assert merged(model).content == "ab"
        theirs = [{"type": "text", "text": "a"}, {"type": "text", "text": "b"}]
        assert reduce(add, peer.stream("p")).content == ["", *theirs]


def test_a_finish_reason_that_is_sent_twice_counts_once() -> None:
    last = {**STOP, "usage": {"prompt_tokens": 1, "completion_tokens": 2, "total_tokens": 3}}
    with chat_models(Reply(body=body_of([START, STOP, last]))) as (model, peer, _):
        assert merged(model).response_metadata["finish_reason"] == "stop"
        assert merged(model).response_metadata["model_name"] == "m-2024"
        assert merged(model).usage_metadata["total_tokens"] == 3
        assert reduce(add, peer.stream("p")).response_metadata["finish_reason"] == "stopstop"


FRAMES = [json.dumps(part).encode() for part in (START, payload(choice({"content": "a"})), STOP)]
WIRES = {
    "a byte order mark": b"\xef\xbb\xbf" + b"".join(b"data: " + frame + b"\n\n" for frame in FRAMES),
    "a carriage return": b"".join(b"data: " + frame + b"\r\r" for frame in FRAMES),
    "several lines of data": b"".join(b"data: " + frame.replace(b", ", b",\ndata: ") + b"\n\n" for frame in FRAMES),
    "a retry time and an id": b"retry: 5\nid: 1\n\n" + b"".join(b"data: " + frame + b"\n\n" for frame in FRAMES),
    "an event without data": b"event: ping\ndata:\n\n" + b"".join(b"data: " + frame + b"\n\n" for frame in FRAMES),
    "no end mark": b"".join(b"data: " + frame + b"\n\n" for frame in FRAMES),
    "invalid UTF-8 in a comment": b": \xff\n\n" + b"".join(b"data: " + frame + b"\n\n" for frame in FRAMES),
}


@pytest.mark.parametrize("name", WIRES)
def test_an_event_stream_is_read_as_the_specification_says(name: str) -> None:
    with chat_models(Reply(body=WIRES[name])) as (model, _, _):
        assert merged(model).content == "a"
        assert merged(model).response_metadata["finish_reason"] == "stop"


def test_one_whole_response_in_place_of_a_stream_is_an_answer() -> None:
    message = {"role": "assistant", "content": "a"}
    whole = payload(
        {"index": 0, "message": message, "finish_reason": "stop"}, usage={"prompt_tokens": 1, "total_tokens": 1}
    )
    reply = Reply(body=json.dumps(whole).encode(), content_type="application/json")
    with chat_models(reply) as (model, peer, _):
        assert merged(model).content == "a"
        assert merged(model).response_metadata["finish_reason"] == "stop"
        assert "No generation chunks were returned" in outcome(lambda: peer.stream("p"))[-1]["text"]


@pytest.mark.parametrize("kept", [0, 1, 2])
def test_a_stream_without_its_end_is_not_an_answer(kept: int) -> None:
    body = b"".join(b"data: " + frame + b"\n\n" for frame in FRAMES[:kept])
    with chat_models(Reply(body=body)) as (model, peer, _):
        *chunks, failure = outcome(lambda: model.stream("p"))
        assert failure["classes"][:2] == ["OpenAIConnectionError", "APIConnectionError"]
        assert len(chunks) == kept
        expected = outcome(lambda: peer.stream("p"))
        assert chunks == expected[:kept]
        # langchain-openai passes it for whole, unless it is empty.
        assert isinstance(expected[-1], dict) is (kept == 0)

"""Payloads that no server should send, in our LangChain models and in langchain-openai's."""

import json
from typing import Any

import openai
import pytest

import langchain_llms
from langchain_chat import aoutcome, body_of, chat_models, choice, describe, outcome, outcomes, payload
from millstream.errors import StreamDecodeError, StreamTruncatedError
from millstream.integrations import langchain as ours
from millstream.testing import Reply

pytestmark = pytest.mark.usefixtures("half")

TEXT = payload(choice({"content": "a"}))
STOP = payload(choice({}, finish_reason="stop"))
UNREADABLE: dict[str, Any] = {
    "null": b"data: null\n\n",
    "a list": b"data: []\n\n",
    "a number": b"data: 5\n\n",
    "a string": b'data: "a"\n\n',
    "a choice that is null": payload(None),
    "a delta that is a list": payload(choice([])),
    "tool calls that are a string": payload(choice({"tool_calls": "a"})),
    "usage that is a string": payload(usage="a"),
}


@pytest.mark.filterwarnings("ignore:Pydantic serializer warnings")
@pytest.mark.parametrize("name", UNREADABLE)
def test_the_chunks_before_a_payload_that_cannot_be_converted_arrive(name: str) -> None:
    # All in one read.
    body = body_of([TEXT, TEXT, UNREADABLE[name], TEXT, STOP])
    with chat_models(Reply(body=[body])) as (model, peer, _):
        found, expected = outcomes(model), outcomes(peer)
    for way, items in found.items():
        if not way.startswith("callbacks"):
            *chunks, failure = items
            *their_chunks, their_failure = expected[way]
            assert len(chunks) == 2
            assert chunks == their_chunks
            assert failure["classes"] == their_failure["classes"]


@pytest.mark.parametrize("name", ["null", "a list", "a number"])
def test_the_chunks_of_a_completion_before_such_a_payload_arrive(name: str) -> None:
    frames = [b"data: " + json.dumps(langchain_llms.completion(text=text)).encode() + b"\n\n" for text in "ab"]
    body = b"".join([*frames, UNREADABLE[name], b"data: [DONE]\n\n"])
    model = langchain_llms.over(ours, body)
    assert [item for item in outcome(lambda: model.stream("p")) if isinstance(item, str)] == ["a", "b"]
    assert len(outcome(lambda: model._stream("p"))) == 3


def test_a_stream_whose_payloads_become_no_chunks_is_the_error_of_langchain() -> None:
    body = body_of([payload({"index": 0, "finish_reason": "stop"})])
    with chat_models(Reply(body=body)) as (model, peer, _):
        assert outcomes(model) == outcomes(peer)
        (failure,) = outcome(lambda: model.stream("p"))
        assert failure["text"] == "No generation chunks were returned"


@pytest.mark.parametrize("body", [b'{"id": "a"}', b'{"choices": []}', b'{"choices": null}', b'{"status": "ok"}'])
def test_a_body_of_json_without_choices_is_not_an_answer(body: bytes) -> None:
    with chat_models(Reply(body=body, content_type="application/json")) as (model, _, _):
        for way, items in outcomes(model).items():
            if not way.startswith("callbacks"):
                assert items[-1]["classes"][:2] == ["OpenAIConnectionError", "APIConnectionError"]
    completions = langchain_llms.over(ours, body, content_type="application/json")
    with pytest.raises(openai.APIConnectionError) as caught:
        list(completions.stream("p"))
    assert isinstance(caught.value.__cause__, StreamTruncatedError)


def test_a_body_that_cannot_be_decompressed_is_a_connection_error() -> None:
    reply = Reply(body=b"not compressed", content_type="application/json", headers={"content-encoding": "deflate"})
    with chat_models(reply) as (model, peer, _):
        for call in (lambda: model.stream("p"), lambda: [model.invoke("p")], lambda: [peer.invoke("p")]):
            (failure,) = outcome(call)
            assert failure["classes"][:2] == ["OpenAIConnectionError", "APIConnectionError"]
        assert aoutcome(lambda: model.astream("p"))[-1]["classes"] == failure["classes"]
        with pytest.raises(openai.APIConnectionError) as caught:
            model.invoke("p")
        cause = caught.value.__cause__.__cause__  # type: ignore[union-attr]
        assert isinstance(cause, StreamDecodeError)
        assert "decompressed" in describe(cause)["text"]

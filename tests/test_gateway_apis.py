"""A gateway's other endpoints: responses and embeddings, as OpenAI's SDK reads them."""

import json
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import openai
import pytest

from gateways import PIECES, Running, running
from millstream.testing import Cut, ErrorStatus, Reply

TOOL: Any = {"type": "function", "name": "f", "parameters": {"type": "object"}, "strict": False}


@contextmanager
def sdk(*replies: Reply, **settings: Any) -> Iterator[tuple[openai.OpenAI, Running, Any]]:
    with (
        running(*replies, **settings) as (one, servers),
        openai.OpenAI(base_url=one.url + "/v1", api_key="k", max_retries=0) as client,
    ):
        yield client, one, servers


def test_a_response_is_an_upstreams_chat_completion() -> None:
    with sdk(Reply(pieces=PIECES)) as (client, one, (server,)):
        response = client.responses.create(model="m", input="hi", instructions="be brief", max_output_tokens=50)
        assert (response.output_text, response.model, response.status) == ("Hello there", "m", "completed")
        assert (response.instructions, response.max_output_tokens) == ("be brief", 50)
        sent = server.requests[0].body
        assert [message["role"] for message in sent["messages"]] == ["system", "user"]
        assert sent["max_completion_tokens"] == 50
        account = one.account()
        assert (account.path, account.stream, account.wire, account.outcome) == ("/responses", False, "json", "ok")
        assert response.usage is not None
        assert account.usage.output_tokens == response.usage.output_tokens > 0


def test_a_response_is_streamed() -> None:
    with sdk(Reply(pieces=PIECES)) as (client, one, _):
        with client.responses.stream(model="m", input="hi") as stream:
            texts = [event.delta for event in stream if event.type == "response.output_text.delta"]
            assert texts == PIECES
            assert stream.get_final_response().output_text == "Hello there"
        account = one.account()
        assert (account.wire, account.stream) == ("openai.responses", True)


@pytest.mark.parametrize("stream", [True, False])
def test_a_response_calls_tools(stream: bool) -> None:
    with sdk(Reply(tool_calls=[{"name": "f", "args": {"x": 1}}])) as (client, _, (server,)):
        made: Any = client.responses.create(model="m", input="hi", tools=[TOOL], stream=stream)
        response = list(made)[-1].response if stream else made
        (call,) = [item for item in response.output if item.type == "function_call"]
        assert (call.name, json.loads(call.arguments)) == ("f", {"x": 1})
        assert server.requests[0].body["tools"][0]["function"]["name"] == "f"


def test_a_response_that_refers_to_another_is_refused() -> None:
    with sdk(Reply(pieces=PIECES)) as (client, one, (server,)):
        with pytest.raises(openai.BadRequestError) as caught:
            client.responses.create(model="m", input="hi", previous_response_id="resp_1")
        assert caught.value.param == "previous_response_id"
        assert one.account().status == 400
        assert server.requests == []


@pytest.mark.parametrize("stream", [True, False])
def test_a_response_fails_over_and_fails(stream: bool) -> None:
    with sdk(Reply(fault=ErrorStatus(503)), Reply(pieces=PIECES)) as (client, one, _):
        made: Any = client.responses.create(model="m", input="hi", stream=stream)
        assert (list(made)[-1].response if stream else made).output_text == "Hello there"
        assert one.account().upstream == "u1"
    with sdk(Reply(pieces=PIECES, fault=Cut(after=1))) as (client, one, _):
        if stream:
            with pytest.raises(openai.APIError, match="the answer was cut off before its end"):
                list(client.responses.create(model="m", input="hi", stream=True))
        else:
            with pytest.raises(openai.InternalServerError):
                client.responses.create(model="m", input="hi")
        assert (one.account().error, one.state.limits.running()) == ("stream_truncated", {"anonymous": 0})


def test_a_response_that_is_too_large_is_an_error() -> None:
    with sdk(Reply(pieces=["x" * 1000] * 10), max_response_size=2000) as (client, _, _):
        with pytest.raises(openai.InternalServerError):
            client.responses.create(model="m", input="hi")
        with pytest.raises(openai.InternalServerError):
            client.chat.completions.create(model="m", messages=[])


def test_embeddings_are_relayed() -> None:
    document = (
        b'{"object":"list","data":[{"object":"embedding","index":0,"embedding":[0.1,1e-7]}],"model":"of-upstream",'
        b'"usage":{"prompt_tokens":7,"total_tokens":7}}'
    )
    with sdk(Reply(body=document, content_type="application/json"), aliases={"m": ("u0/real",)}) as (
        client,
        one,
        servers,
    ):
        made = client.embeddings.create(model="m", input=["a", "b"], encoding_format="float")
        assert (made.model, made.data[0].embedding, made.usage.prompt_tokens) == ("m", [0.1, 1e-7], 7)
        request = servers[0].requests[0]
        assert (request.path, request.body["model"], request.body["input"]) == ("/v1/embeddings", "real", ["a", "b"])
        account = one.account()
        assert (account.usage.input_tokens, account.usage.output_tokens, account.wire) == (7, 0, "json")
        with pytest.raises(openai.BadRequestError):
            client.embeddings.create(model="m", input="a", extra_body={"stream": True})


def test_a_model_is_described_if_the_key_may_ask_for_it() -> None:
    with sdk(Reply(pieces=PIECES), upstream={"models": ("a/b", "c")}) as (client, _, _):
        assert [model.id for model in client.models.list()] == ["a/b", "c"]
        assert client.models.retrieve("a/b").id == "a/b"
        with pytest.raises(openai.NotFoundError):
            client.models.retrieve("d")

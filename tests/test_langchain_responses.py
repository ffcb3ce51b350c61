"""The Responses API of our LangChain chat models, beside langchain-openai's over the same bytes."""

import json
from collections.abc import AsyncIterator, Iterator
from inspect import isawaitable
from typing import Any

import pydantic
import pytest

from langchain_chat import ainvoke, aoutcome, chat_models, describe, invoke, outcome, outcomes
from millstream.testing import Reply
from responses_samples import CALL, CITED, ITEMS, MESSAGE, PHASED, REASONING, REFUSAL, events_of, message, stream_body
from responses_samples import response as response_of
from test_responses_api_models import FAILED, failing, streamed, whole

pytestmark = pytest.mark.filterwarnings("ignore")

MIXED = [REASONING, ITEMS["web search"], CITED, CALL, ITEMS["custom call"], ITEMS["image"], REFUSAL, PHASED]
VERSIONS = [None, "v0", "v1", "responses/v1"]


@pytest.mark.parametrize("version", VERSIONS)
@pytest.mark.parametrize("name", ITEMS)
def test_streams_of_each_item_are_langchains(name: str, version: str | None) -> None:
    with chat_models(streamed(ITEMS[name]), use_responses_api=True, output_version=version) as (model, peer, server):
        assert outcome(lambda: model.stream("p")) == outcome(lambda: peer.stream("p"))
        first, second = server.requests
        assert (first.method, first.path, first.body) == (second.method, second.path, second.body)


@pytest.mark.parametrize("version", VERSIONS)
def test_all_ways_to_stream_are_langchains(version: str | None) -> None:
    with chat_models(streamed(*MIXED), use_responses_api=True, output_version=version) as (model, peer, _):
        expected = outcomes(peer)
        for way, found in outcomes(model).items():
            assert found == expected[way], way


def test_headers_are_in_the_first_chunk_as_in_langchain() -> None:
    reply = Reply(
        body=stream_body(events_of(MESSAGE)),
        content_type="text/event-stream",
        headers={"x-request-id": "r", "date": "d"},
    )
    with chat_models(reply, use_responses_api=True, include_response_headers=True) as (model, peer, _):
        expected = outcomes(peer)
        for way, found in outcomes(model).items():
            assert found == expected[way], way


def test_azures_streams_are_langchains() -> None:
    fields: Any = {"azure": True, "use_responses_api": True}
    with chat_models(streamed(REASONING, MESSAGE), **fields) as (model, peer, server):
        assert outcome(lambda: model.stream("p")) == outcome(lambda: peer.stream("p"))
        first, second = server.requests
        assert (first.path, first.query, first.body) == (second.path, second.query, second.body)
    with chat_models(whole(REASONING, MESSAGE), **fields) as (model, peer, _):
        assert invoke(model) == invoke(peer)


def events(model: Any, version: str) -> list[Any]:
    """Return the events of a run, and the exception that ends it."""

    async def read() -> AsyncIterator[Any]:
        stream = model.astream_events("p", version=version)
        async for event in await stream if isawaitable(stream) else stream:
            yield event

    return aoutcome(read)


@pytest.mark.parametrize("output_version", [None, "v0", "v1"])
@pytest.mark.parametrize("version", ["v1", "v2", "v3"])
def test_events_are_langchains(version: str, output_version: str | None) -> None:
    with chat_models(streamed(*MIXED), use_responses_api=True, output_version=output_version) as (model, peer, _):
        assert events(model, version) == events(peer, version)


@pytest.mark.parametrize("version", VERSIONS)
@pytest.mark.parametrize("name", ITEMS)
def test_whole_answers_are_langchains(name: str, version: str | None) -> None:
    with chat_models(whole(ITEMS[name]), use_responses_api=True, output_version=version) as (model, peer, server):
        assert invoke(model) == invoke(peer)
        assert ainvoke(model) == ainvoke(peer)
        assert server.requests[0].body == server.requests[1].body


class Animal(pydantic.BaseModel):
    """An animal."""

    name: str


FORM: Any = {"text": {"format": {"type": "json_schema", "name": "Animal", "schema": {}}}}


@pytest.mark.parametrize("schema", [Animal, Animal.model_json_schema()], ids=["class", "schema"])
def test_structured_output_is_langchains(schema: Any) -> None:
    for reply in (streamed(message('{"name": "cat"}'), **FORM), whole(message('{"name": "cat"}'), **FORM)):
        with chat_models(reply, use_responses_api=True) as (model, peer, server):
            mine, theirs = (one.with_structured_output(schema) for one in (model, peer))
            if reply.framing == "length":
                assert describe(mine.invoke("p")) == describe(theirs.invoke("p"))
            else:
                found, expected = (outcome(lambda: one.stream("p")) for one in (mine, theirs))  # noqa: B023
                assert found == expected
            assert server.requests[0].body == server.requests[1].body


def texts(found: list[Any]) -> list[Any]:
    return [item["text"] if isinstance(item, dict) else item[1]["content"] for item in found]


@pytest.mark.parametrize("kind", ["failed", "error"])
def test_failures_in_a_stream_are_langchains(kind: str) -> None:
    with chat_models(failing(kind), use_responses_api=True) as (model, peer, _):
        for way in ("stream", "astream"):
            read = outcome if way == "stream" else aoutcome
            mine, theirs = (read(lambda: getattr(one, way)("p")) for one in (model, peer))  # noqa: B023
            assert texts(mine) == texts(theirs)
            assert (
                mine[-1]["classes"] == theirs[-1]["classes"] == ["ValueError", "Exception", "BaseException", "object"]
            )


def test_an_error_object_in_a_stream_is_langchains() -> None:
    body = stream_body(
        [*events_of(MESSAGE)[:5], {"type": "error", "error": {"type": "t", "message": "m", "code": "c"}}]
    )
    with chat_models(Reply(body=body, content_type="text/event-stream"), use_responses_api=True) as (model, peer, _):
        assert outcome(lambda: model.stream("p")) == outcome(lambda: peer.stream("p"))


@pytest.mark.parametrize(
    "reply", [whole(**FAILED), Reply(status=400, body=b'{"error": {"message": "m"}}')], ids=["failed", "400"]
)
def test_failures_of_whole_answers_are_langchains(reply: Reply) -> None:
    with chat_models(reply, use_responses_api=True) as (model, peer, _):
        mine, theirs = invoke(model), invoke(peer)
        assert texts_of(mine) == texts_of(theirs)


def texts_of(made: Any) -> Any:
    ((error,), calls) = made
    return error["text"], error["classes"], [name for name, *_ in calls]


def test_a_stream_that_ends_early_raises() -> None:
    with chat_models(failing("cut"), use_responses_api=True) as (model, _, _):
        found = outcome(lambda: model.stream("p"))
        assert "APIConnectionError" in found[-1]["classes"]


def test_a_server_that_does_not_stream_is_read_as_one_chunk() -> None:
    with chat_models(whole(REASONING, MESSAGE, CALL), use_responses_api=True) as (model, _, _):
        (chunk,) = model.stream("p")
        assert chunk.text == "Hello, wörld!"
        assert [call["args"] for call in chunk.tool_calls] == [{"city": "Bonn"}]
        assert chunk.response_metadata["status"] == response_of()["status"]


def halves() -> Iterator[bytes]:
    """Yield events in whose text the halves of a character come apart."""
    for event in events_of(message("x😀y"), step=1):
        if event.get("delta") == "😀":
            yield stream_body([event | {"delta": "\ud83d"}])
            yield stream_body([event | {"delta": "\ude00"}])
        else:
            yield stream_body([event])


def test_the_halves_of_a_character_in_two_events_are_joined() -> None:
    with chat_models(Reply(body=list(halves()), content_type="text/event-stream"), use_responses_api=True) as (
        model,
        *_,
    ):
        made = [chunk.text for chunk in model.stream("p")]
    assert "".join(made) == "x😀y"
    assert json.dumps(made).encode()

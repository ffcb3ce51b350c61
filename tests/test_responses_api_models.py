"""``ChatOpenAI`` over the Responses API, beside langchain-openai's over the same bytes."""

import asyncio
import json
import re
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from inspect import isawaitable
from typing import Any

import pytest

from endings import aread, read_all
from langchain_peer import KEY, achat_peer, allow_v1, chat_peer, dump_messages, events_of
from millstream import AzureChatOpenAI, ChatOpenAI
from millstream.errors import BadRequestError, ProviderError, StreamTruncatedError
from millstream.testing import MockServer, Reply
from responses_samples import (
    CALL,
    CITED,
    ITEMS,
    MESSAGE,
    PHASED,
    REASONING,
    REFUSAL,
    WEB_SEARCH,
    message,
    response,
    stream_body,
)
from responses_samples import events_of as items_streamed

MIXED = [REASONING, WEB_SEARCH, CITED, CALL, ITEMS["custom call"], ITEMS["image"], REFUSAL, PHASED]
_RUN_ID = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}")
FIELDS: Any = {"model": "gpt-x", "use_responses_api": True, "max_retries": 0}
VERSIONS = [None, "v0", "v1", "responses/v1"]


def streamed(*output: Any, **fields: Any) -> Reply:
    """Return a reply that streams a response with the items ``output``."""
    body = stream_body(items_streamed(*output, **fields))
    return Reply(body=body, content_type="text/event-stream", bytes_per_write=97)


def whole(*output: Any, **fields: Any) -> Reply:
    """Return a reply that is a response with the items ``output``."""
    body = json.dumps(response(*output, **fields)).encode()
    return Reply(body=body, content_type="application/json", framing="length")


@contextmanager
def both(reply: Any, **fields: Any) -> Iterator[tuple[Any, Any, MockServer]]:
    """Make our model and langchain-openai's for one server."""
    given = {**FIELDS, **fields}
    replies: Any = {"script": reply} if isinstance(reply, list) else {"reply": reply}
    with MockServer(**replies) as server, chat_peer(server.url, **given) as peer:
        yield ChatOpenAI(base_url=server.url, api_key=KEY, **given), peer, server


def read(model: Any) -> Any:
    return dump_messages(list(model.stream("p")))


def of_peer(server: MockServer, call: Callable[[Any], Any], **fields: Any) -> Any:
    """Return the messages that the coroutine ``call`` of langchain-openai's model returns."""

    async def main() -> Any:
        async with achat_peer(server.url, **{**FIELDS, **fields}) as peer:
            return await call(peer)

    with allow_v1():
        return dump_messages(asyncio.run(main()))


def events_in(stream: Any) -> Any:
    """Return events with numbered run ids, without LangChain's versions."""
    numbers: dict[str, int] = {}
    return [
        {
            **event,
            "run_id": numbers.setdefault(event["run_id"], len(numbers)),
            "metadata": {key: value for key, value in event["metadata"].items() if key != "lc_versions"},
        }
        for event in dump_messages(stream)
    ]


@pytest.mark.parametrize("version", VERSIONS)
@pytest.mark.parametrize("name", ITEMS)
def test_streams_of_each_item_are_those_of_langchain(name: str, version: str | None) -> None:
    with both(streamed(ITEMS[name]), output_version=version) as (mine, peer, server):
        expected = read(peer)
        assert read(mine) == expected
        assert dump_messages(asyncio.run(aread(mine.astream("p")))) == expected
        first, second, _ = server.requests
        assert list(first.body.items()) == list(second.body.items())
        assert first.path == second.path == "/v1/responses"


@pytest.mark.parametrize("version", VERSIONS)
def test_async_streams_of_several_items_are_those_of_langchain(version: str | None) -> None:
    with both(streamed(*MIXED), output_version=version) as (mine, peer, server):
        expected = of_peer(server, lambda peer: aread(peer.astream("p")), output_version=version)
        assert dump_messages(asyncio.run(aread(mine.astream("p")))) == expected == read(peer)


@pytest.mark.parametrize("version", VERSIONS)
@pytest.mark.parametrize("name", ITEMS)
def test_whole_answers_are_those_of_langchain(name: str, version: str | None) -> None:
    with both(whole(ITEMS[name], MESSAGE), output_version=version) as (mine, peer, server):
        assert dump_messages(mine.invoke("p")) == dump_messages(peer.invoke("p"))
        found = asyncio.run(mine.ainvoke("p"))
        assert dump_messages(found) == dump_messages(peer.invoke("p"))
        first, second, *_ = server.requests
        assert list(first.body.items()) == list(second.body.items())


@pytest.mark.parametrize("version", [None, "v0", "v1"])
@pytest.mark.parametrize("events", ["v1", "v2"])
def test_events_are_those_of_langchain(events: str, version: str | None) -> None:
    with both(streamed(*MIXED), output_version=version) as (mine, _, server):
        expected = of_peer(server, lambda peer: aread(peer.astream_events("p", version=events)), output_version=version)
        assert events_in(events_of(mine, "p", version=events)) == events_in(expected)


async def read_v3(model: Any) -> list[Any]:
    stream = model.astream_events("p", version="v3")
    return [event async for event in (await stream if isawaitable(stream) else stream)]


@pytest.mark.filterwarnings("ignore:.*is in beta")
@pytest.mark.parametrize("version", [None, "v0", "v1"])
def test_events_of_version_3_are_those_of_langchain(version: str | None) -> None:
    for output in ([item] for item in MIXED):
        with both(streamed(*output), output_version=version) as (mine, _, server):
            expected = of_peer(server, read_v3, output_version=version)
            found = dump_messages(asyncio.run(read_v3(mine)))
            texts = [json.dumps(events, sort_keys=True) for events in (found, expected)]
            assert _RUN_ID.sub("ID", texts[0]) == _RUN_ID.sub("ID", texts[1])


def test_batches_are_those_of_langchain() -> None:
    with both(whole(REASONING, MESSAGE)) as (mine, peer, _):
        assert dump_messages(mine.batch(["a", "b"])) == dump_messages(peer.batch(["a", "b"]))
        found = asyncio.run(mine.abatch(["a", "b"]))
        assert dump_messages(found) == dump_messages(peer.batch(["a", "b"]))


@pytest.mark.parametrize("version", [None, "v0"])
def test_a_call_that_streams_returns_the_message_of_langchain(version: str | None) -> None:
    with both(streamed(*MIXED), output_version=version, streaming=True) as (mine, peer, _):
        expected = dump_messages(peer.invoke("p"))
        assert dump_messages(mine.invoke("p")) == expected
        assert dump_messages(asyncio.run(mine.ainvoke("p"))) == expected


@pytest.mark.parametrize("version", [None, "v0", "v1"])
def test_headers_are_in_the_metadata_as_in_langchain(version: str | None) -> None:
    for reply in (streamed(MESSAGE), whole(MESSAGE)):
        with both(reply, include_response_headers=True, output_version=version) as (mine, peer, _):
            if reply.framing == "length":
                found, expected = dump_messages(mine.invoke("p")), dump_messages(peer.invoke("p"))
                found, expected = [found], [expected]
            else:
                found, expected = read(mine), read(peer)
            for message_, other in zip(found, expected, strict=True):
                for one in (message_, other):
                    one["response_metadata"].get("headers", {}).pop("x-request-id", None)
                assert message_ == other


def test_the_service_tier_and_an_incomplete_response_are_as_in_langchain() -> None:
    fields: Any = {"status": "incomplete", "incomplete_details": {"reason": "max_output_tokens"}}
    with both(streamed(MESSAGE, service_tier="flex", **fields)) as (mine, peer, _):
        assert read(mine) == read(peer)
    with both(whole(MESSAGE, service_tier="priority", **fields)) as (mine, peer, _):
        assert dump_messages(mine.invoke("p")) == dump_messages(peer.invoke("p"))


def test_handlers_are_called_with_the_chunks_of_langchain() -> None:
    from recording import chat_handlers, comparable_calls

    logs: list[list[Any]] = [[], []]
    with both(streamed(REASONING, MESSAGE, CALL)) as (mine, peer, _):
        list(peer.stream("p", {"callbacks": [chat_handlers(logs[0])[0]]}))
        list(mine.stream("p", {"callbacks": [chat_handlers(logs[1])[1]]}))
    assert comparable_calls(logs[1]) == comparable_calls(logs[0])


def test_the_records_of_a_stream_are_its_events() -> None:
    with both(streamed(REASONING, MESSAGE, CALL)) as (mine, _, _):
        records = b"".join(asyncio.run(aread(mine.astream_records("p", format="ndjson"))))
        events = events_of(mine, "p", version="v2")
    lines = [json.loads(line) for line in records.splitlines()]
    assert [line["event"] for line in lines] == [event["event"] for event in events]
    chunks = [line["data"]["chunk"] for line in lines if "chunk" in line["data"]]
    texts = [chunk["content"] for chunk in chunks]
    assert texts == [event["data"]["chunk"].content for event in events if "chunk" in event["data"]]


def test_azure_sends_to_the_resource_and_names_the_deployment() -> None:
    with MockServer(streamed(MESSAGE)) as server:
        model = AzureChatOpenAI(
            azure_endpoint=server.origin, azure_deployment="d", api_version="v", api_key=KEY, use_responses_api=True
        )
        assert "".join(chunk.text for chunk in model.stream("p")) == "Hello, wörld!"
        (request,) = server.requests
    assert (request.path, request.query) == ("/openai/responses", "api-version=v")
    assert request.body["model"] == "d"


# Failures.

FAILED: Any = {"error": {"code": "server_error", "message": "it broke"}, "status": "failed"}


def failing(kind: str) -> Reply:
    """Return a reply whose stream fails after some text."""
    events = items_streamed(MESSAGE)
    place = next(place for place, event in enumerate(events) if event["type"] == "response.output_text.done")
    last: Any = {
        "failed": {"type": "response.failed", "response": response(**FAILED)},
        "error": {"type": "error", "code": "rate_limit", "message": "slow down", "param": None},
        "cut": None,
    }[kind]
    body = stream_body([*events[:place], *([last] if last else [])])
    return Reply(body=body, content_type="text/event-stream")


@pytest.mark.parametrize(
    ("kind", "error", "text"),
    [
        ("failed", ProviderError, "it broke"),
        ("error", ProviderError, "slow down"),
        ("cut", StreamTruncatedError, "before its end mark"),
    ],
)
def test_a_stream_that_fails_raises_after_its_text(kind: str, error: type[Exception], text: str) -> None:
    with both(failing(kind)) as (mine, _, _):
        for stream in (mine.stream("p"), mine.astream("p")):
            chunks, found = read_all(stream)
            assert "".join(chunk.text for chunk in chunks) == "Hello, wörld!"
            assert isinstance(found, error)
            assert text in str(found)
            assert found.text == "Hello, wörld!"  # type: ignore[attr-defined]


def test_a_whole_answer_that_failed_raises() -> None:
    with both(whole(**FAILED)) as (mine, _, _):
        with pytest.raises(ProviderError, match="it broke"):
            mine.invoke("p")
        with pytest.raises(ProviderError, match="it broke"):
            asyncio.run(mine.ainvoke("p"))


def test_an_error_status_raises() -> None:
    body = json.dumps({"error": {"message": "no such item", "code": "not_found"}}).encode()
    with both(Reply(status=400, body=body, content_type="application/json")) as (mine, _, _):
        with pytest.raises(BadRequestError, match="no such item"):
            mine.invoke("p")
        with pytest.raises(BadRequestError, match="no such item"):
            list(mine.stream("p"))


def test_a_server_that_does_not_stream_is_read_as_one_chunk() -> None:
    with both(whole(REASONING, MESSAGE, CALL)) as (mine, _, _):
        chunks = list(mine.stream("p"))
        total = chunks[0] + chunks[1:]
        assert [call["args"] for call in total.tool_calls] == [{"city": "Bonn"}]
        assert total.text == "Hello, wörld!"


def test_a_server_that_streams_unasked_is_read_as_a_whole() -> None:
    with both(streamed(message("a", "b"))) as (mine, _, _):
        found = mine.invoke("p")
        assert found.text == "ab"
        assert found.response_metadata["status"] == "completed"


def test_the_halves_of_a_character_in_two_events_are_joined() -> None:
    events = items_streamed(message("x😀y"), step=1)
    body = stream_body(events).replace(rb'"\ud83d\ude00"', rb'"\ud83d"', 1)
    where = {key: next(e for e in events if "delta" in e)[key] for key in ("output_index", "item_id", "content_index")}
    half = b'event: response.output_text.delta\ndata: {"type": "response.output_text.delta", "delta": "\\ude00", '
    half += json.dumps(where).encode()[1:] + b"\n\n"
    head, mark, tail = body.partition(rb'"delta": "\ud83d"')
    end = tail.index(b"\n\n") + 2
    body = head + mark + tail[:end] + half + tail[end:]
    with both(Reply(body=body, content_type="text/event-stream")) as (mine, _, _):
        chunks = list(mine.stream("p"))
    assert "".join(chunk.text for chunk in chunks) == "x😀y"

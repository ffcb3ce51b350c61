"""The events of version 3 as records: of models and chains, on the wire, and in responses."""

import asyncio
import json
from typing import Any

import httpx2
import pytest
from langchain_tests.utils.stream_lifecycle import assert_valid_event_stream

from endings import aread, assert_closed_by_us
from langchain_peer import KEY
from millstream import ChatOpenAI, OpenAI, RecordWriter, Transcoder
from millstream.errors import StreamTruncatedError
from millstream.output_parsers import StrOutputParser
from millstream.prompts import ChatPromptTemplate
from millstream.server import EventStreamResponse
from millstream.testing import VERSE, Cut, ErrorStatus, MockServer, Reply
from serving import serve

PROMPT = ChatPromptTemplate.from_template("{text}")


REQUEST = {"model": "gpt-3.5-turbo", "stream": True, "messages": [{"role": "user", "content": "p"}]}


def model(server: MockServer, **arguments: Any) -> ChatOpenAI:
    return ChatOpenAI(base_url=server.url, api_key=KEY, **{"max_retries": 0, **arguments})


def events_of(records: bytes) -> list[Any]:
    """Return the events in records, without the mark of the end."""
    parts = records.split(b"\n\n")
    found = [part.partition(b"\ndata: ")[2] for part in parts if b"\ndata: " in part]
    return [json.loads(one) for one in found]


def anonymous(event: dict[str, Any]) -> dict[str, Any]:
    return {**event, "id": ""} if "id" in event else event


@pytest.mark.parametrize("make", ["model", "chain"])
def test_records_are_those_of_the_events(mock_server: MockServer, make: str) -> None:
    one: Any = model(mock_server)
    chain, input = (one, "p") if make == "model" else (PROMPT | one | StrOutputParser(), {"text": "p"})
    records = b"".join(chain.stream_records(input, version="v3"))
    arecords = b"".join(asyncio.run(aread(chain.astream_records(input, wire="langchain.v3"))))
    assert records.endswith(b"event: end\n\n")
    found, afound, expected = events_of(records), events_of(arecords), list(chain.stream_events(input, version="v3"))
    for events in (found, afound, expected):
        assert_valid_event_stream(messages_of(events))
    assert messages_of(found) == messages_of(afound) == messages_of(expected)
    assert [event.get("method") for event in found] == [event.get("method") for event in expected]


def messages_of(events: list[Any]) -> list[Any]:
    if "method" in events[0]:
        events = [event["params"]["data"][0] for event in events if event["method"] == "messages"]
    return list(map(anonymous, events))


def test_each_record_is_what_the_writer_writes(mock_server: MockServer) -> None:
    for format in ("sse", "ndjson"):
        lines = b"".join(model(mock_server).stream_records("p", version="v3", format=format))
        writer = RecordWriter(format=format)
        read = events_of(lines) if format == "sse" else list(map(json.loads, lines.splitlines()))
        assert lines == b"".join(map(writer.write, read)) + writer.end()


def test_records_of_a_cut_stream_have_no_end_and_then_the_error() -> None:
    with MockServer(Reply(fault=Cut(3))) as server:
        stream = model(server).stream_records("p", version="v3")
        records: list[bytes] = []
        with pytest.raises(StreamTruncatedError) as raised:
            records.extend(stream)
        kinds = [event["event"] for event in events_of(b"".join(records))]
        assert kinds == ["message-start", "content-block-start", *["content-block-delta"] * 3]
        assert stream.fail(raised.value) == (
            b"event: error\n"
            b'data: {"event":"error","message":"the answer was cut off before its end","code":"stream_truncated"}\n\n'
        )


def test_leaving_the_records_closes_the_connection(server: MockServer) -> None:
    async def main() -> None:
        async with model(server).astream_records("p", version="v3") as stream:
            await anext(stream)

    asyncio.run(main())
    assert_closed_by_us(server)


def test_a_completion_model_has_no_such_records(mock_server: MockServer) -> None:
    with pytest.raises(NotImplementedError, match="those of chat models"):
        list(OpenAI(base_url=mock_server.url, api_key=KEY).stream_records("p", version="v3"))


async def _opened(stream: Any) -> Any:
    return await stream


@pytest.mark.parametrize("what", ["records", "events", "events of a chain"])
def test_a_response_sends_them(mock_server: MockServer, what: str) -> None:
    async def app(scope: Any, receive: Any, send: Any) -> None:
        one = model(mock_server)
        if what == "records":
            content: Any = one.astream_records("p", version="v3")
        elif what == "events":
            content = await one.astream_events("p", version="v3")
        else:
            content = await (PROMPT | one).astream_events({"text": "p"}, version="v3")
        await EventStreamResponse(content)(scope, receive, send)

    with serve(app) as url:
        response = httpx2.get(url)
    assert response.headers["content-type"].startswith("text/event-stream")
    assert response.content.endswith(b"event: end\n\n")
    events = events_of(response.content)
    assert_valid_event_stream(messages_of(events))
    assert "".join(VERSE) in response.content.decode().replace("\\n", "\n")
    if what == "events of a chain":
        data = [event["params"]["data"] for event in events if event["method"] == "messages"]
        # Clients are not sent the metadata of runs.
        assert {tuple(metadata) for _, metadata in data} == {("run_id",)}


def test_a_response_that_waits_for_the_first_chunk_has_the_status_of_an_error() -> None:
    with MockServer(Reply(fault=ErrorStatus(429))) as server:

        async def app(scope: Any, receive: Any, send: Any) -> None:
            stream = model(server).astream_records("p", version="v3")
            await EventStreamResponse(stream, wait_for_first_chunk=True)(scope, receive, send)

        with serve(app) as url:
            response = httpx2.get(url)
    assert response.status_code == 429


def test_a_transcoder_writes_them(mock_server: MockServer) -> None:
    body = httpx2.post(f"{mock_server.url}/chat/completions", json=REQUEST)
    transcoder = Transcoder("openai.chat", "langchain.v3", id="0")
    records = transcoder.feed(body.content) + transcoder.close()
    events = events_of(records)
    assert_valid_event_stream(events)
    assert events[0]["id"] == "lc_run--0"
    assert messages_of(events) == messages_of(list(model(mock_server).stream_events("p", version="v3")))

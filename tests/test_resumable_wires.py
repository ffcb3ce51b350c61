"""Resumable streams on each wire: the same answer whole or in parts, and each wire's record of a lost writer."""

import asyncio
import json
from typing import Any

import pytest

from millstream import ChatOpenAI, OpenAI, RateLimitError, SSEParser
from millstream.server.resumable import (
    Follower,
    MemoryStore,
    StreamFailedError,
    StreamFinished,
    StreamStoppedError,
    WriterLostError,
    parse_position,
    resumable,
    resume,
    shut_down_streams,
    stop,
)
from millstream.server.resumable.endings import error_records
from millstream.testing import ErrorStatus, MockServer, Reply, Stall
from millstream.wires.names import WIRES
from resumable_clients import Head

PIECES = ["Hel", "lo ", "w\u00f6rld", "\n\n", "data: x", "\u2028", "\U0001f41f", "."]
SSE_WIRES = [name for name, head in WIRES.items() if head.media_type.startswith("text/event-stream")]


def records(server: MockServer, wire: Any) -> Any:
    # Completions have no events of version 3.
    kind: Any = ChatOpenAI if wire == "langchain.v3" else OpenAI
    model = kind(base_url=server.url, api_key="k", max_retries=0)
    return model.astream_records("secret prompt", wire=wire)


async def read(body: Any) -> bytes:
    return b"".join([data async for data in body])


async def follow(store: MemoryStore, position: Any) -> Any:
    answer = await resume(store, "s", position)
    return await read(answer) if isinstance(answer, Follower) else answer


def without_ids(data: bytes) -> bytes:
    return b"".join(line for line in data.splitlines(keepends=True) if not line.startswith(b"id: "))


@pytest.mark.parametrize("wire", SSE_WIRES)
def test_server_sent_events_have_ids_and_nothing_else_is_changed(wire: str) -> None:
    async def main(server: MockServer) -> None:
        store = MemoryStore()
        plain = await read(records(server, wire).lean())
        data = await read(resumable(records(server, wire), store, stream_id="s"))
        assert kinds(without_ids(data)) == kinds(plain)
        assert b"secret prompt" not in data
        parser = SSEParser()
        events = parser.feed(data)
        # LangServe's last event has an id and no data.
        epoch, last = parse_position(parser.last_event_id)
        for number in range(last + 1):
            position = f"{epoch}-{number}"
            rest = await follow(store, position)
            if number == last:
                assert rest == StreamFinished("finished")
                continue
            greeting = b"" if wire.startswith("openai.") else b"id: %s\n\n" % position.encode()
            assert rest.startswith(greeting)
            assert data.endswith(rest[len(greeting) :])
            assert [event.id for event in SSEParser().feed(rest[len(greeting) :])] == [e.id for e in events[number:]]

    with MockServer(Reply(pieces=PIECES)) as server:
        asyncio.run(main(server))


def kinds(data: bytes) -> list[Any]:
    """Return the events, without what each answer has of its own."""
    found = []
    for event in SSEParser().feed(data):
        value = json.loads(event.data) if event.data.startswith("{") else event.data
        text = [value.get(name) for name in ("delta", "text", "choices")] if isinstance(value, dict) else value
        found.append((event.event, value.get("type") if isinstance(value, dict) else "", text))
    return found


@pytest.mark.parametrize("wire", ["ndjson", "text"])
def test_lines_and_bytes_are_counted_by_the_client(wire: str) -> None:
    async def main(server: MockServer) -> None:
        store = MemoryStore()
        plain = await read(records(server, wire))
        body = await resumable(records(server, wire), store, stream_id="s").start()
        epoch = body.headers["Millstream-Stream-Epoch"]
        assert await read(body) == plain
        pieces = plain.splitlines(keepends=True) if wire == "ndjson" else [plain[i : i + 1] for i in range(len(plain))]
        for number in range(len(pieces)):
            rest = b"".join(pieces[number:])
            assert await follow(store, Head({}, {"starting_after": str(number)})) == rest
            assert await follow(store, Head({"last-event-id": f"{epoch}-{number}"})) == rest
        assert await follow(store, str(len(pieces))) == StreamFinished("finished")

    with MockServer(Reply(pieces=PIECES)) as server:
        asyncio.run(main(server))


def test_a_sequence_number_is_a_position_of_the_responses_wire() -> None:
    async def main(server: MockServer) -> None:
        store = MemoryStore()
        events = SSEParser().feed(await read(resumable(records(server, "openai.responses"), store, stream_id="s")))
        numbers = [json.loads(event.data)["sequence_number"] for event in events]
        assert numbers == list(range(len(events)))
        for number in numbers[:-1]:
            rest = SSEParser().feed(await follow(store, Head({}, {"starting_after": str(number)})))
            assert [event.id for event in rest] == [event.id for event in events[number + 1 :]]
        assert await follow(store, str(numbers[-1])) == StreamFinished("finished")

    with MockServer(Reply(pieces=PIECES)) as server:
        asyncio.run(main(server))


@pytest.mark.parametrize("wire", WIRES)
def test_every_wire_has_an_end_for_a_writer_that_is_lost(wire: str) -> None:
    data = error_records(wire, WIRES[wire].media_type, WriterLostError(), 17)
    if wire == "text":
        assert data == b""
        return
    assert b"the server that generated the answer was lost before the answer was complete" in data
    assert wire.startswith("langchain.") or wire == "vercel.ui" or b'"writer_lost"' in data
    if wire == "openai.responses":
        (event,) = SSEParser().feed(data)
        assert (event.event, json.loads(event.data)["sequence_number"]) == ("error", 17)
    # Nothing is made up: no finish, no start of an answer.
    assert b"finish" not in data
    assert b"start" not in data


def test_a_wire_without_error_records_raises_for_each_client() -> None:
    async def main(server: MockServer) -> None:
        store = MemoryStore()
        body = resumable(records(server, "text"), store, stream_id="s")
        assert await anext(body)
        assert await stop(store, "s")
        with pytest.raises(StreamStoppedError):
            await read(body)
        assert body.fail(StreamStoppedError()) == b""
        for _ in range(2):
            answer = await resume(store, "s", body.position)
            assert isinstance(answer, Follower)
            with pytest.raises((StreamStoppedError, StreamFailedError)):
                await read(answer)

    with MockServer(Reply(pieces=PIECES, fault=Stall(after=3))) as server:
        asyncio.run(main(server))


@pytest.mark.parametrize("wire", WIRES)
def test_a_refusal_before_the_first_chunk_is_raised_and_recorded(wire: str) -> None:
    async def main(server: MockServer) -> None:
        store = MemoryStore()
        body = resumable(records(server, wire), store, stream_id="s")
        data = b""
        while True:
            try:
                part = await anext(body)
            except RateLimitError as error:
                data += body.fail(error)
                break
            assert body.is_preface(part)
            data += part
        await body.aclose()
        if wire == "text":
            assert data == b""
        else:
            assert b"too many requests" in data
            whole = await follow(store, None)
            assert whole.endswith(data)
        await shut_down_streams(store)

    with MockServer(Reply(fault=ErrorStatus(429))) as server:
        asyncio.run(main(server))

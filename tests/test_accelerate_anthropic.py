"""Clients of the Anthropic SDK with this package's streams, beside the SDK's own over the same bytes."""

import asyncio
import gc
import json
from collections.abc import Callable
from typing import Any

import anthropic
import pytest

from anthropic_peer import KEY, MODEL
from anthropic_samples import ANSWERS, STREAMS, body_of, event, start, stream_reply, text_block, whole_reply
from endings import assert_closed_by_us
from millstream.errors import StreamTruncatedError, UnsupportedError
from millstream.integrations.anthropic import accelerate, clients, restore
from millstream.testing import Cut, ErrorFrame, MockServer, Reply, Stall

CALL: dict[str, Any] = {"model": MODEL, "max_tokens": 5, "messages": [{"role": "user", "content": "p"}]}


def client_of(server: MockServer, kind: Any = anthropic.Anthropic) -> Any:
    """Return a client of the SDK's."""
    return kind(api_key=KEY, base_url=server.origin, max_retries=0)


def messages_of(client: Any, *, beta: bool) -> Any:
    """Return the resource."""
    return client.beta.messages if beta else client.messages


def read(server: MockServer, *, fast: bool, beta: bool = False) -> tuple[list[Any], Any]:
    """Return the events of a stream, and its exception."""
    events: list[Any] = []
    with client_of(server) as client:
        if fast:
            accelerate(client)
        try:
            for one in messages_of(client, beta=beta).create(stream=True, **CALL):
                events.append(one)  # noqa: PERF402
        except Exception as error:
            return events, error
    return events, None


async def aread(server: MockServer, *, fast: bool, beta: bool = False) -> list[Any]:
    """Return the events of an async stream."""
    async with client_of(server, anthropic.AsyncAnthropic) as client:
        if fast:
            accelerate(client)
        return [one async for one in await messages_of(client, beta=beta).create(stream=True, **CALL)]


def dump(events: list[Any]) -> list[Any]:
    """Return all of objects of the SDK."""
    return [(type(one).__name__, repr(one), one.__pydantic_fields_set__, one.__pydantic_extra__) for one in events]


@pytest.mark.parametrize("beta", [False, True])
@pytest.mark.parametrize("name", STREAMS)
def test_the_events_are_the_sdks(name: str, beta: bool) -> None:
    with MockServer(stream_reply(STREAMS[name][0], bytes_per_write=33)) as server:
        expected, failure = read(server, fast=False, beta=beta)
        events, error = read(server, fast=True, beta=beta)
        assert failure is error is None
        assert dump(events) == dump(expected)
        assert events == expected
        assert dump(asyncio.run(aread(server, fast=True, beta=beta))) == dump(expected)
        first, second, _ = server.requests
        assert first.body == second.body
        assert first.headers == second.headers


def test_events_that_differ_in_their_text_alone_are_objects_of_their_own() -> None:
    texts = [*"abc", '"', "\\", "\n", "☺", "😀", "", "</script>"] * 3
    with MockServer(stream_reply([start(), *text_block(0, *texts), *STREAMS["text"][0][-2:]])) as server:
        events, _ = read(server, fast=True)
        expected, _ = read(server, fast=False)
    assert dump(events) == dump(expected)
    deltas = [one.delta for one in events if one.type == "content_block_delta"]
    deltas[3].text = "changed"
    assert [delta.text for delta in deltas[4:]] == texts[4:]
    assert len({id(delta) for delta in deltas}) == len(texts)


@pytest.mark.parametrize("name", ["text", "thinking", "a tool call", "a tool of the server"])
def test_the_helper_of_streams_is_the_sdks(name: str) -> None:
    def collect(client: Any) -> Any:
        with client.messages.stream(**CALL) as stream:
            return [repr(one) for one in stream], repr(stream.get_final_message()), stream.get_final_text()

    async def acollect(client: Any) -> Any:
        async with client, client.messages.stream(**CALL) as stream:
            return [repr(one) async for one in stream], repr(await stream.get_final_message())

    with MockServer(stream_reply(STREAMS[name][0])) as server, client_of(server) as client:
        expected = collect(client)
        assert collect(accelerate(client)) == expected
        async_client = accelerate(client_of(server, anthropic.AsyncAnthropic))
        assert asyncio.run(acollect(async_client)) == expected[:2]


def test_a_whole_answer_is_the_sdks() -> None:
    with MockServer(whole_reply(ANSWERS["text"][0])) as server, client_of(server) as client:
        expected = repr(client.messages.create(**CALL))
        assert repr(accelerate(client).messages.create(**CALL)) == expected


@pytest.mark.parametrize("fault", [Cut(after=2), Cut(after=2, how="end"), Cut(after=2, how="fin")])
def test_a_stream_that_is_cut_is_an_error(fault: Any) -> None:
    with MockServer(Reply(pieces=["a", "b", "c"], fault=fault)) as server:
        events, error = read(server, fast=True)
        expected, _ = read(server, fast=False)
    # The first one has the number of the answer.
    assert dump(events[1:]) == dump(expected[1:])
    assert error is not None
    if fault.how == "end":
        assert isinstance(error, anthropic.APIConnectionError)
        assert isinstance(error.__cause__, StreamTruncatedError)


def test_an_error_event_is_the_sdks_exception() -> None:
    for body in (
        body_of([start(), *text_block(0, "a")]) + event({"type": "error", "error": {"type": "x", "message": "m"}}),
        b"event: error\ndata: busy\n\n",
    ):
        with MockServer(Reply(body=body, content_type="text/event-stream")) as server:
            events, error = read(server, fast=True)
            expected, failure = read(server, fast=False)
        assert dump(events) == dump(expected)
        assert (type(error), str(error), error.body) == (type(failure), str(failure), failure.body)
    with MockServer(Reply(pieces=["a", "b"], fault=ErrorFrame(after=1))) as server:
        _, error = read(server, fast=True)
        assert isinstance(error, anthropic.APIStatusError)


def test_a_done_mark_is_passed_over() -> None:
    body = body_of(STREAMS["text"][0]) + b"event: data\ndata: [DONE]\n\n"
    with MockServer(Reply(body=body, content_type="text/event-stream")) as server:
        assert read(server, fast=True)[1] is None
        # Endpoints that are compatible with Anthropic's send it; the SDK fails on it.
        assert isinstance(read(server, fast=False)[1], json.JSONDecodeError)


@pytest.mark.usefixtures("without_the_collector")
@pytest.mark.parametrize("how", ["close", "drop", "with"])
def test_a_stream_that_is_left_closes_its_connection(how: str) -> None:
    with MockServer(Reply(fault=Stall(after=2))) as server, client_of(server) as client:
        stream = accelerate(client).messages.create(stream=True, **CALL)
        next(stream)
        if how == "close":
            stream.close()
        elif how == "with":
            with stream:
                next(stream)
        del stream
        assert_closed_by_us(server)
        assert not gc.isenabled()


def test_an_async_stream_that_is_left_closes_its_connection() -> None:
    async def main() -> None:
        async with accelerate(client_of(server, anthropic.AsyncAnthropic)) as client:
            async with await client.messages.create(stream=True, **CALL) as stream:
                await anext(stream)
            await server.await_closed()

    with MockServer(Reply(fault=Stall(after=2))) as server:
        asyncio.run(main())


@pytest.mark.parametrize("function", [accelerate, restore])
def test_anything_but_a_client_of_the_sdk_is_refused(function: Callable[[Any], Any]) -> None:
    class Ours(anthropic.Anthropic):
        pass

    with pytest.raises(TypeError, match=r"needs an Anthropic or AsyncAnthropic of the anthropic package, .*a subclass"):
        function(Ours(api_key="k"))
    with pytest.raises(TypeError, match=r"not builtins\.NoneType$"):
        function(None)


def test_a_client_is_restored_and_its_copies_are_accelerated() -> None:
    with client_of_nothing() as client:
        assert accelerate(client) is client
        assert accelerate(client) is client
        assert type(client) is not anthropic.Anthropic
        assert type(client.with_options(timeout=3)) is type(client)
        assert restore(client) is client
        assert restore(client) is client
        assert type(client) is anthropic.Anthropic


def test_an_unknown_version_of_the_sdk_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(anthropic, "__version__", "9.0.1")
    vars(clients._acceleration).pop("_accelerated", None)
    with client_of_nothing() as client, pytest.raises(UnsupportedError, match=r"knows the version 2 of the anthropic"):
        accelerate(client)


def client_of_nothing() -> Any:
    """Return a client for no server."""
    return anthropic.Anthropic(api_key=KEY, base_url="http://127.0.0.1:9")

"""Leaving a stream of the Responses API, in every way and at any place: nothing is left behind."""

import asyncio
import contextlib
from typing import Any

import pytest

from endings import read_all
from langchain_peer import KEY
from millstream import ChatOpenAI
from millstream.errors import ProviderError
from millstream.events.schema import EventVersion
from millstream.testing import MockServer, Reply, Stall, assert_no_leaks
from native_cases import Run, begin_loop, both_loops
from responses_samples import CALL, MESSAGE, REASONING
from test_native_leaving import BEFORE_THE_HEAD, WAYS, Way
from test_responses_api_models import failing, streamed

pytestmark = pytest.mark.usefixtures("without_the_collector")


def model(server: MockServer, **arguments: Any) -> ChatOpenAI:
    return ChatOpenAI(base_url=server.url, api_key=KEY, use_responses_api=True, max_retries=0, **arguments)


# The mock server's own answer, which has reasoning and a call before its text.
STALLED = Reply(
    reasoning=("think", "ing"), tool_calls=[{"name": "f", "args": {"a": 1}, "id": "1"}], fault=Stall(after=3)
)


def check_left(run: Run, way: Way, reply: Reply, pieces: int) -> None:
    """Leave a stream of ``reply``, of ``pieces``, in a ``way``; check that its connection closes and nothing leaks."""
    with MockServer(reply) as server:

        def is_under_way() -> bool:
            return bool(server.requests) and server.requests[0].pieces_sent == pieces

        async def main() -> None:
            await begin_loop()
            async with assert_no_leaks():
                await way(model(server).astream("p"), lambda: server.await_until(is_under_way))
            await server.await_closed()

        with assert_no_leaks():
            run(main())
        assert [connection.closed_by for connection in server.connections] == ["client"]


@both_loops
@pytest.mark.parametrize("way", WAYS, ids=lambda way: way.__name__)
def test_a_stream_that_is_left_closes_its_connection(run: Run, way: Way) -> None:
    check_left(run, way, STALLED, 3)


@both_loops
@pytest.mark.parametrize("way", BEFORE_THE_HEAD, ids=lambda way: way.__name__)
def test_a_call_that_is_left_before_its_answer_closes_its_connection(run: Run, way: Way) -> None:
    check_left(run, way, Reply(fault=Stall(after=-1)), 0)


@pytest.mark.parametrize("how", ["break", "close", "with", "del", "raise"])
@pytest.mark.parametrize("place", [1, 3, 6])
def test_a_sync_stream_that_is_left_closes_its_connection(how: str, place: int) -> None:
    with MockServer(STALLED) as server, assert_no_leaks():
        stream: Any = model(server).stream("p")
        with contextlib.suppress(KeyError):
            leave(stream, how, place)
        del stream
        assert server.wait_closed(timeout=10).closed_by == "client"


def leave(stream: Any, how: str, place: int) -> None:
    for count, _ in enumerate(stream, 1):
        if count == place and how == "raise":
            raise KeyError
        if count == place:
            break
    if how == "close":
        stream.close()
    if how == "with":
        with stream:
            pass


@pytest.mark.parametrize("version", ["v1", "v2"])
def test_events_and_records_that_are_left_close_their_connection(version: EventVersion) -> None:
    async def main(server: MockServer) -> None:
        async for event in model(server).astream_events("p", version=version):
            if event["event"].endswith("_stream"):
                break
        await server.await_closed()

    async def records_of(server: MockServer) -> None:
        async for records in model(server).astream_records("p"):
            if b"_stream" in records:
                break
        await server.await_closed()

    for leaving in (main, records_of):
        with MockServer(STALLED) as server, assert_no_leaks():
            asyncio.run(leaving(server))


def test_streams_that_end_keep_their_connection_for_the_next_call() -> None:
    with MockServer(streamed(REASONING, CALL, MESSAGE)) as server, assert_no_leaks(), model(server) as kept:
        for _ in range(3):
            assert "".join(chunk.text for chunk in kept.stream("p")) == "Hello, wörld!"
        assert server.connections.opened == 1


@pytest.mark.parametrize("kind", ["failed", "error", "cut"])
def test_a_stream_that_fails_leaves_nothing(kind: str) -> None:
    with MockServer(failing(kind)) as server, assert_no_leaks():
        for stream in (model(server).stream("p"), model(server).astream("p")):
            chunks, error = read_all(stream)
            assert chunks
            assert error is not None
            del stream, error
    with MockServer(failing("failed")) as server, assert_no_leaks(), pytest.raises(ProviderError):
        asyncio.run(model(server, streaming=True).ainvoke("p"))

"""Leaving a stream of an accelerated client early, and what becomes of its connection."""

import asyncio
import contextlib
import gc
from collections.abc import Iterator
from typing import Any

import openai
import pytest
import trio

from endings import assert_closed_by_us
from millstream.integrations._bodies.base import drain
from millstream.integrations._bodies.httpx import find_socket
from millstream.integrations.openai import accelerate
from millstream.testing import Cut, MockServer, Reply, Stall
from sdk_peer import CONNECTION_ERROR, MESSAGES, Body, http, sse

pytestmark = pytest.mark.usefixtures("without_the_collector")


def client_of(server: MockServer, **options: Any) -> openai.OpenAI:
    return accelerate(openai.OpenAI(base_url=server.url, api_key="key", max_retries=0, **options))


def open_stream(client: Any, **options: Any) -> Any:
    return client.chat.completions.create(model="m", messages=MESSAGES, stream=True, **options)


@pytest.fixture
def client(server: MockServer) -> Iterator[openai.OpenAI]:
    with client_of(server) as client:
        yield client


# Sync.


def test_the_connection_is_closed_when_the_last_reference_to_the_stream_goes(
    server: MockServer, client: openai.OpenAI
) -> None:
    for _ in open_stream(client):
        break
    assert_closed_by_us(server)
    stream = open_stream(client)
    next(stream)
    del stream
    assert_closed_by_us(server)


def test_a_stream_that_was_never_read_is_closed_with_the_last_reference(
    server: MockServer, client: openai.OpenAI
) -> None:
    open_stream(client)
    assert_closed_by_us(server)
    # The iterator alone keeps the response open.
    iterator = iter(open_stream(client))
    assert server.connections.open == 1
    del iterator
    assert_closed_by_us(server)


def test_close_and_with_close(server: MockServer, client: openai.OpenAI) -> None:
    stream = open_stream(client)
    next(stream)
    assert server.connections.open == 1
    stream.close()
    assert_closed_by_us(server)
    stream.close()
    assert list(stream) == []
    with open_stream(client) as stream:
        next(stream)
    assert_closed_by_us(server)


def test_a_stream_that_was_never_read_is_closed_by_close(server: MockServer, client: openai.OpenAI) -> None:
    open_stream(client).close()
    assert_closed_by_us(server)


def test_an_exception_in_the_loop_closes(server: MockServer, client: openai.OpenAI) -> None:
    def consume() -> None:
        for _ in open_stream(client):
            raise KeyError("mine")

    with pytest.raises(KeyError) as caught:
        consume()
    del caught
    assert_closed_by_us(server)


def test_a_failure_closes_and_leaves_nothing_to_the_collector() -> None:
    with MockServer(Reply(fault=Cut(after=2))) as server, client_of(server) as client:
        stream = open_stream(client)
        with pytest.raises(CONNECTION_ERROR):
            list(stream)
        assert server.wait_closed().closed_by == "server"
        body = b'data: {"choices": []}\n\ndata: {"error": "x"}\n\n'
        server.reply = Reply(body=[body], framing="chunked", fault=Stall(after=1))
        stream = open_stream(client)
        with pytest.raises(openai.APIError):
            list(stream)
        assert_closed_by_us(server)
        assert stream.response.is_closed


@pytest.mark.parametrize("way", ["del", "close", "with", "raise"])
@pytest.mark.parametrize("asynchronous", [False, True], ids=["sync", "async"])
def test_the_body_is_closed_wherever_and_however_the_stream_is_left(way: str, asynchronous: bool) -> None:
    payload = {"id": "c", "choices": [{"index": 0, "delta": {"content": "a"}}]}
    one = sse(payload, done=False)
    for place in range(1, 6):
        body = Body([one + one, one, sse(payload, payload)])
        if asynchronous:
            asyncio.run(_aleave(body, place, way))
        else:
            _leave(body, place, way)
        assert body.is_closed


def _client_over(body: Body, *, asynchronous: bool = False) -> Any:
    transport = http.MockTransport(lambda request: http.Response(200, stream=body))
    if asynchronous:
        return accelerate(openai.AsyncOpenAI(api_key="key", http_client=http.AsyncClient(transport=transport)))
    return accelerate(openai.OpenAI(api_key="key", http_client=http.Client(transport=transport)))


def _leave(body: Body, place: int, way: str) -> None:
    with contextlib.suppress(LookupError):
        stream = open_stream(_client_over(body))
        with stream if way == "with" else contextlib.nullcontext():
            for count, _ in enumerate(stream, 1):
                if count == place and way == "raise":
                    raise LookupError
                if count == place:
                    break
        if way == "close":
            stream.close()


async def _aleave(body: Body, place: int, way: str) -> None:
    with contextlib.suppress(LookupError):
        stream = await open_stream(_client_over(body, asynchronous=True))
        async with stream if way == "with" else contextlib.nullcontext():
            for _ in range(place):
                await anext(stream)
            if way == "raise":
                raise LookupError
        if way == "close":
            await stream.close()
    del stream
    await asyncio.sleep(0)
    await asyncio.sleep(0)


def test_a_stream_is_freed_without_the_collector(server: MockServer, client: openai.OpenAI) -> None:
    stream = open_stream(client)
    next(stream)
    generator = stream._iterator
    assert not [one for one in gc.get_referrers(stream) if one is generator.gi_frame]
    assert stream not in gc.get_referents(generator.gi_frame, generator)


@pytest.mark.parametrize("framing", ["chunked", "length"])
def test_the_connection_is_used_again(framing: Any) -> None:
    with MockServer(Reply(framing=framing)) as server, client_of(server) as client:
        for _ in range(3):
            assert len(list(open_stream(client))) > 20
        assert server.connections.opened == 1


def test_a_body_that_does_not_end_after_the_end_mark_ends_the_stream_and_closes() -> None:
    with MockServer(Reply(fault=Stall(after="done"))) as server, client_of(server) as client:
        assert len(list(open_stream(client))) > 20
        assert_closed_by_us(server)


def test_a_body_that_does_not_end_because_of_http_1_0_is_not_waited_for() -> None:
    with MockServer(Reply(framing="http/1.0")) as server, client_of(server) as client:
        assert len(list(open_stream(client))) > 20
        server.wait_closed()


# Async.


def run(main: Any, server: MockServer) -> None:
    """Call ``main`` with a client of ``server``; no task may be left when it is over but the one that runs it."""

    async def watched() -> None:
        plain = openai.AsyncOpenAI(base_url=server.url, api_key="key", max_retries=0)
        async with accelerate(plain) as client:
            await main(client)
            # The generators of the HTTP library, one inside of the other, end in a turn each.
            for _ in range(60):
                await asyncio.sleep(0)
            assert asyncio.all_tasks() == {asyncio.current_task()}

    asyncio.run(watched())


def test_an_async_connection_is_closed_when_the_last_reference_goes(server: MockServer) -> None:
    async def main(client: Any) -> None:
        async for _ in await open_stream(client):
            break
        await server.await_closed()
        stream = await open_stream(client)
        await anext(stream)
        del stream
        await server.await_closed()
        # A stream that was never read.
        await open_stream(client)
        await server.await_closed()

    run(main, server)
    assert_closed_by_us(server)


def test_async_close_and_with_close(server: MockServer) -> None:
    async def main(client: Any) -> None:
        stream = await open_stream(client)
        await anext(stream)
        await stream.close()
        assert [chunk async for chunk in stream] == []
        await server.await_closed()
        async with await open_stream(client) as stream:
            await anext(stream)
        await server.await_closed()
        await (await open_stream(client)).close()
        await server.await_closed()

    run(main, server)


def test_a_cancelled_task_closes(server: MockServer) -> None:
    async def main(client: Any) -> None:
        async def read() -> None:
            stream = await open_stream(client)
            # The role and three pieces; then the server waits.
            for _ in range(4):
                await anext(stream)
            has_begun.set()
            await anext(stream)

        has_begun = asyncio.Event()
        task = asyncio.create_task(read())
        await has_begun.wait()
        task.cancel()
        await asyncio.wait([task])
        assert task.cancelled()
        await server.await_closed()

    run(main, server)


def test_an_async_connection_is_used_again() -> None:
    async def main(client: Any) -> None:
        for _ in range(3):
            assert len([chunk async for chunk in await open_stream(client)]) > 20
        assert server.connections.opened == 1

    with MockServer() as server:
        run(main, server)


def test_an_async_body_that_does_not_end_after_the_end_mark_ends_the_stream_and_closes() -> None:
    async def main(client: Any) -> None:
        assert len([chunk async for chunk in await open_stream(client)]) > 20
        await server.await_closed()

    with MockServer(Reply(fault=Stall(after="done"))) as server:
        run(main, server)
        assert_closed_by_us(server)


def test_only_a_socket_is_waited_for() -> None:
    response = http.Response(200, stream=Body([]), extensions={"http_version": b"HTTP/1.1"})
    reads = iter([b"data"])
    drain(reads, find_socket(response))
    assert list(reads) == [b"data"]


# The HTTP library leaves its own generators to the garbage collector, about which trio warns.
@pytest.mark.filterwarnings("ignore:(?!.*_aread_chunks)")
def test_trio_reads_leaves_and_cancels(server: MockServer) -> None:
    async def main() -> None:
        plain = openai.AsyncOpenAI(base_url=server.url, api_key="key", max_retries=0)
        async with accelerate(plain) as client:
            async with await open_stream(client) as stream:
                await anext(stream)
            server.wait_closed()
            with trio.CancelScope() as scope:
                async with await open_stream(client) as stream:
                    for _ in range(4):
                        await anext(stream)
                    scope.cancel()
                    await anext(stream)
            assert scope.cancelled_caught
            server.wait_closed()
            server.reply = Reply()
            for _ in range(2):
                assert len([chunk async for chunk in await open_stream(client)]) > 20
            assert server.connections.opened == 3

    trio.run(main)

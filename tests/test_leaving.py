"""Leaving a stream early: the upstream connection is closed, at once, and nothing is left behind."""

import asyncio
import contextlib
import os
import subprocess
import sys
import threading
import weakref
from functools import partial
from typing import Any

import pytest

from endings import assert_closed_by_us, expire_after, read_into
from langchain_peer import KEY
from millstream import ChatOpenAI, OpenAI
from millstream.errors import StreamDecodeError, StreamTruncatedError
from millstream.testing import VERSE, Cut, MockServer, Reply
from millstream.testing.memory import MemoryTransport
from user_code import run

pytestmark = pytest.mark.usefixtures("without_the_collector")


MODEL: Any = OpenAI


@pytest.fixture(autouse=True, params=[OpenAI, ChatOpenAI])
def model_class(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    """Leave the streams of completions, and those of chat."""
    monkeypatch.setattr(sys.modules[__name__], "MODEL", request.param)


def model(server: MockServer, **arguments: Any) -> Any:
    return MODEL(base_url=server.url, api_key=KEY, **arguments)


# Sync.


def test_break_closes_when_the_last_reference_goes(server: MockServer) -> None:
    for _ in model(server).stream("p"):
        break
    assert_closed_by_us(server)


def test_a_stream_that_is_held_is_closed_by_close(server: MockServer) -> None:
    stream = model(server).stream("p")
    assert getattr(next(stream), "content", VERSE[0]) in ("", VERSE[0])
    assert server.connections.open == 1
    stream.close()
    assert_closed_by_us(server)
    assert list(stream) == []


def test_with_closes(server: MockServer) -> None:
    with model(server).stream("p") as stream:
        next(stream)
    assert_closed_by_us(server)


def test_an_exception_in_the_loop_closes(server: MockServer) -> None:
    def consume() -> None:
        for _ in model(server).stream("p"):
            raise KeyError("mine")

    with contextlib.suppress(KeyError):
        consume()
    assert_closed_by_us(server)


def test_del_closes(server: MockServer) -> None:
    stream = model(server).stream("p")
    next(stream)
    del stream
    assert_closed_by_us(server)


def test_a_stream_that_was_never_begun_sends_nothing(server: MockServer) -> None:
    stream = model(server).stream("p")
    stream.close()
    astream = model(server).astream("p")
    asyncio.run(astream.aclose())
    del stream, astream
    model(server).stream("p")
    model(server).astream_events("p", version="v2")
    assert server.requests == []


# Async.


def test_async_break_closes_within_a_turn(server: MockServer) -> None:
    async def main() -> None:
        async for _ in model(server).astream("p"):
            break
        await server.await_closed()

    run(main)
    assert_closed_by_us(server)


def test_aclose_closes_before_it_returns(server: MockServer) -> None:
    async def main() -> None:
        stream = model(server).astream("p")
        await anext(stream)
        await stream.aclose()
        assert [item async for item in stream] == []

    run(main)
    assert_closed_by_us(server)


def test_async_with_closes(server: MockServer) -> None:
    async def main() -> None:
        async with model(server).astream("p") as stream:
            await anext(stream)

    run(main)
    assert_closed_by_us(server)


@pytest.mark.parametrize("version", ["v1", "v2"])
def test_events_close_as_their_stream_does(server: MockServer, version: str) -> None:
    async def main() -> None:
        async for event in model(server).astream_events("p", version=version):
            if event["event"].endswith("_stream"):
                break
        await server.await_closed()
        stream = model(server).astream_events("p", version=version)
        await anext(stream)
        await anext(stream)
        await stream.aclose()

    run(main)
    assert_closed_by_us(server)
    assert server.connections.closed == 2


def test_cancelling_a_waiting_consumer_closes_and_takes_one_cancellation(server: MockServer) -> None:
    async def main() -> None:
        seen: list[str] = []
        task = asyncio.create_task(read_into(seen, model(server).astream("p")))
        await server.await_until(lambda: server.requests != [] and server.requests[-1].pieces_sent == 3)
        while len(seen) < 3:  # noqa: ASYNC110
            await asyncio.sleep(0)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        assert task.cancelled()

    run(main)
    assert_closed_by_us(server)


def test_a_timeout_around_the_consumer_reaches_the_consumer(server: MockServer) -> None:
    async def consume() -> None:
        begun = server.await_until(lambda: server.requests != [] and server.requests[-1].pieces_sent == 3)
        async with asyncio.timeout(None) as limit:
            expiring = asyncio.create_task(expire_after(begun, limit))
            await read_into([], model(server).astream("p"))
        await expiring

    async def main() -> None:
        with pytest.raises(TimeoutError):
            await consume()

    run(main)
    assert_closed_by_us(server)


@pytest.mark.parametrize("times", [1, 2, 3])
def test_cancellation_at_any_step_leaves_nothing(times: int) -> None:
    async def consume(server: MockServer) -> None:
        async for _ in model(server).astream("p"):
            pass

    async def main(server: MockServer, turns: int) -> bool:
        task = asyncio.create_task(consume(server))
        for _ in range(turns):
            await asyncio.sleep(0)
        # Again and again, while it cleans up.
        for _ in range(times):
            if task.done():
                break
            task.cancel()
            await asyncio.sleep(0)
        done, _ = await asyncio.wait([task], timeout=5)
        assert done
        assert task.cancelled() or task.result() is None
        return task.cancelled()

    with MockServer(Reply(pieces_per_write=10)) as server:
        outcomes = [run(partial(main, server, turns)) for turns in range(80)]
        assert outcomes[0]
        assert outcomes[2]
        # Connections are accepted in order: when this one serves, all earlier ones have been seen.
        list(model(server).stream("p"))
        server.wait_until(lambda: server.connections.open == 1, timeout=10)


def test_an_abandoned_generator_is_closed_by_the_loop_at_its_end(server: MockServer) -> None:
    async def main() -> Any:
        stream = model(server).astream("p")
        await anext(stream)
        return stream

    asyncio.run(main())
    assert_closed_by_us(server)


def test_many_streams_left_at_different_places_leave_no_connection() -> None:
    async def main(server: MockServer) -> None:
        for count in range(30):
            async for _ in model(server).astream("p"):
                count -= 1
                if count < 0:
                    break
        for count in range(30):
            for _ in model(server).stream("p"):
                count -= 1
                if count < 0:
                    break
        # Kept are those whose body had ended: one for each kind of code, and what was left at the very end.
        await server.await_until(lambda: server.connections.open <= 4)

    before = threading.active_count()
    with MockServer(Reply(pace=0.001)) as server:
        run(lambda: main(server))
    # The watchdog that bounds the drain of sync streams may be there still.
    assert threading.active_count() <= before + 1


def test_no_more_is_read_after_leaving() -> None:
    with MockServer(Reply(pace=0.01)) as server:
        for _ in model(server).stream("p"):
            break
        server.wait_closed()
        sent = server.requests[-1].pieces_sent
    assert sent < len(VERSE) - 5


# What is not left behind.


class Traced(MemoryTransport):
    """A transport whose responses can be watched."""

    def open(self, request: Any) -> Any:
        response = super().open(request)
        self.last = weakref.ref(response)
        return response


@pytest.mark.parametrize("reads", [[b"data: {oops}\n\n"], [b"data: "], [b'data: {"error": "no"}\n\n']])
def test_an_error_keeps_neither_decoder_nor_response_alive(reads: list[bytes]) -> None:
    transport = Traced(reads)
    llm = MODEL(api_key="k", http_client=transport)
    errors: list[Exception] = []
    try:
        list(llm.stream("p"))
    except Exception as error:
        errors.append(error)

    async def read() -> None:
        try:
            async for _ in llm.astream("p"):
                pass
        except Exception as error:
            errors.append(error)

    sync_response = transport.last
    asyncio.run(read())
    assert (transport.opened, transport.closed, len(errors)) == (2, 2, 2)
    assert sync_response() is None
    assert transport.last() is None


def test_an_error_is_in_no_cycle() -> None:
    class Marked(StreamDecodeError):
        pass

    transport = MemoryTransport([Marked("broken")])
    try:
        list(MODEL(api_key="k", http_client=transport).stream("p"))
    except StreamDecodeError as error:
        gone = weakref.ref(error)
        transport.reads.clear()
    del transport
    assert gone() is None


def test_a_truncated_stream_closes_its_connection_before_it_raises() -> None:
    with MockServer(Reply(fault=Cut(after=3, how="fin"))) as server:
        with pytest.raises(StreamTruncatedError):
            list(model(server).stream("p"))
        server.wait_closed()
        assert server.connections.open == 0


def test_no_socket_is_left_open_by_a_loop_that_ends() -> None:
    async def main(server: MockServer) -> None:
        async for _ in model(server).astream("p"):
            pass
        assert server.connections.open == 1

    with MockServer() as server:
        asyncio.run(main(server))
        server.wait_until(lambda: server.connections.open == 0, timeout=10)


@pytest.mark.skipif(not hasattr(os, "fork"), reason="needs fork")
def test_a_forked_child_uses_connections_of_its_own(mock_server: MockServer) -> None:
    code = (
        "import os, sys, warnings\n"
        "from millstream import OpenAI\n"
        f"llm = OpenAI(base_url={mock_server.url!r}, api_key='k')\n"
        "first = list(llm.stream('p'))\n"
        "pid = os.fork()\n"
        "if pid == 0:\n"
        "    os._exit(0 if list(llm.stream('p')) == first else 1)\n"
        "_, status = os.waitpid(pid, 0)\n"
        "again = list(llm.stream('p'))\n"
        "sys.exit(os.waitstatus_to_exitcode(status) or again != first)\n"
    )
    done = subprocess.run([sys.executable, "-W", "error", "-c", code], capture_output=True, text=True, timeout=60)
    assert (done.returncode, done.stderr) == (0, "")
    # The parent's first connection served it again after the fork.
    assert [connection.requests for connection in mock_server.connections] == [2, 1]

"""Leaving a stream of the native transport at every point there is, seen from the server; nothing is left behind."""

import asyncio
import contextlib
import gc
import signal
import subprocess
import sys
from collections.abc import Awaitable, Callable
from typing import Any

import anyio
import pytest

from endings import expire_after, read_into
from millstream.testing import MockServer, Reply, Stall, assert_no_leaks
from millstream.transport.native import Limits, NativeTransport
from native_cases import Run, aread, begin_loop, both_loops, model, post, read

pytestmark = pytest.mark.usefixtures("without_the_collector")

END = b'data: {"choices": [{"index": 0, "text": "0", "finish_reason": "stop"}]}\n\ndata: [DONE]\n\n'


Begun = Callable[[], Awaitable[Any]]
"""Waits until the server has sent what it sends."""

Way = Callable[[Any, Begun], Awaitable[None]]


# Left in every way.


async def leave_by_break(stream: Any, begun: Begun) -> None:
    async for _ in stream:
        break


async def leave_by_aclose(stream: Any, begun: Begun) -> None:
    await anext(stream)
    await stream.aclose()


async def leave_by_async_with(stream: Any, begun: Begun) -> None:
    async with stream:
        await anext(stream)


async def leave_by_an_exception(stream: Any, begun: Begun) -> None:
    async def consume(stream: Any) -> None:
        async for _ in stream:
            raise KeyError("mine")

    with contextlib.suppress(KeyError):
        await consume(stream)


async def leave_by_asyncio_timeout(stream: Any, begun: Begun) -> None:
    with contextlib.suppress(TimeoutError):
        async with asyncio.timeout(None) as limit:
            expiring = asyncio.create_task(expire_after(begun(), limit))
            await read_into([], stream)
    await expiring


async def leave_by_wait_for(stream: Any, begun: Begun) -> None:
    reading = asyncio.ensure_future(read_into([], stream))
    await begun()
    with contextlib.suppress(TimeoutError):
        await asyncio.wait_for(reading, 0.01)


async def leave_by_an_anyio_scope(stream: Any, begun: Begun) -> None:
    async def expire(scope: anyio.CancelScope) -> None:
        await begun()
        scope.deadline = anyio.current_time()

    with anyio.CancelScope() as scope:
        expiring = asyncio.create_task(expire(scope))
        await read_into([], stream)
    await expiring
    assert scope.cancelled_caught


async def leave_by_an_anyio_task_group(stream: Any, begun: Begun) -> None:
    async with anyio.create_task_group() as group:
        group.start_soon(read_into, [], stream)
        await begun()
        group.cancel_scope.cancel()


async def leave_by_cancel(stream: Any, begun: Begun) -> None:
    task = asyncio.ensure_future(read_into([], stream))
    await begun()
    task.cancel()
    await asyncio.wait([task])
    assert task.cancelled()


WAYS = [value for name, value in sorted(globals().items()) if name.startswith("leave_by_")]
BEFORE_THE_HEAD = [way for way in WAYS if any(word in way.__name__ for word in ("timeout", "scope", "group", "cancel"))]


def run_and_leave(run: Run, server: MockServer, way: Way, pieces: int) -> None:
    native = NativeTransport()

    def is_under_way() -> bool:
        return bool(server.requests) and server.requests[0].pieces_sent == pieces

    async def main() -> None:
        await begin_loop()
        async with assert_no_leaks():
            await way(model(server.url, native).astream("p"), lambda: server.await_until(is_under_way))
        await server.await_closed()

    with assert_no_leaks():
        run(main())
    assert [connection.closed_by for connection in server.connections] == ["client"]


@both_loops
@pytest.mark.parametrize("way", WAYS, ids=lambda way: way.__name__)
def test_a_stream_that_is_left_closes_its_connection_at_once(run: Run, way: Way) -> None:
    with MockServer(Reply(fault=Stall(after=3))) as server:
        run_and_leave(run, server, way, 3)


@both_loops
@pytest.mark.parametrize("way", BEFORE_THE_HEAD, ids=lambda way: way.__name__)
def test_a_stream_that_is_left_before_the_head_closes_its_connection(run: Run, way: Way) -> None:
    with MockServer(Reply(fault=Stall(after=-1))) as server:
        run_and_leave(run, server, way, 0)


@both_loops
@pytest.mark.parametrize("way", WAYS, ids=lambda way: way.__name__)
def test_a_fast_stream_that_is_left_closes_its_connection(run: Run, way: Way) -> None:
    frame = b'data: {"choices": [{"index": 0, "text": "0"}]}\n\n'
    with MockServer(Reply(body=[frame * 1000] * 1000)) as server:
        native = NativeTransport()

        async def slow(stream: Any) -> None:
            # As slow as a consumer is that does something with the chunks.
            async def each() -> Any:
                async with contextlib.aclosing(aiter(stream)) as chunks:
                    async for chunk in chunks:
                        await asyncio.sleep(0.0001)
                        yield chunk

            async with contextlib.aclosing(each()) as chunks:
                await way(chunks, lambda: server.await_until(lambda: bool(server.requests)))

        async def main() -> None:
            await slow(model(server.url, native).astream("p"))
            await server.await_closed()

        if way is leave_by_async_with:
            pytest.skip("what wraps the stream here is no context manager")
        run(main())
        assert server.connections[1].closed_by == "client"


@both_loops
def test_streams_that_are_left_to_their_loop_are_closed_with_it(run: Run) -> None:
    native = NativeTransport()
    kept: list[Any] = []
    with MockServer(Reply(fault=Stall(after=3))) as server:

        async def main() -> None:
            for _ in range(3):
                kept.append(model(server.url, native).astream("p"))
                await anext(kept[-1])
            # Started, and never awaited.
            kept.append(await native.aopen(post(server)))

        run(main())
        server.wait_until(lambda: server.connections.open == 0)
        assert server.connections.opened == 4


def test_a_loop_that_is_closed_without_its_generators_leaves_no_connection(mock_server: MockServer) -> None:
    native = NativeTransport()
    loop = asyncio.new_event_loop()
    loop.run_until_complete(aread(native, post(mock_server)))
    old = native._loops[loop]
    (connection,) = old.connections
    loop.close()
    assert asyncio.run(aread(native, post(mock_server)))
    assert loop not in native._loops
    # asyncio's transport warns that it was not closed; this test checks that nothing raises.
    old.close()
    del connection, old, loop
    with pytest.warns(ResourceWarning, match="unclosed"):
        gc.collect()


def test_a_task_that_is_destroyed_after_its_loop_closed_raises_nothing(mock_server: MockServer) -> None:
    native = NativeTransport()
    mock_server.reply = Reply(fault=Stall(after=3))

    async def one() -> None:
        await read_into([], model(mock_server.url, native).astream("p"))

    coroutine = one()
    loop = asyncio.new_event_loop()
    loop.set_exception_handler(lambda *_: None)
    task = loop.create_task(coroutine)
    while not mock_server.requests or mock_server.requests[0].pieces_sent < 3:
        loop.run_until_complete(asyncio.sleep(0))
    native._loops[loop].close()
    loop.run_until_complete(asyncio.wait([task]))
    assert task.exception() is not None
    loop.run_until_complete(loop.shutdown_asyncgens())
    loop.close()
    mock_server.wait_until(lambda: mock_server.connections.open == 0)


# Sync.


@pytest.mark.skipif(not hasattr(signal, "setitimer"), reason="needs setitimer")
@pytest.mark.parametrize("after", [-1, 3])
def test_an_exception_of_a_signal_handler_closes_the_connection(after: int) -> None:
    native = NativeTransport()

    class Interrupted(Exception):
        pass

    def interrupt(*_: object) -> None:
        raise Interrupted

    before = signal.signal(signal.SIGALRM, interrupt)
    try:
        with MockServer(Reply(fault=Stall(after=after))) as server, assert_no_leaks():
            signal.setitimer(signal.ITIMER_REAL, 0.1)
            with contextlib.suppress(Interrupted):
                for _ in model(server.url, native).stream("p"):
                    pass
            assert server.wait_closed().closed_by == "client"
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, before)


def test_a_sync_stream_that_is_left_frees_its_place_for_the_next(mock_server: MockServer) -> None:
    native = NativeTransport(limits=Limits(max_connections=1))
    for _ in range(10):
        for _ in model(mock_server.url, native).stream("p"):
            break
    read(native, post(mock_server))
    native.close()
    mock_server.wait_until(lambda: mock_server.connections.open == 0)


@pytest.mark.parametrize(
    "lines",
    [
        ["stream = llm.stream('p')", "next(stream)"],
        ["stream = llm.stream('p')", "next(iter(stream))", "print('left')"],
        ["asyncio.run(begin())"],
        ["list(llm.stream('p'))"],
        ["asyncio.run(read())"],
    ],
)
def test_at_the_interpreters_end_connections_close_without_warnings(mock_server: MockServer, lines: list[str]) -> None:
    mock_server.reply = Reply() if "list" in lines[-1] or "read" in lines[-1] else Reply(fault=Stall(after=3))
    code = [
        "import asyncio",
        "from millstream import OpenAI",
        f"llm = OpenAI(base_url={mock_server.url!r}, api_key='k', transport='native')",
        "kept = []",
        # A busy machine is not an error of the stream.
        "asyncio.BaseEventLoop.slow_callback_duration = property(lambda loop: 3600.0, lambda loop, value: None)",
        "async def begin():",
        "    kept.append(llm.astream('p'))",
        "    await anext(kept[0])",
        "async def read():",
        "    return [chunk async for chunk in llm.astream('p')]",
        *lines,
    ]
    done = subprocess.run(
        [sys.executable, "-X", "dev", "-W", "error", "-c", "\n".join(code)], capture_output=True, text=True, timeout=60
    )
    assert (done.returncode, done.stderr) == (0, "")
    mock_server.wait_until(lambda: mock_server.connections.open == 0)

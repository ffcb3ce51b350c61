"""The limits of the native transport: the number of connections, and the objects that they keep alive."""

import asyncio
import contextvars
import gc
import os
import subprocess
import sys
import weakref
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest

from millstream.errors import APITimeoutError
from millstream.testing import VERSE, MockServer, Reply, Stall
from millstream.transport.native import Limits, NativeTransport
from native_cases import LONG, Run, aread, both_loops, model, post, read

FRAMES = b'data: {"choices": [{"index": 0, "text": "0", "finish_reason": "stop"}]}\n\n'
END = b"data: [DONE]\n\n"


# How many there may be.


@both_loops
def test_exchanges_beyond_max_connections_wait_for_a_place(mock_server: MockServer, run: Run) -> None:
    native = NativeTransport(limits=Limits(max_connections=3))

    async def main() -> None:
        bodies = await asyncio.gather(*(aread(native, post(mock_server)) for _ in range(20)))
        assert len(bodies) == 20
        with MockServer() as another:
            # What is idle elsewhere makes room.
            await asyncio.gather(*(aread(native, post(another)) for _ in range(3)))
            await mock_server.await_until(lambda: mock_server.connections.open == 0)

    run(main())
    assert mock_server.connections.opened == 3


@both_loops
def test_waiting_for_a_place_ends_with_the_pool_timeout(run: Run) -> None:
    native = NativeTransport(limits=Limits(max_connections=1))
    with MockServer(Reply(fault=Stall(after=3))) as server:

        async def main() -> None:
            first = await native.aopen(post(server))
            with pytest.raises(APITimeoutError, match="none of 1 connections became free within 0.1 s"):
                await aread(native, post(server, timeouts=LONG._replace(pool=0.1)))
            waiting = [asyncio.ensure_future(aread(native, post(server))) for _ in range(3)]
            await asyncio.sleep(0)
            waiting[0].cancel()
            await first.aclose()
            # The turn has come to the second one by now, and is passed on.
            waiting[1].cancel()
            await server.await_until(lambda: len(server.requests) == 2)
            server.release(5)
            assert (await waiting[2]).endswith(b"[DONE]\n\n")
            assert [task.cancelled() for task in waiting] == [True, True, False]
            assert native._loops[asyncio.get_running_loop()]._active == 0

        run(main())


def test_threads_wait_for_a_place_too(mock_server: MockServer) -> None:
    native = NativeTransport(limits=Limits(max_connections=2))
    with ThreadPoolExecutor(8) as executor:
        bodies = list(executor.map(lambda _: read(native, post(mock_server)), range(40)))
    assert len(set(bodies)) == 40
    assert mock_server.connections.opened == 2
    first, second = native.open(post(mock_server)), native.open(post(mock_server))
    with pytest.raises(APITimeoutError, match="none of 2 connections became free"):
        read(native, post(mock_server, timeouts=LONG._replace(pool=0.05)))
    first.close()
    second.close()
    read(native, post(mock_server))
    native.close()


# Objects that connections keep alive.


@both_loops
def test_an_idle_connection_keeps_no_reference_to_a_request(mock_server: MockServer, run: Run) -> None:
    native = NativeTransport()
    variable: contextvars.ContextVar[Any] = contextvars.ContextVar("variable")

    class Value:
        """Something that belongs to one request."""

    async def one(headers: dict[str, str]) -> weakref.ref[Any]:
        variable.set(value := Value())
        await aread(native, post(mock_server, headers=headers, idle=10))
        return weakref.ref(value)

    async def main() -> None:
        gone = await asyncio.create_task(one({"x": "1"}))
        # The task is over; its loop lets go of it in the next turn.
        await asyncio.sleep(0)
        assert mock_server.connections.open == 1
        assert gone() is None

    gc.disable()
    try:
        run(main())
    finally:
        gc.enable()


@pytest.mark.skipif(not hasattr(os, "fork"), reason="needs fork")
def test_a_child_process_leaves_the_connections_of_loops_alone(mock_server: MockServer) -> None:
    code = (
        "import asyncio, os, sys\n"
        "from millstream import OpenAI\n"
        f"llm = OpenAI(base_url={mock_server.url!r}, api_key='k', transport='native')\n"
        "async def read():\n"
        "    return [chunk async for chunk in llm.astream('p')]\n"
        "async def main():\n"
        "    first = await read()\n"
        "    pid = os.fork()\n"
        "    if pid == 0:\n"
        "        asyncio._set_running_loop(None)\n"
        "        loop = asyncio.new_event_loop()\n"
        "        os._exit(0 if loop.run_until_complete(read()) == first else 1)\n"
        "    _, status = os.waitpid(pid, 0)\n"
        "    again = await read()\n"
        "    return os.waitstatus_to_exitcode(status) or again != first\n"
        "sys.exit(asyncio.run(main()))\n"
    )
    done = subprocess.run([sys.executable, "-W", "error", "-c", code], capture_output=True, text=True, timeout=60)
    assert (done.returncode, done.stderr) == (0, "")
    assert [connection.requests for connection in mock_server.connections] == [2, 1]


def test_a_hundred_streams_at_once_are_all_read(mock_server: MockServer) -> None:
    native = NativeTransport()

    async def main() -> None:
        llm = model(mock_server, native)
        for _ in range(2):
            streams = await asyncio.gather(*(llm.ainvoke("p") for _ in range(50)))
            assert streams == ["".join(VERSE)] * 50
        assert mock_server.connections.opened == 50

    asyncio.run(main())

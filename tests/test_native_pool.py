"""The connections that the native transport keeps, and for how long."""

import asyncio
import time

import pytest

from millstream.errors import APIConnectionError
from millstream.testing import MockServer, Reply, Stall
from millstream.transport.native import Limits, NativeTransport
from native_cases import Run, aread, both_loops, model, post, read

FRAMES = b'data: {"choices": [{"index": 0, "text": "0", "finish_reason": "stop"}]}\n\n'
END = b"data: [DONE]\n\n"


# Idle connections.


@both_loops
def test_a_connection_that_is_idle_for_too_long_is_closed(mock_server: MockServer, run: Run) -> None:
    native = NativeTransport(limits=Limits(idle_seconds=0.1))

    async def main() -> None:
        await aread(native, post(mock_server))
        await mock_server.await_closed(1)
        await aread(native, post(mock_server))
        await aread(native, post(mock_server))
        assert mock_server.connections.open == 1
        await mock_server.await_closed(2)

    run(main())
    assert [connection.requests for connection in mock_server.connections] == [1, 2]


def test_in_sync_code_the_next_request_closes_what_was_idle_for_too_long(mock_server: MockServer) -> None:
    native = NativeTransport(limits=Limits(idle_seconds=0.05))
    read(native, post(mock_server))
    with MockServer() as another:
        read(native, post(another))
        time.sleep(0.06)
        read(native, post(another))
        mock_server.wait_closed(1)
        assert [connection.closed_by for connection in another.connections] == ["client", None]
    native.close()


@both_loops
def test_the_connection_that_was_used_last_is_reused_first(mock_server: MockServer, run: Run) -> None:
    native = NativeTransport()

    async def main() -> None:
        responses = [await native.aopen(post(mock_server)) for _ in range(3)]
        for response in responses:
            while await response.read():
                pass
            await response.aclose()
        for _ in range(5):
            await aread(native, post(mock_server))

    run(main())
    assert [connection.requests for connection in mock_server.connections] == [1, 1, 6]
    mock_server.wait_until(lambda: mock_server.connections.open == 0)


@both_loops
def test_at_most_max_idle_connections_are_kept(mock_server: MockServer, run: Run) -> None:
    native = NativeTransport(limits=Limits(max_idle=2))

    async def main() -> None:
        await asyncio.gather(*(aread(native, post(mock_server)) for _ in range(10)))
        assert mock_server.connections.opened == 10
        await mock_server.await_until(lambda: mock_server.connections.open == 2)

    run(main())


def test_every_origin_has_connections_of_its_own(mock_server: MockServer) -> None:
    native = NativeTransport()
    with MockServer() as another:
        for _ in range(3):
            read(native, post(mock_server))
            read(native, post(another))
        assert (mock_server.connections.opened, another.connections.opened) == (1, 1)
        native.close()
        mock_server.wait_closed()
        another.wait_closed()


def test_a_closed_transport_opens_new_connections(mock_server: MockServer) -> None:
    native = NativeTransport()

    async def main() -> None:
        for _ in range(2):
            await aread(native, post(mock_server))
            await native.aclose()
        await mock_server.await_until(lambda: mock_server.connections.open == 0)

    asyncio.run(main())
    for _ in range(2):
        read(native, post(mock_server))
        native.close()
    assert mock_server.connections.opened == 4


def test_a_response_that_outlives_its_transport_is_closed_with_it(mock_server: MockServer) -> None:
    native = NativeTransport()
    response = native.open(post(mock_server))
    native.close()
    assert b"".join(response).endswith(b"[DONE]\n\n")
    response.close()
    mock_server.wait_closed()

    async def main() -> None:
        response = await native.aopen(post(mock_server))
        await response.read()
        await native.aclose()
        with pytest.raises(APIConnectionError, match="while the response was read"):
            await response.read()
        await response.aclose()

    mock_server.reply = Reply(fault=Stall(after=3))
    asyncio.run(main())
    mock_server.wait_closed()


# The end of the body that comes late.


@both_loops
def test_a_body_that_ends_late_keeps_its_connection(run: Run) -> None:
    native = NativeTransport()
    with MockServer(Reply(body=[FRAMES + END, b": late\n\n"], fault=Stall(after=1))) as server:

        async def main() -> None:
            for _ in range(3):
                assert [chunk async for chunk in model(server, native).astream("p")] == ["0"]
                server.release()
                pool = native._loops[asyncio.get_running_loop()]
                while pool._parked:  # noqa: ASYNC110
                    await asyncio.sleep(0)
            assert server.connections.opened == 1

        run(main())


@both_loops
def test_a_body_that_ends_while_a_request_waits_keeps_its_connection(run: Run) -> None:
    native = NativeTransport()
    with MockServer(Reply(body=[FRAMES + END, b": late\n\n"], fault=Stall(after=1))) as server:
        server.release(3)

        async def main() -> None:
            for _ in range(3):
                assert [chunk async for chunk in model(server, native).astream("p")] == ["0"]

        run(main())
        assert server.connections.opened == 1


def test_in_sync_code_the_next_request_finds_the_late_end_of_a_body() -> None:
    native = NativeTransport()
    with MockServer(Reply(body=[FRAMES + END, b": late\n\n"], fault=Stall(after=1))) as server:
        for _ in range(3):
            assert list(model(server, native).stream("p")) == ["0"]
            server.release()
            server.wait_until(lambda: server.requests[-1].answered)
        assert server.connections.opened == 1
        native.close()

"""Which connections the native transport keeps, for how long, and what it does with stale ones."""

import asyncio
import socket
import threading
import time
from collections.abc import Callable
from typing import Any

import pytest

from millstream.errors import APIConnectionError, APITimeoutError
from millstream.testing import MockServer, Reply, Stall
from millstream.transport.native import Limits, NativeTransport, blocking, exchange
from native_cases import LONG, OK, Run, answering, aread, both_loops, model, post, read, silent
from scripted import read_request, scripted

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
def test_the_connection_that_was_used_last_serves_next(mock_server: MockServer, run: Run) -> None:
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
def test_no_more_than_so_many_stay_idle(mock_server: MockServer, run: Run) -> None:
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
def test_a_body_that_ends_late_gives_its_connection_back(run: Run) -> None:
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
def test_a_body_that_ends_as_the_connection_is_wanted_gives_it_back(run: Run) -> None:
    native = NativeTransport()
    with MockServer(Reply(body=[FRAMES + END, b": late\n\n"], fault=Stall(after=1))) as server:
        server.release(3)

        async def main() -> None:
            for _ in range(3):
                assert [chunk async for chunk in model(server, native).astream("p")] == ["0"]

        run(main())
        assert server.connections.opened == 1


def test_in_sync_code_a_late_end_is_seen_by_the_next_request() -> None:
    native = NativeTransport()
    with MockServer(Reply(body=[FRAMES + END, b": late\n\n"], fault=Stall(after=1))) as server:
        for _ in range(3):
            assert list(model(server, native).stream("p")) == ["0"]
            server.release()
            server.wait_until(lambda: server.requests[-1].answered)
        assert server.connections.opened == 1
        native.close()


# Stale connections.


def in_turn(
    url: str, run: Run | None, times: int, between: Callable[[], Any] = lambda: None, **changes: Any
) -> list[Any]:
    """Send as many requests, one after the other, and return bodies and exceptions."""
    native = NativeTransport()

    async def main() -> list[Any]:
        got: list[Any] = []
        for _ in range(times):
            got += await asyncio.gather(aread(native, post(url, **changes)), return_exceptions=True)
            await asyncio.to_thread(between)
        return got

    if run is not None:
        return run(main())  # type: ignore[no-any-return]
    got: list[Any] = []
    for _ in range(times):
        try:
            got.append(read(native, post(url, **changes)))
        except APIConnectionError as error:
            got.append(error)
        between()
    native.close()
    return got


three_ways = pytest.mark.parametrize("run", [None, *both_loops.args[1]], ids=["sync", "asyncio", "uvloop"])


@three_ways
def test_a_stale_connection_is_replaced_once(run: Any) -> None:
    def closing(sock: socket.socket) -> None:
        answering(OK)(sock)
        read_request(sock)

    with scripted(closing, answering(OK)) as url:
        assert in_turn(url, run, 2) == [b"ok", b"ok"]
    with scripted(closing, silent, answering(OK)) as url:
        first, second, third = in_turn(url, run, 3)
        assert (first, third) == (b"ok", b"ok")
        assert "closed before the response began" in str(second)


@three_ways
def test_a_new_connection_that_closes_is_not_replaced(run: Any) -> None:
    with scripted(silent, answering(OK)) as url:
        first, second = in_turn(url, run, 2)
        assert (isinstance(first, APIConnectionError), second) == (True, b"ok")


@three_ways
@pytest.mark.parametrize("beginning", [b"H", b"HTTP/1.1 100 Continue\r\n\r\n"])
def test_where_an_answer_has_begun_nothing_is_sent_again(beginning: bytes, run: Any) -> None:
    with scripted(answering(OK, beginning), answering(OK)) as url:
        first, second, third = in_turn(url, run, 3)
        assert (first, third) == (b"ok", b"ok")
        assert "closed" in str(second)


@three_ways
def test_a_connection_that_says_something_unasked_is_not_used(run: Any) -> None:
    go, said = threading.Event(), threading.Event()

    def talking(sock: socket.socket) -> None:
        answering(OK)(sock)
        go.wait()
        sock.sendall(OK.replace(b"ok", b"no"))
        said.set()
        read_request(sock)

    def between() -> None:
        go.set()
        said.wait()

    with scripted(talking, answering(OK, OK)) as url:
        assert in_turn(url, run, 3, between) == [b"ok", b"ok", b"ok"]


@three_ways
def test_a_timeout_on_a_used_connection_is_not_tried_again(run: Any) -> None:
    seen: list[bytes] = []

    def stalling(sock: socket.socket) -> None:
        answering(OK)(sock)
        seen.append(read_request(sock))
        read_request(sock)

    native = NativeTransport()

    async def main(url: str) -> None:
        await aread(native, post(url))
        with pytest.raises(APITimeoutError):
            await aread(native, post(url, timeouts=LONG._replace(read=0.1)))

    with scripted(stalling, answering(OK)) as url:
        if run is not None:
            run(main(url))
        else:
            read(native, post(url))
            with pytest.raises(APITimeoutError):
                read(native, post(url, timeouts=LONG._replace(read=0.1)))
        assert len(seen) == 1


@three_ways
def test_a_connection_that_is_lost_after_the_server_worked_is_not_replaced(run: Any) -> None:
    def working(sock: socket.socket) -> None:
        answering(OK)(sock)
        read_request(sock)
        time.sleep(0.15)

    with scripted(working, answering(OK)) as url:
        first, second, third = in_turn(url, run, 3)
        assert (first, third) == (b"ok", b"ok")
        assert "closed" in str(second)


@three_ways
def test_a_request_that_is_to_be_sent_once_is(run: Any) -> None:
    def closing(sock: socket.socket) -> None:
        answering(OK)(sock)
        read_request(sock)

    with scripted(closing, answering(OK)) as url:
        first, second, third = in_turn(url, run, 3, resend=False)
        assert (first, third) == (b"ok", b"ok")
        assert "closed" in str(second)


def test_what_a_server_says_before_it_is_asked_answers_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    ours, theirs = socket.socketpair()
    theirs.sendall(OK)
    monkeypatch.setattr(blocking, "_open_socket", lambda *_: ours)
    with theirs, pytest.raises(APIConnectionError, match="the server spoke before it was asked"):
        NativeTransport().open(post("http://127.0.0.1:1"))


@both_loops
def test_a_connection_that_closed_before_the_loop_had_a_turn_is_not_used(
    run: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(exchange, "_STALE_SECONDS", -1.0)
    with socket.create_server(("127.0.0.1", 0)) as listener:
        listener.settimeout(60)

        def serve() -> socket.socket:
            peer, _ = listener.accept()
            peer.recv(65_536)
            peer.sendall(OK)
            return peer

        async def main() -> None:
            transport = NativeTransport()
            for _ in range(2):
                peer = asyncio.get_running_loop().run_in_executor(None, serve)
                response = await transport.aopen(post(f"http://127.0.0.1:{listener.getsockname()[1]}"))
                assert [bytes(data) for data in await response.read()] == [b"ok"]
                kept = await peer
                await response.adrain()
                await response.aclose()
                # From here to the next request, the loop has no turn.
                kept.close()

        run(main())

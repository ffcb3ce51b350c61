"""The native transport's waits: timeouts of every kind, and back pressure."""

import asyncio
import socket
import time
from typing import Any

import pytest

from millstream.errors import APITimeoutError
from millstream.testing import MockServer, Reply, Stall, unaccepting_url
from millstream.transport import Request
from millstream.transport.native import NativeTransport
from millstream.transport.timeouts import Timeouts
from native_cases import LONG, Run, aread, both_loops, get, post, three_ways
from scripted import read_request, scripted

# Timeouts.


def fails(native_transport: NativeTransport, run: Any, request: Request, match: str) -> float:
    """Check that ``request`` times out, and return after how long."""
    started = time.monotonic()
    with pytest.raises(APITimeoutError, match=match) as caught:
        get(native_transport, run, request)
    assert isinstance(caught.value.__cause__, TimeoutError)
    return time.monotonic() - started


@three_ways
def test_a_tls_handshake_that_does_not_begin_is_a_connect_timeout(native_transport: NativeTransport, run: Any) -> None:
    def mute(sock: socket.socket) -> None:
        while sock.recv(1_000_000):
            pass

    with scripted(mute) as url:
        request = post(url.replace("http:", "https:"), timeouts=LONG._replace(connect=0.1))
        assert (
            0.09
            < fails(native_transport, run, request, "before the response began: timed out .no connection to https")
            < 5
        )


@three_ways
def test_a_request_that_the_server_does_not_read_is_a_write_timeout(
    native_transport: NativeTransport, run: Any
) -> None:
    left = socket.socketpair()

    def deaf(sock: socket.socket) -> None:
        left[1].recv(1)

    with scripted(deaf) as url, left[0], left[1]:
        request = post(url, body=b"x" * 50_000_000, timeouts=LONG._replace(write=0.1))
        assert 0.09 < fails(native_transport, run, request, "could not be sent within 0.1 s") < 5
        left[0].send(b"x")


@three_ways
def test_a_head_that_does_not_arrive_is_a_read_timeout(native_transport: NativeTransport, run: Any) -> None:
    with MockServer(Reply(fault=Stall(after=-1))) as server:
        request = post(server, timeouts=LONG._replace(read=0.1))
        assert 0.09 < fails(native_transport, run, request, "the head did not come within 0.1 s") < 5
        assert server.wait_closed().closed_by == "client"


@three_ways
@pytest.mark.parametrize("how", ["idle", "read"])
def test_a_body_that_stops_is_an_idle_timeout(native_transport: NativeTransport, how: str, run: Any) -> None:
    with MockServer(Reply(fault=Stall(after=3))) as server:
        changes: dict[str, Any] = {"idle": 0.1} if how == "idle" else {"timeouts": LONG._replace(read=0.1), "idle": 5}
        assert 0.09 < fails(native_transport, run, post(server, **changes), "nothing arrived within 0.1 s") < 5
        assert server.wait_closed().closed_by == "client"


@three_ways
def test_a_body_that_drips_ends_with_the_total_timeout(native_transport: NativeTransport, run: Any) -> None:
    with MockServer(Reply(body=[b": x\n\n"] * 10_000, pace=0.01)) as server:
        request = post(server, total=0.2, idle=5)
        assert 0.19 < fails(native_transport, run, request, "the response did not end within 0.2 s") < 5


@three_ways
def test_a_total_covers_the_connection_and_the_head(native_transport: NativeTransport, run: Any) -> None:
    with MockServer(Reply(fault=Stall(after=-1))) as server:
        assert 0.09 < fails(native_transport, run, post(server, total=0.1), "the response did not end within 0.1 s") < 5
    with unaccepting_url() as url:
        assert 0.09 < fails(native_transport, run, post(url, total=0.1), "the response did not end within 0.1 s") < 5


@three_ways
def test_requests_work_without_any_timeout(
    native_transport: NativeTransport, mock_server: MockServer, run: Any
) -> None:
    request = post(mock_server, timeouts=Timeouts(None, None, None, None), idle=None)
    assert get(native_transport, run, request).endswith(b"[DONE]\n\n")


@both_loops
def test_arriving_data_postpones_the_deadline(native_transport: NativeTransport, run: Run) -> None:
    with MockServer(Reply(body=[b": x\n\n"] * 12, pace=0.1)) as server:
        assert run(aread(native_transport, post(server, idle=1.0))) == b": x\n\n" * 12


# Back pressure.


@both_loops
def test_a_consumer_that_does_not_read_pauses_its_socket(native_transport: NativeTransport, run: Run) -> None:
    from millstream.transport.native.asyncio_connection import UNREAD_SIZE
    from millstream.transport.native.exchange import READ_SIZE

    size = 40_000_000

    def script(sock: socket.socket) -> None:
        read_request(sock)
        sock.sendall(b"HTTP/1.1 200 OK\r\ncontent-length: %d\r\n\r\n" % size)
        sock.sendall(bytes(size))
        read_request(sock)

    async def main(url: str) -> int:
        response = await native_transport.aopen(post(url))
        connection = response._connection
        assert connection is not None
        total = 0
        for _ in range(3):
            total += len((await response.read())[0])
            while not connection.is_paused:  # noqa: ASYNC110
                await asyncio.sleep(0)
            held = sum(map(len, connection.reads))
            assert UNREAD_SIZE < held <= UNREAD_SIZE + 2 * READ_SIZE
            for _ in range(20):
                await asyncio.sleep(0)
            assert sum(map(len, connection.reads)) == held
        while reads := await response.read():
            total += len(reads[0])
        await response.aclose()
        # What was paused goes on, for the next exchange too.
        assert not connection.is_paused
        return total

    with scripted(script) as url:
        assert run(main(url)) == size

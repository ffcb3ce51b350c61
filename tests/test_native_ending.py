"""The end of a body that comes late: a checkout leaves the connection alone, and later ones use it."""

import asyncio
import socket
import threading
import time
from collections.abc import Callable, Sized
from concurrent.futures import ThreadPoolExecutor

from marks import both_ways
from millstream.testing import MockServer, Reply, Stall
from millstream.transport.native import NativeTransport
from native_cases import model
from scripted import read_request, scripted

FRAMES = b'data: {"choices": [{"index": 0, "text": "0", "finish_reason": "stop"}]}\n\n'
END = b"data: [DONE]\n\n"
HEAD = b"HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\ntransfer-encoding: chunked\r\n\r\n"
BODY = HEAD + b"%x\r\n%b\r\n" % (len(FRAMES + END), FRAMES + END)
LAST = b"0\r\n\r\n"


def ending_after(seconds: float, count: list[int], ended: list[int] | None = None) -> Callable[[socket.socket], None]:
    """Return a script whose bodies end so long after the end of their streams."""

    def script(sock: socket.socket) -> None:
        sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        count.append(1)
        while read_request(sock):
            sock.sendall(BODY)
            time.sleep(seconds)
            sock.sendall(LAST)
            if ended is not None:
                ended.append(1)

    return script


def streams(server: MockServer | str, asynchronous: bool, times: int, ended: Sized | None = None) -> list[list[str]]:
    """Read streams, one right after the other, or each after the end of the previous body; return their texts."""
    native = NativeTransport()
    llm = model(server, native)

    async def main() -> list[list[str]]:
        got = []
        for count in range(times):
            got.append([chunk async for chunk in llm.astream("p")])
            while ended is not None and len(ended) <= count:  # noqa: ASYNC110
                await asyncio.sleep(0.001)
        return got

    if asynchronous:
        return asyncio.run(main())
    got = []
    for count in range(times):
        got.append(list(llm.stream("p")))
        while ended is not None and len(ended) <= count:
            time.sleep(0.001)
    native.close()
    return got


@both_ways
def test_bodies_that_end_40_ms_late_do_not_cost_a_connection_each(asynchronous: bool) -> None:
    opened: list[int] = []
    with scripted(*[ending_after(0.04, opened)] * 12) as url:
        assert streams(url, asynchronous, 12) == [["0"]] * 12
        # The first ends while the others wait for it, 20 ms each; on a busy machine some more are opened.
        assert len(opened) < 10


@both_ways
def test_a_parked_connection_whose_body_ends_between_requests_becomes_idle(asynchronous: bool) -> None:
    opened: list[int] = []
    ended: list[int] = []
    with scripted(*[ending_after(0.04, opened, ended)] * 4) as url:
        assert streams(url, asynchronous, 4, ended) == [["0"]] * 4
        assert len(opened) == 1


def test_in_sync_code_a_body_that_ended_within_the_second_keeps_its_connection() -> None:
    opened: list[int] = []
    native = NativeTransport()
    with scripted(*[ending_after(0.04, opened)] * 2) as url:
        llm = model(url, native)
        assert list(llm.stream("p")) == ["0"]
        time.sleep(1.2)
        assert list(llm.stream("p")) == ["0"]
        assert len(opened) == 1
        native.close()


@both_ways
def test_a_body_that_does_not_end_does_not_delay_the_next_request(asynchronous: bool) -> None:
    native = NativeTransport()
    with MockServer(Reply(body=[FRAMES + END, b": late\n\n"], fault=Stall(after=1))) as server:
        started = time.monotonic()

        async def main() -> None:
            for _ in range(3):
                assert [chunk async for chunk in model(server, native).astream("p")] == ["0"]
            assert server.connections.open == 3
            # Each connection is closed a second after its stream, without a request that looks for it.
            await server.await_until(lambda: server.connections.open == 0)

        if asynchronous:
            asyncio.run(main())
        else:
            for _ in range(3):
                assert list(model(server, native).stream("p")) == ["0"]
            assert server.connections.open == 3
            server.wait_until(lambda: server.connections.open == 0)
        assert time.monotonic() - started > 0.9
        assert server.connections.opened == 3
        assert [server.connections[number].closed_by for number in (1, 2, 3)] == ["client"] * 3
        native.close()


def test_threads_share_connections_that_end_late() -> None:
    opened: list[int] = []
    native = NativeTransport()
    barrier = threading.Barrier(8)
    with scripted(*[ending_after(0.01, opened)] * 200) as url:
        llm = model(url, native)

        def work(_: int) -> list[str]:
            barrier.wait()
            return list(llm.stream("p"))

        with ThreadPoolExecutor(8) as executor:
            assert list(executor.map(work, range(160))) == [["0"]] * 160
        assert len(opened) < 40
        native.close()

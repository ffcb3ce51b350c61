"""Event loops that are blocked beyond a deadline: what has arrived meanwhile is read, and no wait ends too early."""

import asyncio
import contextlib
import socket
import struct
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import pytest

from asgi_calls import Client
from millstream import OpenAI
from millstream.errors import APIConnectionError, APITimeoutError
from millstream.server import EventStreamResponse, keep_alive
from millstream.testing import MockServer, Reply, Stall
from millstream.transport.native import NativeTransport
from native_cases import LONG, Run, aread, both_loops, post
from scripted import read_request, scripted
from user_code import run, settled

HEAD = b"HTTP/1.1 200 OK\r\nconnection: close\r\n\r\n"
IDLE, BLOCKED = 0.1, 0.4


@contextmanager
def blocking(step: Callable[[], None]) -> Iterator[Callable[[], None]]:
    """Yield a function that lets a callback of a socket do ``step`` and block the loop beyond a deadline."""
    loop = asyncio.get_running_loop()
    ours, theirs = socket.socketpair()

    def block() -> None:
        ours.recv(1)
        step()
        time.sleep(BLOCKED)

    with ours, theirs:
        loop.add_reader(ours, block)
        try:
            yield lambda: theirs.sendall(b"x")
        finally:
            loop.remove_reader(ours)


async def read_while_blocked(native: NativeTransport, url: str, go: threading.Event, gone: threading.Event) -> bytes:
    """Return the body of which the rest arrives while the loop is blocked: after ``go``, until ``gone``."""
    response = await native.aopen(post(url, idle=IDLE))

    def step() -> None:
        go.set()
        assert gone.wait(20)

    try:
        data = b"".join(await response.read())
        with blocking(step) as block:
            block()
            while reads := await response.read():
                data += b"".join(reads)
        return data
    finally:
        await response.aclose()


@both_loops
def test_data_that_arrives_while_the_loop_is_blocked_is_in_time(native_transport: NativeTransport, run: Run) -> None:
    go, gone = threading.Event(), threading.Event()

    def script(sock: socket.socket) -> None:
        read_request(sock)
        sock.sendall(HEAD + b"first")
        go.wait(20)
        sock.sendall(b" and last")
        sock.shutdown(socket.SHUT_WR)
        gone.set()
        sock.recv(1)

    with scripted(script) as url:
        assert run(read_while_blocked(native_transport, url, go, gone)) == b"first and last"


@both_loops
def test_a_reset_while_the_loop_is_blocked_is_not_the_end(native_transport: NativeTransport, run: Run) -> None:
    go, gone = threading.Event(), threading.Event()

    def script(sock: socket.socket) -> None:
        read_request(sock)
        sock.sendall(HEAD + b"first")
        go.wait(20)
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        sock.close()
        gone.set()

    with scripted(script) as url, pytest.raises(APIConnectionError, match="reset") as caught:
        run(read_while_blocked(native_transport, url, go, gone))
    assert not isinstance(caught.value, APITimeoutError)


@both_loops
def test_silence_while_the_loop_is_blocked_is_a_timeout(native_transport: NativeTransport, run: Run) -> None:
    go, gone = threading.Event(), threading.Event()
    gone.set()

    def script(sock: socket.socket) -> None:
        read_request(sock)
        sock.sendall(HEAD + b"first")
        sock.recv(1)

    with scripted(script) as url, pytest.raises(APITimeoutError, match="nothing arrived within 0.1 s"):
        run(read_while_blocked(native_transport, url, go, gone))


@both_loops
def test_a_connection_is_made_although_the_loop_was_blocked(native_transport: NativeTransport, run: Run) -> None:
    async def main(url: str) -> bytes:
        reading = asyncio.create_task(aread(native_transport, post(url, timeouts=LONG._replace(connect=IDLE))))
        asyncio.get_running_loop().call_soon(time.sleep, BLOCKED)
        return await reading

    with MockServer(Reply(body=[b"whole"])) as server:
        assert run(main(server.url)) == b"whole"


@both_loops
def test_a_handshake_that_does_not_begin_times_out_after_a_block(native_transport: NativeTransport, run: Run) -> None:
    def mute(sock: socket.socket) -> None:
        while sock.recv(1_000_000):
            pass

    async def main(url: str) -> bytes:
        reading = asyncio.create_task(aread(native_transport, post(url, timeouts=LONG._replace(connect=IDLE))))
        asyncio.get_running_loop().call_soon(time.sleep, BLOCKED)
        return await reading

    with scripted(mute) as url, pytest.raises(APITimeoutError, match="no connection to https"):
        run(main(url.replace("http:", "https:")))


def test_a_client_that_reads_while_the_loop_is_blocked_is_in_time() -> None:
    async def main() -> None:
        loop, taken = asyncio.get_running_loop(), asyncio.Event()
        ours, theirs = socket.socketpair()

        def on_send(message: Any) -> Any:
            return taken.wait() if b"piece 3" in message.get("body", b"") else None

        async def block() -> None:
            await settled(lambda: loop in keep_alive._tickers)
            (relay,) = keep_alive._tickers[loop]._responses
            sender = relay._sender  # type: ignore[attr-defined]
            await settled(lambda: sender.is_sending and sender.count == relay._checked_count)  # type: ignore[attr-defined]
            # The loop finds the client's sign and its own timer in the same turn.
            theirs.send(b"x")
            time.sleep(BLOCKED)  # noqa: ASYNC251

        client = Client(on_send)
        pieces = [f"piece {number}" for number in range(6)]
        with ours, theirs, MockServer(Reply(pieces=pieces, pace=0.002)) as server:
            loop.add_reader(ours, taken.set)
            llm = OpenAI(base_url=server.url, api_key="k")
            response = EventStreamResponse(llm.astream_records("p", wire="text"), send_timeout=IDLE)
            await asyncio.gather(client.call(response), block())
            loop.remove_reader(ours)
        assert client.is_whole
        assert client.body == "".join(pieces).encode()

    run(main)


def test_records_that_are_held_back_wait_for_a_message_that_is_under_way() -> None:
    async def main() -> None:
        stuck = asyncio.Event()
        client = Client(lambda message: stuck.wait() if message.get("body") else None)
        with MockServer(Reply(fault=Stall(after=-1))) as server:
            llm = OpenAI(base_url=server.url, api_key="k")
            task = asyncio.create_task(client.call(EventStreamResponse(llm.astream_records("p", wire="vercel.ui"))))
            await settled(lambda: len(client.callers) == 2)
            loop = asyncio.get_running_loop()
            (relay,) = keep_alive._tickers[loop]._responses
            relay._held = b"held"  # type: ignore[attr-defined]
            relay.check(loop.time())
            relay.check(loop.time())
            assert relay._held == b"held"  # type: ignore[attr-defined]
            stuck.set()
            await settled(lambda: relay._sender._ping is None)  # type: ignore[attr-defined]
            relay.check(loop.time())
            await settled(lambda: client.body.endswith(b"held"))
            task.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await task

    run(main)

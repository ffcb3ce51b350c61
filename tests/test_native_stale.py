"""Connections that the server ends, or sends something over, between two requests."""

import asyncio
import contextlib
import socket
import ssl
import struct
import threading
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest

from millstream.errors import APIConnectionError, APITimeoutError
from millstream.transport.native import NativeTransport, blocking, exchange
from native_cases import LONG, OK, Run, answering, aread, post, read, silent, three_ways
from scripted import client_context, read_request, scripted, server_context


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


@three_ways
def test_a_stale_connection_is_replaced_once(run: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    # However long a busy machine takes to report the end of the connection.
    monkeypatch.setattr(exchange, "_STALE_SECONDS", 60.0)

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
def test_after_the_first_byte_of_a_response_nothing_is_sent_again(beginning: bytes, run: Any) -> None:
    with scripted(answering(OK, beginning), answering(OK)) as url:
        first, second, third = in_turn(url, run, 3)
        assert (first, third) == (b"ok", b"ok")
        assert "closed" in str(second)


@three_ways
def test_a_connection_with_data_between_requests_is_not_used(run: Any) -> None:
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
def test_a_request_that_times_out_on_a_reused_connection_is_not_sent_again(run: Any) -> None:
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
def test_a_connection_that_is_lost_long_after_sending_is_not_replaced(run: Any) -> None:
    def working(sock: socket.socket) -> None:
        answering(OK)(sock)
        read_request(sock)
        time.sleep(0.15)

    with scripted(working, answering(OK)) as url:
        first, second, third = in_turn(url, run, 3)
        assert (first, third) == (b"ok", b"ok")
        assert "closed" in str(second)


@three_ways
def test_a_request_without_resend_is_sent_once(run: Any) -> None:
    def closing(sock: socket.socket) -> None:
        answering(OK)(sock)
        read_request(sock)

    with scripted(closing, answering(OK)) as url:
        first, second, third = in_turn(url, run, 3, resend=False)
        assert (first, third) == (b"ok", b"ok")
        assert "closed" in str(second)


def test_data_that_a_server_sends_before_the_request_is_an_error(monkeypatch: pytest.MonkeyPatch) -> None:
    ours, theirs = socket.socketpair()
    theirs.sendall(OK)
    monkeypatch.setattr(blocking, "open_socket", lambda *_: ours)
    with theirs, pytest.raises(APIConnectionError, match="the server spoke before it was asked"):
        NativeTransport().open(post("http://127.0.0.1:1"))


# A connection that has ended is recognized before the next request is sent over it. The loop gets no turn between
# the end and that request, so that only the socket itself can show it; and no request may be sent twice.


def close(peer: socket.socket) -> None:
    if isinstance(peer, ssl.SSLSocket):
        # Send the alert that ends TLS, without waiting for the other side's.
        peer.setblocking(False)
        with contextlib.suppress(ssl.SSLWantReadError):
            peer.unwrap()
    peer.close()


def reset(peer: socket.socket) -> None:
    peer.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    peer.close()


def send_another_response(peer: socket.socket) -> None:
    peer.sendall(OK.replace(b"ok", b"no"))


@three_ways
@pytest.mark.parametrize("end", [close, reset, send_another_response])
@pytest.mark.parametrize("tls", [False, True], ids=["plain", "tls"])
def test_a_connection_that_ends_between_two_requests_is_not_used_again(
    tls: bool, end: Callable[[socket.socket], None], run: Run | None, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(exchange, "_STALE_SECONDS", -1.0)
    transport = NativeTransport(ssl_context=client_context())
    with (
        contextlib.ExitStack() as peers,
        ThreadPoolExecutor(1) as server,
        socket.create_server(("127.0.0.1", 0)) as listener,
    ):
        request = post(f"http{'s' if tls else ''}://127.0.0.1:{listener.getsockname()[1]}")

        def serve() -> socket.socket:
            peer = peers.enter_context(listener.accept()[0])
            if tls:
                peer = peers.enter_context(server_context().wrap_socket(peer, server_side=True))
            read_request(peer)
            peer.sendall(OK)
            return peer

        async def main() -> None:
            for _ in range(2):
                peer = server.submit(serve)
                response = await transport.aopen(request)
                assert await response.read() == (b"ok",)
                await response.adrain()
                await response.aclose()
                end(peer.result())

        if run is not None:
            run(main())
            return
        for _ in range(2):
            peer = server.submit(serve)
            response = transport.open(request)
            assert list(response) == [b"ok"]
            response.drain()
            response.close()
            end(peer.result())
        transport.close()

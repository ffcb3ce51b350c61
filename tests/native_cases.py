"""Shared by the tests of the native transport: requests, readers, event loops."""

import asyncio
import socket
from collections.abc import Callable, Coroutine
from typing import Any

import pytest
import uvloop

from langchain_peer import KEY
from millstream import OpenAI
from millstream.testing import MockServer
from millstream.transport import AsyncResponse, Request, Response
from millstream.transport.native import NativeTransport
from millstream.transport.timeouts import Timeouts
from scripted import read_request

__all__ = (
    "LONG",
    "OK",
    "Run",
    "answering",
    "aread",
    "begin_loop",
    "begun",
    "both_loops",
    "get",
    "model",
    "post",
    "read",
    "silent",
    "three_ways",
    "uvloop_run",
)

Run = Callable[[Coroutine[Any, Any, Any]], Any]

BODY = b'{"model": "m", "prompt": "p", "stream": true}'
OK = b"HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\nok"
LONG = Timeouts(20.0, 20.0, 20.0, 20.0)


def uvloop_run(main: Coroutine[Any, Any, Any]) -> Any:
    """Run ``main`` as ``asyncio.run`` does, on uvloop."""
    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        return runner.run(main)


# The first uvloop loop opens a pipe for the life of the process, which no test should report as a leak.
uvloop_run(asyncio.sleep(0))

three_ways = pytest.mark.parametrize("run", [None, asyncio.run, uvloop_run], ids=["sync", "asyncio", "uvloop"])
both_loops = pytest.mark.parametrize("run", [asyncio.run, uvloop_run], ids=["asyncio", "uvloop"])


def post(server: MockServer | str, **changes: Any) -> Request:
    """Return a request for a stream."""
    url = server if isinstance(server, str) else server.url
    fields = {"headers": {"content-type": "application/json"}, "body": BODY, "timeouts": LONG, **changes}
    return Request("POST", f"{url}/completions", **fields)


def read(transport: NativeTransport, request: Request) -> bytes:
    """Return the whole body."""
    response = transport.open(request)
    try:
        return b"".join(response)
    finally:
        response.close()


async def aread(transport: NativeTransport, request: Request) -> bytes:
    """:func:`read` for async code."""
    response = await transport.aopen(request)
    try:
        data = b""
        while reads := await response.read():
            data += b"".join(reads)
        return data
    finally:
        await response.aclose()


def get(transport: NativeTransport, run: Run | None, request: Request) -> bytes:
    return read(transport, request) if run is None else run(aread(transport, request))


def begun(transport: NativeTransport, run: Run | None, request: Request) -> Response | AsyncResponse:
    """Send a request, and return the response after closing it."""

    async def main() -> AsyncResponse:
        response = await transport.aopen(request)
        await response.aclose()
        return response

    if run is not None:
        return run(main())  # type: ignore[no-any-return]
    response = transport.open(request)
    response.close()
    return response


def answering(*answers: bytes) -> Any:
    """Return a script that sends one response to each request, then ends."""

    def script(sock: socket.socket) -> None:
        for answer in answers:
            if not read_request(sock):
                return
            sock.sendall(answer)

    return script


async def begin_loop() -> None:
    """Make uvloop open the descriptor that it keeps beside its sockets."""
    server = await asyncio.get_running_loop().create_server(asyncio.Protocol, "127.0.0.1", 0)
    server.close()
    await server.wait_closed()


def model(server: MockServer | str, native: NativeTransport) -> OpenAI:
    """Return a model over ``native`` without retries."""
    url = server if isinstance(server, str) else server.url
    return OpenAI(base_url=url, api_key=KEY, http_client=native, max_retries=0)


def silent(sock: socket.socket) -> None:
    """Read a request, and close without a response."""
    read_request(sock)

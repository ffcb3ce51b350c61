"""What the tests of the native transport share: requests, readers, loops."""

import asyncio
from collections.abc import Callable, Coroutine
from typing import Any

import pytest
import uvloop

from millstream.testing import MockServer
from millstream.transport import Request
from millstream.transport.native import NativeTransport
from millstream.transport.timeouts import Timeouts

__all__ = ("LONG", "Run", "aread", "both_loops", "post", "read", "uvloop_run")

Run = Callable[[Coroutine[Any, Any, Any]], Any]

BODY = b'{"model": "m", "prompt": "p", "stream": true}'
LONG = Timeouts(20.0, 20.0, 20.0, 20.0)


def uvloop_run(main: Coroutine[Any, Any, Any]) -> Any:
    """Run ``main`` as ``asyncio.run`` does, on uvloop."""
    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        return runner.run(main)


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

"""A client that leaves closes the upstream, on every route and wherever the run is; so does a client of ours."""

import asyncio
import socket
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import contextmanager
from typing import Any

import orjson
import pytest
from fastapi import FastAPI
from starlette.middleware.base import BaseHTTPMiddleware

from endings import exhaust
from langserve_apps import mount
from millstream import ChatOpenAI, RemoteRunnable
from millstream.output_parsers import StrOutputParser
from millstream.prompts import ChatPromptTemplate
from millstream.runnables import RunnableLambda
from millstream.testing import MockServer, Reply, Stall, assert_no_leaks
from serving import serve
from test_response_servers import SERVERS, running

FILL = {"text": "a"}
NAMES = ("invoke", "batch", "stream", "stream_log", "stream_events")


async def pass_on(chunks: Any) -> AsyncIterator[str]:
    async for chunk in chunks:
        yield chunk


CHAINS: dict[str, Any] = {
    "fused": lambda model: ChatPromptTemplate.from_template("{text}") | model | StrOutputParser(),
    "users' code": lambda model: RunnableLambda(lambda value: value["text"]) | model | StrOutputParser() | pass_on,
}


@contextmanager
def serving(chain: str, after: int, *, middleware: bool = False) -> Iterator[tuple[MockServer, str]]:
    """Serve a chain over an upstream that stalls after some pieces."""
    with MockServer(Reply(fault=Stall(after=after))) as upstream:
        model = ChatOpenAI(model="m", api_key="k", base_url=upstream.url, max_retries=0)
        app = FastAPI()
        mount(app, CHAINS[chain](model).with_types(input_type=dict[str, str]))
        if middleware:
            app.add_middleware(BaseHTTPMiddleware, dispatch=lambda request, call_next: call_next(request))
        with serve(app, model.aclose) as url:
            yield upstream, url


def post(url: str, name: str, value: Any = FILL) -> socket.socket:
    """Send a request, and return the connection."""
    body = orjson.dumps({"inputs": [value, value]} if name == "batch" else {"input": value})
    host, port = url.removeprefix("http://").split(":")
    connection = socket.create_connection((host, int(port)))
    head = f"POST /chain/{name} HTTP/1.1\r\nhost: {host}\r\ncontent-length: {len(body)}\r\n\r\n"
    connection.sendall(head.encode() + body)
    return connection


def assert_upstream_closed(upstream: MockServer, count: int) -> None:
    upstream.wait_until(lambda: upstream.connections.closed >= count and upstream.connections.open == 0)
    assert {connection.closed_by for connection in list(upstream.connections)} == {"client"}


@pytest.mark.parametrize("middleware", [False, True])
@pytest.mark.parametrize("after", [0, 2])
@pytest.mark.parametrize("chain", CHAINS)
@pytest.mark.parametrize("name", NAMES)
def test_a_client_that_leaves_closes_the_upstream(name: str, chain: str, after: int, middleware: bool) -> None:
    count = 2 if name == "batch" else 1
    with serving(chain, after, middleware=middleware) as (upstream, url):
        connection = post(url, name)
        upstream.wait_until(lambda: len(upstream.requests) == count)
        connection.close()
        assert_upstream_closed(upstream, count)


def leave_without_a_trace(chain: str, after: int, leave: Callable[[Any, MockServer], Any]) -> None:
    """Leave once, for what the process keeps, and once more between two looks at what it has."""

    def act() -> None:
        with serving(chain, after) as (upstream, url):
            asyncio.run(leave(RemoteRunnable(f"{url}/chain"), upstream))
            assert_upstream_closed(upstream, 1)

    act()
    with assert_no_leaks():
        act()


@pytest.mark.parametrize("chain", CHAINS)
def test_a_client_that_leaves_within_a_stream_closes_the_upstream(chain: str) -> None:
    async def leave(remote: Any, upstream: MockServer) -> None:
        async with remote.astream({"text": "a"}) as chunks:
            await anext(chunks)

    leave_without_a_trace(chain, 2, leave)


@pytest.mark.parametrize("name", ["ainvoke", "abatch", "astream", "astream_events", "astream_log"])
def test_a_cancelled_client_closes_the_upstream(name: str) -> None:
    async def leave(remote: Any, upstream: MockServer) -> None:
        call = getattr(remote, name)([{"text": "a"}] if name == "abatch" else {"text": "a"})
        task = asyncio.ensure_future(exhaust(call) if hasattr(call, "__aiter__") else call)
        await asyncio.to_thread(upstream.wait_until, lambda: len(upstream.requests) == 1)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task

    leave_without_a_trace("fused", 0, leave)


@pytest.mark.parametrize("server", ["hypercorn", "granian"])
def test_other_servers_report_a_client_that_leaves(server: str) -> None:
    with MockServer(Reply(fault=Stall(after=0))) as upstream, running(SERVERS[server], "routes", upstream) as app:
        for name in NAMES:
            connection = post(app.url.rstrip("/"), name, "a")
            upstream.wait_until(lambda: upstream.connections.open > 0)
            connection.close()
            upstream.wait_until(lambda: upstream.connections.open == 0)


def test_cleaning_up_is_not_disturbed_by_the_disconnect() -> None:
    steps: list[str] = []
    begun, done = asyncio.Event(), asyncio.Event()

    async def work(value: str) -> None:
        try:
            begun.set()
            await asyncio.Event().wait()
        finally:
            for step in ("first", "second"):
                await asyncio.sleep(0)
                steps.append(step)
            done.set()

    app = FastAPI()
    mount(app, RunnableLambda(work))

    async def main() -> None:
        messages = asyncio.Queue[Any]()
        scope = {"type": "http", "method": "POST", "path": "/chain/invoke", "query_string": b"", "headers": []}
        messages.put_nowait({"type": "http.request", "body": b'{"input":"a"}'})

        async def send(message: Any) -> None:
            steps.append(message["type"])

        task = asyncio.ensure_future(app(scope, messages.get, send))
        await begun.wait()
        messages.put_nowait({"type": "http.disconnect"})
        await done.wait()
        await task

    asyncio.run(main())
    assert steps[:2] == ["first", "second"]

"""Streams of Anthropic's models that are left: the connection is closed, at once, and nothing is left behind."""

import asyncio
from collections.abc import Callable
from contextlib import aclosing, suppress
from typing import Any

import pytest
from pydantic import SecretStr

from anthropic_peer import KEY, MODEL
from endings import assert_closed_by_us
from millstream.integrations import langchain
from millstream.providers.anthropic import ChatAnthropic
from millstream.testing import Cut, MockServer, Reply, assert_no_leaks

pytestmark = pytest.mark.usefixtures("without_the_collector")

TOOLS = [{"name": "f", "input_schema": {"type": "object"}}]


@pytest.fixture(params=["own", "own with tools", "own with a handler", "langchain", "langchain with tools"])
def kind(request: pytest.FixtureRequest) -> str:
    """Return which model streams, and how."""
    name: str = request.param
    return name


@pytest.fixture
def stream(kind: str, server: MockServer) -> Callable[..., Any]:
    """Return a function that returns a stream, for sync or for async code."""
    model = build(kind, server)

    def open_stream(*, is_async: bool) -> Any:
        method = model.astream if is_async else model.stream
        return method("p", config_of(kind), **({"tools": TOOLS} if "tools" in kind else {}))

    return open_stream


def build(kind: str, server: MockServer) -> Any:
    """Return the model."""
    cls: Any = ChatAnthropic if kind.startswith("own") else langchain.ChatAnthropic
    return cls(model=MODEL, api_key=SecretStr(KEY), base_url=server.origin, max_retries=0)


def config_of(kind: str) -> Any:
    """Return the configuration of a run."""
    from millstream.callbacks import BaseCallbackHandler

    return {"callbacks": [BaseCallbackHandler()]} if "handler" in kind else None


def test_break_closes(stream: Any, server: MockServer) -> None:
    for _ in stream(is_async=False):
        break
    assert_closed_by_us(server)


def test_close_closes(stream: Any, server: MockServer) -> None:
    begun = stream(is_async=False)
    next(begun)
    begun.close()
    assert_closed_by_us(server)
    assert list(begun) == []


def test_the_last_reference_closes(stream: Any, server: MockServer) -> None:
    begun = stream(is_async=False)
    next(begun)
    del begun
    assert_closed_by_us(server)


def test_an_exception_in_the_loop_closes(stream: Any, server: MockServer) -> None:
    def consume() -> None:
        for _ in stream(is_async=False):
            raise LookupError

    with suppress(LookupError):
        consume()
    assert_closed_by_us(server)


async def break_loop(stream: Any, server: MockServer) -> None:
    """Leave the loop."""
    async for _ in stream:
        break


async def close_stream(stream: Any, server: MockServer) -> None:
    """Close the stream."""
    async with aclosing(stream):
        await anext(stream)


async def cancel_reader(stream: Any, server: MockServer) -> None:
    """Cancel the task that reads the stream."""

    async def read() -> None:
        async for _ in stream:
            pass

    task = asyncio.create_task(read())
    await server.await_until(lambda: bool(server.requests) and server.requests[-1].pieces_sent == 3)
    task.cancel()
    with suppress(asyncio.CancelledError):
        await task


@pytest.mark.parametrize("leave", [break_loop, close_stream, cancel_reader])
def test_leaving_closes_in_async_code(leave: Any, stream: Any, server: MockServer) -> None:
    async def main() -> None:
        await leave(stream(is_async=True), server)
        await server.await_closed()
        assert server.connections.open == 0
        await asyncio.sleep(0)
        assert asyncio.all_tasks() == {asyncio.current_task()}

    asyncio.run(main())


@pytest.mark.parametrize("fault", [None, Cut(after=2), Cut(after=2, how="end")], ids=["success", "reset", "cut"])
def test_nothing_is_left_after_the_end(fault: Any, kind: str) -> None:
    with MockServer(Reply(fault=fault)) as server:
        model, config = build(kind, server), config_of(kind)
        # The first request makes what all others share.
        with suppress(Exception):
            list(model.stream("p", config))
        with assert_no_leaks():
            with suppress(Exception):
                list(model.stream("p", config))
            with suppress(Exception):
                model.invoke("p")

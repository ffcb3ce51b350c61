"""Streams of our LangChain chat models that are left: the connection is closed, at once, and nothing is left behind."""

import asyncio
import gc
import weakref
from collections.abc import Callable, Coroutine, Iterator
from contextlib import ExitStack, aclosing, suppress
from typing import Any

import httpx
import httpx2
import pytest
from pydantic import SecretStr

from endings import assert_closed_by_us, expire_after
from langchain_chat import AsyncRecorder, Recorder
from millstream.integrations.langchain import ChatOpenAI
from millstream.testing import Cut, MockServer, Reply, assert_no_leaks
from sdk_clients import TLS

pytestmark = pytest.mark.usefixtures("without_the_collector")

Run = Callable[[Coroutine[Any, Any, Any]], Any]


@pytest.fixture(params=["default", "httpx", "httpx2"])
def library(request: pytest.FixtureRequest) -> str:
    """Return the HTTP clients of the model."""
    name: str = request.param
    return name


@pytest.fixture(params=[False, True], ids=["nobody listens", "somebody listens"])
def is_observed(request: pytest.FixtureRequest) -> bool:
    """Return whether the stream has a handler."""
    return bool(request.param)


@pytest.fixture
def stream(server: MockServer, library: str, is_observed: bool) -> Iterator[Any]:
    """Return the stream of a model whose server pauses after three chunks."""
    with ExitStack() as stack:
        clients = {}
        if library != "default":
            module: Any = {"httpx": httpx, "httpx2": httpx2}[library]
            clients["http_client"] = stack.enter_context(module.Client(verify=TLS))
        model = ChatOpenAI(model="m", api_key=SecretStr("k"), base_url=server.url, **clients)
        handlers: Any = {"callbacks": [Recorder()]} if is_observed else None
        streams = [model.stream("p", handlers)]
        yield streams


def start(streams: list[Any]) -> Any:
    """Return the stream, of which nothing else has a reference, after its first chunk."""
    stream = streams.pop()
    assert next(stream).content == ""
    return stream


def test_break_closes(stream: list[Any], server: MockServer) -> None:
    for _ in stream.pop():
        break
    assert_closed_by_us(server)


def test_close_closes(stream: list[Any], server: MockServer) -> None:
    begun = start(stream)
    begun.close()
    assert_closed_by_us(server)
    assert list(begun) == []


def test_with_closes(stream: list[Any], server: MockServer) -> None:
    with stream.pop() as begun:
        next(begun)
    assert_closed_by_us(server)


def test_an_exception_in_the_loop_closes(stream: list[Any], server: MockServer) -> None:
    def consume() -> None:
        for _ in stream.pop():
            raise LookupError

    with suppress(LookupError):
        consume()
    assert_closed_by_us(server)


def test_the_last_reference_closes(stream: list[Any], server: MockServer) -> None:
    begun = start(stream)
    del begun
    assert_closed_by_us(server)


def test_a_stream_that_is_closed_before_its_first_step_sends_nothing(stream: list[Any], server: MockServer) -> None:
    begun = stream.pop()
    begun.close()
    assert list(begun) == []
    assert not server.requests


@pytest.fixture
def leave(server: MockServer, library: str, is_observed: bool) -> Callable[[Callable[[Any], Any]], None]:
    """Return a function that runs a coroutine function with an async stream, and waits until its connection is closed.

    The stream is left when the coroutine ends; no task is left then.
    """

    async def main(use: Callable[[list[Any]], Any]) -> None:
        clients = {}
        if library != "default":
            module: Any = {"httpx": httpx, "httpx2": httpx2}[library]
            clients["http_async_client"] = module.AsyncClient(verify=TLS)
        model = ChatOpenAI(model="m", api_key=SecretStr("k"), base_url=server.url, **clients)
        handlers: Any = {"callbacks": [AsyncRecorder()]} if is_observed else None
        with suppress(asyncio.CancelledError, LookupError):
            await use([model.astream("p", handlers)])
        await server.await_closed()
        assert server.connections.open == 0
        if is_observed:
            # A generator of LangChain's that is dropped is closed by a task, in which the handlers are called.
            await asyncio.gather(*asyncio.all_tasks() - {asyncio.current_task()}, return_exceptions=True)
        assert asyncio.all_tasks() == {asyncio.current_task()}
        for client in clients.values():
            await client.aclose()

    return lambda use: asyncio.run(main(use))


def test_break_closes_in_async_code(leave: Any) -> None:
    async def use(streams: list[Any]) -> None:
        async for _ in streams.pop():
            break

    leave(use)


def test_aclose_closes(leave: Any) -> None:
    async def use(streams: list[Any]) -> None:
        stream = streams.pop()
        await anext(stream)
        await stream.aclose()
        assert [chunk async for chunk in stream] == []

    leave(use)


def test_async_with_and_aclosing_close(leave: Any) -> None:
    async def use(streams: list[Any]) -> None:
        async with streams.pop() as stream, aclosing(stream):
            await anext(stream)

    leave(use)


def test_an_exception_in_an_async_loop_closes(leave: Any) -> None:
    async def use(streams: list[Any]) -> None:
        async for _ in streams.pop():
            raise LookupError

    leave(use)


def test_cancellation_closes(leave: Any, server: MockServer) -> None:
    async def read(streams: list[Any]) -> None:
        async for _ in streams.pop():
            pass

    async def use(streams: list[Any]) -> None:
        task = asyncio.create_task(read(streams))
        await server.await_until(lambda: bool(server.requests) and server.requests[-1].pieces_sent == 3)
        await asyncio.sleep(0.01)
        task.cancel()
        await task

    leave(use)


def test_a_timeout_closes(leave: Any, server: MockServer) -> None:
    async def use(streams: list[Any]) -> None:
        begun = server.await_until(lambda: bool(server.requests) and server.requests[-1].pieces_sent == 3)
        with suppress(TimeoutError):
            async with asyncio.timeout(None) as limit:
                expiring = asyncio.create_task(expire_after(begun, limit))
                async for _ in streams.pop():
                    pass
        await expiring

    leave(use)


@pytest.mark.parametrize("fault", [None, Cut(after=2), Cut(after=2, how="end")], ids=["success", "reset", "cut"])
@pytest.mark.parametrize("handlers", [[], [Recorder()]], ids=["nobody listens", "somebody listens"])
def test_nothing_is_left_after_the_end(fault: Any, handlers: list[Any]) -> None:
    with MockServer(Reply(fault=fault)) as server:
        model = ChatOpenAI(model="m", api_key=SecretStr("k"), base_url=server.url)
        config: Any = {"callbacks": handlers}
        # The first request makes what all others share.
        with suppress(Exception):
            list(model.stream("p", config))

        async def read() -> None:
            with suppress(Exception):
                async for _ in model.astream("p", config):
                    pass

        with assert_no_leaks():
            with suppress(Exception):
                list(model.stream("p", config))
            with suppress(Exception):
                model.invoke("p")
        asyncio.run(read())


@pytest.mark.parametrize("fault", [Cut(after=2), Cut(after=0), None], ids=["cut", "cut early", "a status"])
def test_an_exception_is_freed_with_its_last_reference(fault: Any) -> None:
    reply = Reply(status=400, body=b"{}") if fault is None else Reply(fault=fault)

    def read(model: Any) -> Any:
        try:
            list(model.stream("p"))
        except Exception as error:
            return [weakref.ref(part) for part in (error, error.__cause__)]

    with MockServer(reply) as server:
        model = ChatOpenAI(model="m", api_key=SecretStr("k"), base_url=server.url, max_retries=0)
        references = read(model)
        assert [reference() for reference in references] == [None, None]
    assert not gc.isenabled()

"""One model in one event loop after the other, as in tests that have a loop each."""

import asyncio
import contextlib
import gc
from collections.abc import Awaitable, Callable, Iterator
from typing import Any

import httpx
import httpx2
import pytest

from endings import read_into
from langchain_peer import KEY
from millstream import ChatOpenAI, OpenAI
from millstream.callbacks import AsyncCallbackHandler
from millstream.output_parsers import StrOutputParser
from millstream.prompts import PromptTemplate
from millstream.testing import VERSE, MockServer, Reply, Stall

kinds = pytest.mark.parametrize("kind", [OpenAI, ChatOpenAI])
# Nobody can close what belongs to a loop that is closed.
unclosed = pytest.mark.filterwarnings("ignore::ResourceWarning", "ignore::pytest.PytestUnraisableExceptionWarning")
transports = pytest.mark.parametrize("transport", ["native", "httpx2"])


@contextlib.contextmanager
def loop_of_its_own(complaints: list[Any]) -> Iterator[Callable[[Awaitable[Any]], Any]]:
    """Make a loop that is closed without a word to what it knows."""
    loop = asyncio.new_event_loop()
    loop.set_exception_handler(lambda loop, context: complaints.append(context))
    try:
        yield loop.run_until_complete
    finally:
        loop.close()


async def stream(model: Any) -> str:
    chunks: list[Any] = []
    await read_into(chunks, model.astream("p"))
    return "".join(getattr(chunk, "content", chunk) for chunk in chunks)


async def whole(model: Any) -> str:
    answer = await model.ainvoke("p")
    return str(getattr(answer, "content", answer))


async def held(model: Any) -> Any:
    begun = model.astream("p")
    await anext(begun)
    return begun


@kinds
@pytest.mark.parametrize("library", [httpx2, httpx])
@unclosed
def test_a_users_client_serves_one_loop_after_the_other(kind: Any, library: Any) -> None:
    """Its connections are left unclosed with their loop; that nobody sends over them again is our part."""
    with MockServer() as server:
        client = library.AsyncClient()
        model = kind(base_url=server.url, api_key=KEY, http_async_client=client)
        for ask in (stream, stream, whole, stream, whole, whole, stream):
            assert asyncio.run(ask(model)) == "".join(VERSE)
        assert len(server.requests) == 7
        del client, model
        gc.collect()


@kinds
@pytest.mark.parametrize("library", [httpx2, httpx])
def test_a_users_client_keeps_its_connections_within_a_loop(kind: Any, library: Any) -> None:
    async def main(server: MockServer) -> None:
        async with library.AsyncClient() as client:
            model = kind(base_url=server.url, api_key=KEY, http_async_client=client)
            for _ in range(3):
                await stream(model)
                await whole(model)
        assert server.connections.opened == 1

    with MockServer() as server:
        asyncio.run(main(server))


@kinds
@transports
@unclosed
def test_a_stream_whose_loop_is_closed_breaks_no_other(kind: Any, transport: str) -> None:
    complaints: list[Any] = []
    for reply in (Reply(), Reply(fault=Stall(after=3))):
        with MockServer(reply) as server:
            model = kind(base_url=server.url, api_key=KEY, transport=transport)
            with loop_of_its_own(complaints) as run:
                begun = run(held(model))
            with loop_of_its_own(complaints) as run:
                run(begun.aclose())
                if reply.fault is None:
                    assert run(stream(model)) == run(whole(model)) == "".join(VERSE)
            if reply.fault is None:
                assert asyncio.run(stream(model)) == asyncio.run(whole(model)) == "".join(VERSE)
                assert len(server.requests) == 5
            del begun, run, model
            gc.collect()
    assert complaints == []


class Heard(AsyncCallbackHandler):
    """Waits in each of its calls, so that a stream of events can be left anywhere."""

    run_inline = True

    async def on_llm_new_token(self, token: Any, **kwargs: Any) -> None:
        await asyncio.sleep(0)

    async def on_llm_error(self, error: BaseException, **kwargs: Any) -> None:
        await asyncio.sleep(0)

    async def on_chain_end(self, outputs: Any, **kwargs: Any) -> None:
        await asyncio.sleep(0)


# Over httpx2, the loop closes the generators of httpcore2 at the same time as well, and these complain.
@pytest.mark.usefixtures("native")
@kinds
@pytest.mark.parametrize("chained", [False, True])
def test_a_loop_that_ends_closes_a_stream_that_is_held_in_order(kind: Any, chained: bool) -> None:
    """It closes all generators that it knows of at the same time, inner ones with the outer ones."""
    complaints: list[Any] = []
    with MockServer(Reply(fault=Stall(after=3))) as server:
        model: Any = kind(base_url=server.url, api_key=KEY, callbacks=[Heard()])
        if chained:
            model = (PromptTemplate.from_template("{text}") | model | StrOutputParser()).with_config(
                callbacks=[Heard()]
            )
        kept: list[Any] = []

        async def main() -> None:
            asyncio.get_running_loop().set_exception_handler(lambda loop, context: complaints.append(context))
            for _ in range(5):
                stream = model.astream({"text": "p"} if chained else "p")
                await anext(stream)
                kept.append(stream)

        asyncio.run(main())
        server.wait_until(lambda: server.connections.open == 0)
    assert complaints == []

"""Users' code before the model of a chain: it runs once, in a task of its own, and then the chain is one generator."""

import asyncio
import contextvars
import threading
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from langchain_peer import KEY
from leaking import aleaked
from millstream import OpenAI
from millstream.output_parsers import StrOutputParser
from millstream.prompts import PromptTemplate
from millstream.runnables import RunnableGenerator, RunnableLambda
from millstream.runnables.config import ensure_config
from millstream.testing import VERSE, MockServer
from user_code import run


@pytest.fixture
def server() -> Iterator[MockServer]:
    with MockServer() as server:
        yield server


def chain_after(first: Any, server: MockServer) -> Any:
    model = OpenAI(base_url=server.url, api_key=KEY)
    return RunnableLambda(first) | PromptTemplate.from_template("{text}") | model | StrOutputParser()


def test_the_model_reads_what_the_function_returns(server: MockServer) -> None:
    chain = chain_after(lambda text: {"text": text * 2}, server)
    chunks = list(chain.stream("ab"))

    async def main() -> None:
        assert [chunk async for chunk in chain.astream("ab")] == chunks

    run(main)
    assert [request.body["prompt"] for request in server.requests] == ["abab", "abab"]
    assert "".join(chunks) == "".join(VERSE)


def test_an_async_function_has_a_task_of_its_own_and_the_stream_has_none(server: MockServer) -> None:
    tasks: list[Any] = []

    async def first(text: str) -> dict[str, str]:
        tasks.append(asyncio.current_task())
        return {"text": text}

    async def main() -> None:
        async for _ in chain_after(first, server).astream("a"):
            assert asyncio.all_tasks() == {asyncio.current_task()}
        assert tasks[0] is not asyncio.current_task()

    run(main)


def test_a_function_runs_in_a_thread_of_async_code_and_in_the_callers_of_sync_code(server: MockServer) -> None:
    threads: list[int] = []

    def first(text: str) -> dict[str, str]:
        threads.append(threading.get_ident())
        return {"text": text}

    list(chain_after(first, server).stream("a"))

    async def main() -> None:
        assert [chunk async for chunk in chain_after(first, server).astream("a")]

    run(main)
    assert threads[0] == threading.get_ident()
    assert threads[1] != threading.get_ident()


async def read(chain: Any) -> list[str]:
    return [chunk async for chunk in chain.astream("a")]


@pytest.mark.parametrize("is_async", [False, True])
def test_an_error_of_the_function_is_raised_and_nothing_is_sent(server: MockServer, is_async: bool) -> None:
    def first(text: str) -> Any:
        raise KeyError(text)

    chain = chain_after(first, server)
    with pytest.raises(KeyError):
        asyncio.run(read(chain)) if is_async else list(chain.stream("a"))
    assert server.requests == []


def test_a_step_that_yields_nothing_ends_the_stream_and_nothing_is_sent(server: MockServer) -> None:
    def nothing(items: Any) -> Any:
        list(items)
        yield from ()

    async def anothing(items: Any) -> Any:
        async for _ in items:
            if False:
                yield

    chain: Any = RunnableGenerator(nothing, anothing) | OpenAI(base_url=server.url, api_key=KEY)
    assert list(chain.stream("a")) == []

    async def main() -> None:
        assert [chunk async for chunk in chain.astream("a")] == []

    run(main)
    assert server.requests == []


def test_cancelling_while_the_function_waits_cancels_it(server: MockServer) -> None:
    cancelled: list[str] = []

    async def main() -> None:
        waiting = asyncio.Event()

        async def first(text: str) -> Any:
            waiting.set()
            try:
                await asyncio.Event().wait()
            except asyncio.CancelledError:
                cancelled.append(text)
                raise

        task = asyncio.ensure_future(anext(chain_after(first, server).astream("a")))
        await waiting.wait()
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task

    asyncio.run(aleaked_nothing(main))
    assert cancelled == ["a"]


async def aleaked_nothing(act: Callable[[], Any]) -> None:
    assert await aleaked(act) == ""


def test_runs_that_the_function_starts_are_children_of_the_chain(server: MockServer) -> None:
    found: list[Any] = []

    def first(text: str) -> dict[str, str]:
        config = ensure_config()
        found.append((config["tags"], config["metadata"], config["callbacks"].parent_run_id is not None))
        return {"text": text}

    list(chain_after(first, server).stream("a", {"tags": ["t"], "metadata": {"k": 1}}))

    async def main() -> None:
        assert [chunk async for chunk in chain_after(first, server).astream("a", {"tags": ["t"], "metadata": {"k": 1}})]

    run(main)
    assert found == [(["t"], {"k": 1}, True)] * 2


def test_the_function_sees_the_context_of_the_caller_and_leaves_nothing_in_it(server: MockServer) -> None:
    variable = contextvars.ContextVar("variable", default=0)
    seen: list[int] = []

    async def first(text: str) -> dict[str, str]:
        seen.append(variable.get())
        variable.set(2)
        return {"text": text}

    async def main() -> None:
        variable.set(1)
        async for _ in chain_after(first, server).astream("a"):
            assert variable.get() == 1

    run(main)
    assert seen == [1]

"""A parallel of models at the end of a chain: one generator over the merged outputs of its branches."""

import asyncio
from collections.abc import Iterator
from typing import Any

import pytest

from endings import assert_closed_by_us, read_all
from langchain_peer import KEY
from millstream import OpenAI
from millstream.errors import StreamTruncatedError
from millstream.output_parsers import StrOutputParser
from millstream.prompts import PromptTemplate
from millstream.runnables import RunnableGenerator, RunnableLambda, RunnableParallel, add
from millstream.testing import VERSE, Cut, MockServer, Reply, Stall
from recording import handlers
from user_code import run

INPUT = {"text": "p"}
WHOLE = "".join(VERSE)


@pytest.fixture
def server() -> Iterator[MockServer]:
    with MockServer() as server:
        yield server


def models(server: MockServer, number: int = 3) -> dict[str, Any]:
    return {f"m{place}": OpenAI(base_url=server.url, api_key=KEY) for place in range(number)}


def chain_of(server: MockServer, **more: Any) -> Any:
    return PromptTemplate.from_template("{text}") | RunnableParallel({**models(server), **more})


async def aread(stream: Any) -> list[Any]:
    return [chunk async for chunk in stream]


def test_each_branch_streams_its_chunks(server: MockServer) -> None:
    chain = chain_of(server, upper=RunnableLambda(lambda prompt: prompt.to_string().upper()))
    for chunks in (list(chain.stream(INPUT)), asyncio.run(aread(chain.astream(INPUT)))):
        assert all(len(chunk) == 1 for chunk in chunks)
        assert add(chunks) == {"m0": WHOLE, "m1": WHOLE, "m2": WHOLE, "upper": "P"}
        assert len(chunks) > 3 * len(VERSE)


def test_a_parallel_alone_streams_as_in_a_chain(server: MockServer) -> None:
    subject = RunnableParallel(models(server))
    assert add(asyncio.run(aread(subject.astream("p")))) == {"m0": WHOLE, "m1": WHOLE, "m2": WHOLE}


def test_a_step_behind_it_transforms_the_chunks(server: MockServer) -> None:
    chain = chain_of(server).pick("m1") | StrOutputParser()
    assert "".join(chain.stream(INPUT)) == WHOLE
    assert "".join(asyncio.run(aread(chain.astream(INPUT)))) == WHOLE


def test_handlers_are_notified_of_the_same_runs(server: MockServer) -> None:
    log: list[Any] = []
    chain = chain_of(server)
    config: Any = {"callbacks": [handlers(log)[1]]}
    assert add(asyncio.run(aread(chain.astream(INPUT, config)))) == {"m0": WHOLE, "m1": WHOLE, "m2": WHOLE}
    assert sum("on_llm_end" in entry for entry in log) == 3


@pytest.mark.usefixtures("native_transport")
@pytest.mark.parametrize("is_async", [False, True])
def test_leaving_closes_all_connections(is_async: bool) -> None:
    with MockServer(Reply(fault=Stall(after=3))) as server:
        chain = chain_of(server)

        async def main() -> None:
            async with chain.astream(INPUT) as stream:
                for _ in range(9):
                    await anext(stream)

        if is_async:
            run(main)
        else:
            stream = chain.stream(INPUT)
            for _ in range(9):
                next(stream)
            stream.close()
        server.wait_until(lambda: server.connections.closed == 3)
        assert_closed_by_us(server)


@pytest.mark.usefixtures("native_transport")
@pytest.mark.parametrize("is_async", [False, True])
def test_a_branch_that_fails_stops_the_others_after_what_has_arrived(is_async: bool) -> None:
    with MockServer(Reply(fault=Cut(after=3, how="fin"))) as cut, MockServer(Reply(fault=Stall(after=3))) as stalled:
        steps = RunnableParallel(cut=models(cut)["m0"], stalled=models(stalled)["m0"])
        chunks, error = read_all(steps.astream("p") if is_async else steps.stream("p"))
        assert isinstance(error, StreamTruncatedError)
        assert add(chunk for chunk in chunks if "cut" in chunk) == {"cut": "".join(VERSE[:3])}
        stalled.wait_until(lambda: stalled.connections.open == 0)


def test_cancelling_stops_all_branches() -> None:
    with MockServer(Reply(fault=Stall(after=3))) as server:

        async def main() -> None:
            task = asyncio.create_task(aread(chain_of(server).astream(INPUT)))
            await server.await_until(lambda: len(server.requests) == 3)
            task.cancel()
            with pytest.raises(asyncio.CancelledError):
                await task
            assert asyncio.all_tasks() == {asyncio.current_task()}

        run(main)
        server.wait_until(lambda: server.connections.open == 0)


def test_behind_a_model_it_transforms_chunks_as_they_come(server: MockServer) -> None:
    def upper(chunks: Any) -> Any:
        for chunk in chunks:
            yield chunk.upper()

    steps = {"a": RunnableGenerator(upper), "b": RunnableLambda(len)}
    chain: Any = models(server)["m0"] | StrOutputParser() | RunnableParallel(steps)
    chunks = list(chain.stream("p"))
    assert len([chunk for chunk in chunks if "a" in chunk]) >= len(VERSE)
    assert add(chunks) == {"a": WHOLE.upper(), "b": len(WHOLE)}

"""Chains whose first steps stream as one generator, while users' code follows these."""

import asyncio
from collections.abc import AsyncIterator, Iterator
from typing import Any

import pytest

from millstream import OpenAI
from millstream.callbacks import BaseCallbackHandler
from millstream.output_parsers import StrOutputParser
from millstream.prompts import PromptTemplate
from millstream.runnables import RunnableGenerator, RunnableLambda
from millstream.testing.memory import MemoryTransport

READS = [
    *(b'data: {"choices": [{"index": 0, "text": "%d "}]}\n\n' % number for number in range(4)),
    b'data: {"choices": [{"index": 0, "text": "", "finish_reason": "stop"}]}\n\n',
    b"data: [DONE]\n\n",
]


class Silent(BaseCallbackHandler):
    """A handler that does nothing; with it, all steps have runs of their own."""


def same(chunks: Iterator[Any]) -> Iterator[Any]:
    yield from chunks


async def asame(chunks: AsyncIterator[Any]) -> AsyncIterator[Any]:
    async for chunk in chunks:
        yield chunk


def make_model(reads: Any = READS) -> tuple[OpenAI, MemoryTransport]:
    transport = MemoryTransport(reads)
    return OpenAI(base_url="http://memory/v1", api_key="none", http_client=transport), transport


async def acollect(chain: Any, input: Any, config: Any) -> list[Any]:
    return [chunk async for chunk in chain.astream(input, config)]


LAST: list[Any] = [RunnableLambda(str.split), RunnableLambda(lambda text: text * 2), RunnableGenerator(same, asame)]


@pytest.mark.parametrize("last", LAST)
@pytest.mark.parametrize("first", ["prompt", "function", "model"])
def test_the_chunks_are_those_of_a_chain_whose_steps_run_one_by_one(first: str, last: Any) -> None:
    model = make_model()[0]
    prompt: Any = PromptTemplate.from_template("{text}")
    starts: dict[str, Any] = {
        "prompt": prompt | model | StrOutputParser(),
        "function": RunnableLambda(lambda value: dict(value)) | prompt | model | StrOutputParser(),
        "model": model,
    }
    chain = starts[first] | last
    input: Any = "a" if first == "model" else {"text": "a"}
    assert chain._prefix is not None
    expected = list(chain.stream(input, {"callbacks": [Silent()]}))
    assert list(chain.stream(input)) == expected
    assert asyncio.run(acollect(chain, input, {"callbacks": [Silent()]})) == expected
    assert asyncio.run(acollect(chain, input, None)) == expected


def test_all_functions_of_users_run_in_child_runs_of_one_run() -> None:
    seen: list[Any] = []

    def look(value: Any, config: Any) -> Any:
        manager = config["callbacks"]
        seen.append((manager.parent_ids[:-1], config["tags"], config["metadata"]))
        return value

    prompt: Any = PromptTemplate.from_template("{text}")
    chain = RunnableLambda(look) | prompt | make_model()[0] | RunnableLambda(look)
    config = {"tags": ["t"], "metadata": {"m": 1}}
    for number, run in enumerate((lambda: list(chain.stream({"text": "a"}, config)), None)):
        run() if run is not None else asyncio.run(acollect(chain, {"text": "a"}, config))
        first, last = seen[2 * number :]
        assert first == last
        assert len(first[0]) == 1
        assert first[1:] == (["t"], {"m": 1})


def test_arguments_of_a_call_reach_the_first_step_alone() -> None:
    model, transport = make_model()
    chain: Any = model | RunnableLambda(lambda text: text)
    list(chain.stream("a", max_tokens=7))
    assert b'"max_tokens":7' in transport.requests[0].body.replace(b" ", b"")


def test_leaving_early_closes_the_connection() -> None:
    model, transport = make_model()
    chain: Any = model | RunnableGenerator(same, asame)
    for chunk in (stream := chain.stream("a")):
        assert chunk == "0 "
        break
    stream.close()
    assert (transport.opened, transport.closed) == (1, 1)

    async def leave() -> None:
        async with chain.astream("a") as chunks:
            async for chunk in chunks:
                assert chunk == "0 "
                break
        assert (transport.opened, transport.closed) == (2, 2)

    asyncio.run(leave())


def test_an_error_of_the_connection_passes_through_the_users_generator() -> None:
    seen: list[BaseException] = []

    async def watch(chunks: AsyncIterator[Any]) -> AsyncIterator[Any]:
        try:
            async for chunk in chunks:
                yield chunk
        except Exception as error:
            seen.append(error)
            raise

    model, transport = make_model(READS[:2])
    chain: Any = model | RunnableGenerator(watch)
    with pytest.raises(Exception, match="ended before its end mark") as found:
        asyncio.run(acollect(chain, "a", None))
    assert seen == [found.value]
    assert transport.closed == transport.opened

"""Compositions beside LangChain's, by hand: what the tests of single Runnables do not compare."""

from collections.abc import AsyncIterator, Iterator

import pytest

from endings import read_all
from marks import both_ways
from trees import library


def broken(chunks: Iterator[str]) -> Iterator[str]:
    yield from chunks
    raise RuntimeError("the input failed")


async def abroken(chunks: AsyncIterator[str]) -> AsyncIterator[str]:
    async for chunk in chunks:
        yield chunk
    raise RuntimeError("the input failed")


@both_ways
@pytest.mark.parametrize("attempts", ["retry", "fallback"])
def test_an_input_that_fails_is_no_failure_of_an_attempt(attempts: str, asynchronous: bool) -> None:
    for place in (0, 1):
        lc = library(place)
        calls: list[str] = []
        step = lc.RunnableLambda(lambda text, calls=calls: calls.append(text))
        step = step.with_retry() if attempts == "retry" else step.with_fallbacks([step])
        chain = lc.RunnableGenerator(broken, abroken) | step
        items, error = read_all(chain.astream("a") if asynchronous else chain.stream("a"))
        assert (items, repr(error), calls) == ([], "RuntimeError('the input failed')", [])

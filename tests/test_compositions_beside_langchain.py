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


def test_sequences_keep_the_name_that_langchains_keep() -> None:
    found = []
    for place in (0, 1):
        lc = library(place)
        step = lc.RunnableLambda(str)
        one, other, unnamed = (lc.RunnableSequence(step, step, name=name) for name in ("one", "other", None))
        made = [one | step, step | one, one | other, unnamed | other, {"a": step} | one, str | one, one | {"a": step}]
        made += [one.pipe(step), step.pipe(one), one.pipe(other), one.pipe(step, name="new")]
        made += [step.pipe(one, name="new"), lc.RunnableSequence(one, step), lc.RunnableSequence(step, one, name="new")]
        made += [one.assign(a=step), one.pick("a"), lc.RunnableParallel(a=step) | one]
        found.append([chain.name for chain in made])
    assert found[1] == found[0]

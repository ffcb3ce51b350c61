"""Compositions beside LangChain's, by hand: what the tests of single Runnables do not compare."""

from collections.abc import AsyncIterator, Iterator
from typing import Any

import pytest

from endings import read_all
from marks import both_ways
from recording import handlers
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


def test_a_branch_with_a_bound_configuration_is_a_child_of_the_branch() -> None:
    parents = []
    for place in (0, 1):
        lc, log = library(place), list[Any]()
        bound = lc.RunnableLambda(str.upper).with_config(tags=["bound"])
        chain = lc.RunnablePassthrough() | lc.RunnableBranch((lambda text: True, bound), str)
        chain.invoke("a", {"callbacks": [handlers(log)[place]]})
        starts = [kwargs for _, event, _, kwargs in log if event == "on_chain_start"]
        names = {kwargs["run_id"]: kwargs["name"] for kwargs in starts}
        parents += [names[kwargs["parent_run_id"]] for kwargs in starts if kwargs["name"] == "upper"]
    assert parents == ["RunnableSequence", "RunnableBranch"]


def test_the_output_of_a_branch_is_its_last_chunk_if_the_chunks_have_no_sum() -> None:
    outputs = []
    for place in (0, 1):
        lc, log = library(place), list[Any]()
        branch = lc.RunnableBranch((lambda text: False, str), lc.RunnableGenerator(lambda items: (yield from ({}, 1))))
        assert list(branch.stream("a", {"callbacks": [handlers(log)[place]]})) == [{}, 1]
        outputs.append(log[-1][2][0])
    assert outputs == [None, 1]

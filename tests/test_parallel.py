"""Parallel steps, beside LangChain's."""

import asyncio
import copy
import pickle
import threading
from collections.abc import Iterator
from operator import itemgetter
from typing import Any

import pytest
from langchain_core.runnables import RunnableLambda as TheirLambda
from langchain_core.runnables import RunnableParallel as TheirParallel
from langchain_core.runnables import RunnablePassthrough as TheirPassthrough

from millstream.language_models import FakeListLLM
from millstream.output_parsers import StrOutputParser
from millstream.prompts import PromptTemplate
from millstream.runnables import (
    RunnableBranch,
    RunnableGenerator,
    RunnableLambda,
    RunnableMap,
    RunnableParallel,
    RunnablePassthrough,
    RunnablePick,
    add,
)


def letters(chunks: Iterator[str]) -> Iterator[str]:
    for chunk in chunks:
        yield from chunk


async def aletters(chunks: Any) -> Any:
    async for chunk in chunks:
        for letter in chunk:
            yield letter


def refuse(text: str) -> str:
    raise RuntimeError("refused")


STEPS: dict[str, Any] = {
    "functions": lambda parallel, passthrough: parallel(a=lambda text: text + "a", b=str.upper),
    "a dict": lambda parallel, passthrough: parallel({"a": itemgetter(0), "b": passthrough()}),
    "a dict and arguments": lambda parallel, passthrough: parallel({"a": str.upper}, b=passthrough()),
    "one": lambda parallel, passthrough: parallel(a=str.upper),
    "none": lambda parallel, passthrough: parallel(),
    "nested": lambda parallel, passthrough: parallel(a={"b": str.upper, "c": {"d": passthrough()}}, e=passthrough()),
    "in a chain": lambda parallel, passthrough: (
        {"a": passthrough(), "b": str.upper} | passthrough() | {"c": itemgetter("b"), "d": itemgetter("a")}
    ),
}


@pytest.mark.parametrize("steps", STEPS)
def test_outputs_are_langchains(steps: str) -> None:
    theirs, ours = STEPS[steps](TheirParallel, TheirPassthrough), STEPS[steps](RunnableParallel, RunnablePassthrough)
    assert ours.invoke("hey") == theirs.invoke("hey") == asyncio.run(ours.ainvoke("hey"))
    assert ours.batch(["hey", "ho"]) == theirs.batch(["hey", "ho"])
    assert add(ours.stream("hey")) == add(theirs.stream("hey"))
    assert add(ours.transform(iter(["he", "y"]))) == add(theirs.transform(iter(["he", "y"])))
    assert ours.get_name() == theirs.get_name()
    if steps != "in a chain":
        assert repr(ours).splitlines()[:1] == repr(theirs).splitlines()[:1]


def test_the_repr_shows_a_step_a_line() -> None:
    def shown(kind: Any, function: Any, passthrough: Any) -> str:
        return repr(kind(first=function(len), second={"a": passthrough(), "b": function(len)}))

    ours = shown(RunnableParallel, RunnableLambda, RunnablePassthrough)
    assert ours == shown(TheirParallel, TheirLambda, TheirPassthrough)


def test_a_map_is_a_parallel() -> None:
    assert RunnableMap is RunnableParallel


def test_branches_stream_while_others_wait() -> None:
    """The second branch yields its last chunk only after the consumer has received one of the first branch."""
    received = threading.Event()

    def late(chunks: Iterator[str]) -> Iterator[str]:
        yield "early"
        assert received.wait(30)
        yield from chunks

    chunks = []
    for chunk in RunnableParallel(a=letters, b=late).stream("hey"):
        chunks.append(chunk)
        if chunk == {"a": "y"}:
            received.set()
    assert add(chunks) == {"a": "hey", "b": "earlyhey"}
    assert chunks[-1] == {"b": "hey"}


def test_branches_stream_while_others_wait_in_async_code() -> None:
    async def read() -> list[Any]:
        received = asyncio.Event()

        async def late(chunks: Any) -> Any:
            yield "early"
            await received.wait()
            async for chunk in chunks:
                yield chunk

        chunks = []
        async for chunk in RunnableParallel(a=aletters, b=late).astream("hey"):
            chunks.append(chunk)
            if chunk == {"a": "y"}:
                received.set()
        return chunks

    chunks = asyncio.run(read())
    assert add(chunks) == {"a": "hey", "b": "earlyhey"}
    assert chunks[-1] == {"b": "hey"}


@pytest.mark.parametrize("way", ["invoke", "ainvoke", "stream", "astream"])
def test_a_failing_branch_raises_its_error(way: str) -> None:
    steps: Any = RunnableParallel(a=str.upper, b=refuse)

    async def read() -> list[Any]:
        return [chunk async for chunk in steps.astream("hey")]

    ways: dict[str, Any] = {
        "invoke": lambda: steps.invoke("hey"),
        "ainvoke": lambda: asyncio.run(steps.ainvoke("hey")),
        "stream": lambda: list(steps.stream("hey")),
        "astream": lambda: asyncio.run(read()),
    }
    with pytest.raises(RuntimeError, match="refused"):
        ways[way]()


def test_branches_stream_behind_a_stream() -> None:
    """Each branch receives a chunk of the step before as it comes: the second one is made after the first is read."""
    read: list[Any] = []
    has_read = threading.Event()

    def source(chunks: Iterator[str]) -> Iterator[str]:
        for chunk in chunks:
            for place, letter in enumerate(chunk):
                assert place == 0 or has_read.wait(30)
                yield letter

    async def asource(chunks: Any) -> Any:
        async for chunk in chunks:
            for place, letter in enumerate(chunk):
                while place and not read:  # noqa: ASYNC110
                    await asyncio.sleep(0)
                yield letter

    chain = RunnableGenerator(source, asource) | RunnableParallel(a=letters_of(), b=letters_of())

    async def main() -> None:
        async for chunk in chain.astream("hey"):
            read.append(chunk)  # noqa: PERF401

    for chunk in chain.stream("hey"):
        read.append(chunk)
        has_read.set()
    assert add(read) == {"a": "hey", "b": "hey"}
    read.clear()
    asyncio.run(main())
    assert add(read) == {"a": "hey", "b": "hey"}


def letters_of() -> Any:
    return RunnableGenerator(letters, aletters)


def test_one_step_that_waits_beside_our_own_runs_without_a_thread() -> None:
    threads: list[threading.Thread] = []

    def note(text: str) -> str:
        threads.append(threading.current_thread())
        return text.upper()

    step = RunnableParallel(a=note, b=RunnablePassthrough(), c=RunnablePassthrough())
    expected = {"a": "HEY", "b": "hey", "c": "hey"}
    assert step.invoke("hey") == expected
    assert add(step.stream("hey")) == expected
    assert add((RunnableLambda(str) | step).stream("hey")) == expected
    assert set(threads[:2]) == {threading.current_thread()}
    # Nothing waits for the function: the other chunks come first.
    assert list(step.stream("hey"))[-1] == {"a": "HEY"}


def test_a_parallel_may_fail_to_start_a_thread(monkeypatch: pytest.MonkeyPatch) -> None:
    """What has begun is stopped, and the error is raised."""
    steps = RunnableParallel(a=str.upper, b=str.lower)

    def refuse_second(self: threading.Thread) -> None:
        raise RuntimeError("can't start new thread")

    monkeypatch.setattr(threading.Thread, "start", refuse_second)
    with pytest.raises(RuntimeError, match="new thread"):
        list(steps.stream("hey"))


MODEL = FakeListLLM(responses=["a"])
CHAIN = PromptTemplate.from_template("{x}") | MODEL | StrOutputParser()


@pytest.mark.parametrize(
    "chain",
    [
        CHAIN,
        {"x": itemgetter("x"), "y": RunnablePassthrough()} | CHAIN,
        RunnablePassthrough.assign(a=CHAIN),
        RunnableParallel(a=CHAIN, b=CHAIN) | RunnablePick("a"),
        RunnableBranch((itemgetter("x"), CHAIN), CHAIN),
    ],
    ids=["chain", "dict", "assign", "parallel", "branch"],
)
def test_chains_are_copied_and_pickled_after_a_stream(chain: Any) -> None:
    chunks = list(chain.stream({"x": 1}))
    for other in (pickle.loads(pickle.dumps(chain)), copy.copy(chain), copy.deepcopy(chain)):
        assert repr(other) == repr(chain)
        assert list(other.stream({"x": 1})) == chunks

"""LangChain's Runnables as steps of our chains, and ours as steps of LangChain's."""

import asyncio
import subprocess
import sys
from collections.abc import Callable, Iterator
from typing import Any

import langchain_core.runnables as _theirs
import pytest
from langchain_core.language_models import FakeListChatModel as TheirModel
from langchain_core.messages import AIMessage as TheirMessage
from langchain_core.output_parsers import StrOutputParser as TheirStr
from langchain_core.prompts import ChatPromptTemplate as TheirPrompt

import millstream.runnables as _ours
from chains import events_of
from endings import aread, read_all
from langchain_peer import allow_v1
from marks import versions
from millstream.language_models import FakeListChatModel
from millstream.output_parsers import StrOutputParser
from millstream.prompts import ChatPromptTemplate
from millstream.runnables.foreign import ForeignRunnable
from recording import ahandlers, comparable_calls, handlers

theirs: Any = _theirs
ours: Any = _ours


def letters(chunks: Iterator[str]) -> Iterator[str]:
    for chunk in chunks:
        yield from chunk


async def aletters(chunks: Any) -> Any:
    async for chunk in chunks:
        for letter in chunk:
            yield letter


def shout(text: str) -> str:
    return text.upper()


# The first argument has LangChain's names or ours, the second one LangChain's.
CHAINS: dict[str, Callable[[Any, Any], Any]] = {
    "function": lambda lc, their: lc.RunnableLambda(shout, name="first") | their.RunnableLambda(shout, name="second"),
    "generator": lambda lc, their: lc.RunnableGenerator(letters, aletters) | their.RunnableGenerator(letters, aletters),
    "in a dict": lambda lc, their: lc.RunnableLambda(shout) | {"a": their.RunnableLambda(shout)},
    "between": lambda lc, their: (
        lc.RunnableLambda(shout) | their.RunnablePassthrough() | lc.RunnableGenerator(letters, aletters)
    ),
    "configured": lambda lc, their: (
        lc.RunnableLambda(shout) | their.RunnableLambda(shout).with_config(tags=["x"], run_name="configured")
    ),
    "a chain": lambda lc, their: (
        lc.RunnableLambda(shout) | (their.RunnableLambda(shout) | their.RunnableGenerator(letters, aletters))
    ),
    "in a branch": lambda lc, their: lc.RunnableBranch(
        (their.RunnableLambda(bool), their.RunnableGenerator(letters, aletters)), shout
    ),
    "returned": lambda lc, their: lc.RunnableLambda(lambda text: their.RunnableLambda(shout)),
    "bound": lambda lc, their: (
        lc.RunnableLambda(shout) | their.RunnableLambda(lambda text, mark: text + mark).bind(mark="!")
    ),
    "retrying": lambda lc, their: lc.RunnableLambda(shout) | their.RunnableLambda(shout).with_retry(),
}
WAYS: dict[str, Callable[[Any, Any], Any]] = {
    "invoke": lambda step, config: step.invoke("hey", config),
    "ainvoke": lambda step, config: asyncio.run(step.ainvoke("hey", config)),
    "stream": lambda step, config: list(step.stream("hey", config)),
    "astream": lambda step, config: asyncio.run(aread(step.astream("hey", config))),
    "transform": lambda step, config: list(step.transform(iter(["he", "y"]), config)),
    "batch": lambda step, config: step.batch(["hey"], config),
    "abatch": lambda step, config: asyncio.run(step.abatch(["hey"], config)),
}


@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize("chain", CHAINS)
def test_a_step_of_langchains_does_what_it_does_there(chain: str, way: str) -> None:
    found = []
    for place, module in enumerate((theirs, ours)):
        log: list[Any] = []
        kind = ahandlers if way.startswith("a") else handlers
        config = {"tags": ["t"], "metadata": {"k": 1}, "callbacks": [kind(log, run_inline=True)[place]]}
        found.append((WAYS[way](CHAINS[chain](module, theirs), config), comparable_calls(log)))
    assert found[1] == found[0]


@versions
@pytest.mark.parametrize("chain", CHAINS)
def test_events_of_langchains_steps_are_there(chain: str, version: str) -> None:
    config: Any = {"tags": ["t"], "metadata": {"k": 1}}
    with allow_v1():
        expected = events_of(CHAINS[chain](theirs, theirs).astream_events("hey", config, version=version))
    found = events_of(CHAINS[chain](ours, theirs).astream_events("hey", config, version=version))
    assert found == expected
    assert found[0]


@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize("chain", [chain for chain in CHAINS if chain not in ("returned", "in a branch")])
def test_our_steps_run_in_langchains_chains(chain: str, way: str) -> None:
    assert WAYS[way](CHAINS[chain](theirs, ours), None) == WAYS[way](CHAINS[chain](theirs, theirs), None)


def _their_prompt() -> Any:
    return TheirPrompt.from_template("{x}")


MIXED: dict[str, Callable[[], Any]] = {
    "their model": lambda: ChatPromptTemplate.from_template("{x}") | TheirModel(responses=["hi"]) | StrOutputParser(),
    "their parser": lambda: (
        ChatPromptTemplate.from_template("{x}")
        | FakeListChatModel(responses=["hi"])
        | ours.RunnablePassthrough()
        | TheirStr()
    ),
    "their prompt": lambda: (
        ours.RunnablePassthrough()
        | TheirPrompt.from_template("{x}")
        | FakeListChatModel(responses=["hi"])
        | StrOutputParser()
    ),
    "their prompt first": lambda: _their_prompt() | FakeListChatModel(responses=["hi"]) | StrOutputParser(),
}


@pytest.mark.parametrize("chain", MIXED)
def test_messages_and_prompts_pass_between_the_libraries(chain: str) -> None:
    made = MIXED[chain]()
    assert made.invoke({"x": 1}) == "hi" == asyncio.run(made.ainvoke({"x": 1}))
    assert list(made.stream({"x": 1})) == ["h", "i"] == asyncio.run(aread(made.astream({"x": 1})))
    assert made.batch([{"x": 1}, {"x": 2}]) == ["hi", "hi"] == asyncio.run(made.abatch([{"x": 1}, {"x": 2}]))


def test_a_step_of_langchains_receives_messages_of_its_own() -> None:
    seen: list[Any] = []
    step = ours.RunnablePassthrough() | theirs.RunnableLambda(lambda value: seen.append(value))
    step.invoke({"messages": [FakeListChatModel(responses=["hi"]).invoke("x")]})
    assert type(seen[0]["messages"][0]) is TheirMessage


def test_errors_of_langchains_steps_are_raised() -> None:
    chain = ours.RunnableLambda(shout) | theirs.RunnableLambda(lambda text: 1 / 0)
    for stream in (chain.stream("a"), chain.astream("a"), chain.astream_events("a")):
        assert type(read_all(stream)[1]) is ZeroDivisionError


def test_leaving_closes_langchains_steps() -> None:
    closed: list[str] = []

    def endless(chunks: Any) -> Any:
        try:
            while True:
                yield "a"
        finally:
            closed.append("sync")

    async def aendless(chunks: Any) -> Any:
        try:
            while True:
                yield "a"
        finally:
            closed.append("async")

    chain = ours.RunnableLambda(shout) | theirs.RunnableGenerator(endless, aendless)

    async def leave() -> None:
        async with chain.astream("a") as stream:
            async for _ in stream:
                break

    with chain.stream("a") as stream:
        assert next(stream) == "a"
    asyncio.run(leave())
    assert closed == ["sync", "async"]


def test_the_adapter_shows_what_it_holds() -> None:
    step = theirs.RunnableLambda(shout)
    adapter = (ours.RunnablePassthrough() | step).steps[1]
    assert type(adapter) is ForeignRunnable
    assert (repr(adapter), adapter.get_name(), adapter.func) == (repr(step), "shout", shout)
    with pytest.raises(AttributeError):
        _ = adapter.nothing


def test_a_chain_of_ours_does_not_import_langchain() -> None:
    code = (
        "import sys; from millstream.runnables import RunnableLambda as L, RunnablePassthrough as P;"
        "print(({'a': P()} | L(str)).invoke(1)); assert 'langchain_core' not in sys.modules"
    )
    assert (
        subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout == "{'a': 1}\n"
    )

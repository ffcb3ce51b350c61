"""Chains of dicts, assigns and branches of our own over a model: one generator, beside LangChain's on one server."""

import asyncio
import threading
import warnings
from operator import attrgetter, itemgetter
from types import SimpleNamespace
from typing import Any

import langchain_core.runnables as theirs
import pytest
from langchain_core.output_parsers import StrOutputParser as TheirStr
from langchain_core.prompts import ChatPromptTemplate as TheirPrompt

import millstream.runnables as ours
from chains import events_of, numbered
from endings import aread, assert_closed_by_us, read_all
from langchain_peer import KEY, aclients, allow_v1
from marks import versions
from millstream import ChatOpenAI
from millstream.output_parsers import StrOutputParser
from millstream.prompts import ChatPromptTemplate
from millstream.runnables import event_stream
from millstream.runnables.fusion import events as fused_events
from millstream.testing import MockServer, Reply, Stall
from recording import handlers
from test_compositions import by_run

with warnings.catch_warnings():
    warnings.simplefilter("ignore")
    import langchain_openai
    from pydantic import SecretStr

INPUT: Any = {"x": "hello", "more": {"y": "z"}}
PIECES = ["a", " verse", "!"]
CONFIG: Any = {"tags": ["t"], "metadata": {"k": 1}}


def library(place: int, model: Any) -> Any:
    """Return LangChain's names, or ours, and ``model``."""
    module = (theirs, ours)[place]
    return SimpleNamespace(
        **{name: getattr(module, name) for name in theirs.__all__ if hasattr(ours, name)},
        prompt=(TheirPrompt, ChatPromptTemplate)[place].from_template,
        parser=(TheirStr, StrOutputParser)[place],
        model=model,
    )


CHAINS: dict[str, Any] = {
    "dict": lambda lc: (
        {"a": itemgetter("x"), "b": lc.RunnablePassthrough()} | lc.prompt("{a} {b}") | lc.model | lc.parser()
    ),
    "picks": lambda lc: (
        {"a": lc.RunnablePick("x"), "b": lc.RunnablePick(["x", "more"])} | lc.prompt("{a} {b}") | lc.model | lc.parser()
    ),
    "assign": lambda lc: (
        lc.RunnablePassthrough.assign(b=itemgetter("x"), c=itemgetter("more"))
        | lc.prompt("{x} {b} {c}")
        | lc.model
        | lc.parser()
    ),
    "attributes": lambda lc: lc.prompt("{x}") | lc.model | lc.RunnableLambda(attrgetter("content")),
    "branch": lambda lc: (
        lc.RunnableBranch(
            (itemgetter("more"), lc.prompt("{x}?")), (lc.RunnablePick("x"), lc.prompt("{x}")), lc.prompt("none")
        )
        | lc.model
        | lc.parser()
    ),
    "default branch": lambda lc: (
        lc.RunnableBranch((lc.RunnablePick("none"), lc.prompt("{none}")), lc.prompt("{x}")) | lc.model | lc.parser()
    ),
    "dict behind": lambda lc: (
        lc.prompt("{x}") | lc.model | lc.parser() | {"text": lc.RunnablePassthrough(), "more": lc.RunnablePassthrough()}
    ),
    "assign behind": lambda lc: (
        lc.prompt("{x}")
        | lc.model
        | lc.parser()
        | {"a": lc.RunnablePassthrough()}
        | lc.RunnablePassthrough.assign(b=lc.RunnablePick("a"))
    ),
    "pick behind": lambda lc: lc.prompt("{x}") | lc.model | {"a": lc.parser(), "b": lc.parser()} | lc.RunnablePick("b"),
    "branch behind": lambda lc: (
        lc.prompt("{x}")
        | lc.model
        | lc.parser()
        | lc.RunnableBranch((lc.RunnablePassthrough(), {"a": lc.RunnablePassthrough()}), lc.RunnablePassthrough())
    ),
    "nested": lambda lc: (
        {"a": {"b": itemgetter("x"), "c": lc.RunnablePassthrough() | itemgetter("more")}}
        | lc.prompt("{a}")
        | lc.model
        | {"d": {"e": lc.parser()}}
    ),
    "configured": lambda lc: (
        lc.RunnableParallel(
            a=itemgetter("x"), b=lc.RunnablePick("x").with_config(run_name="picked", tags=["p"])
        ).with_config(run_name="both", metadata={"both": 1})
        | lc.prompt("{a} {b}")
        | lc.model
        | lc.parser()
    ),
    "nothing to ask": lambda lc: lc.RunnablePick("none") | lc.prompt("{x}") | lc.model | lc.parser(),
}
# Those with a model beside other steps, which runs in a worker in async code.
BESIDE: dict[str, Any] = {
    "assigned": lambda lc: lc.RunnablePassthrough.assign(answer=lc.prompt("{x}") | lc.model | lc.parser()),
    "assigned to what is assigned": lambda lc: (
        lc.RunnablePassthrough.assign(y=itemgetter("x"))
        | lc.RunnablePassthrough.assign(answer=lc.prompt("{x} {y}") | lc.model | lc.parser())
        | lc.RunnablePick(["answer", "y"])
    ),
    "beside its input": lambda lc: lc.RunnableParallel(
        answer=lc.prompt("{x}") | lc.model | lc.parser(), question=lc.RunnablePick("x")
    ),
    "two models": lambda lc: (
        {"x": itemgetter("x")}
        | lc.RunnableParallel(
            a=lc.prompt("{x}") | lc.model | lc.parser(), b=lc.prompt("<{x}>") | lc.model | lc.parser()
        )
    ),
    "two models, picked": lambda lc: (
        lc.RunnableParallel(a=lc.prompt("{x}") | lc.model | lc.parser(), b=lc.prompt("<{x}>") | lc.model | lc.parser())
        | lc.RunnablePick("a")
    ),
}
chains = pytest.mark.parametrize("chain", CHAINS)
all_chains = pytest.mark.parametrize("chain", [*CHAINS, *BESIDE])


def of_theirs(chain: str, server: MockServer, read: Any) -> Any:
    """Return what ``read`` makes of LangChain's chain."""

    async def main() -> Any:
        async with aclients() as given:
            key: Any = SecretStr(KEY)
            model = langchain_openai.ChatOpenAI(base_url=server.url, api_key=key, **given)
            return await read({**CHAINS, **BESIDE}[chain](library(0, model)))

    with allow_v1():
        return asyncio.run(main())


def of_ours(chain: str, server: MockServer) -> Any:
    return {**CHAINS, **BESIDE}[chain](library(1, ChatOpenAI(base_url=server.url, api_key=KEY)))


def shown(chunks: Any) -> Any:
    return numbered([{"chunk": chunk} for chunk in chunks])


def by_key(chunks: list[Any]) -> Any:
    """Return the chunks under each key, since branches at once have no common order."""
    if not all(isinstance(chunk, dict) for chunk in chunks):
        return shown(chunks)
    keys = sorted({key for chunk in chunks for key in chunk})
    return {key: shown(chunk[key] for chunk in chunks if key in chunk) for key in keys}


@all_chains
def test_chunks_are_langchains(chain: str) -> None:
    with MockServer(Reply(pieces=PIECES)) as server:
        expected = of_theirs(chain, server, lambda chain: aread(chain.astream(INPUT)))
        subject = of_ours(chain, server)
        for chunks in (list(subject.stream(INPUT)), asyncio.run(aread(subject.astream(INPUT)))):
            assert by_key(chunks) == by_key(expected)
        if chain != "nothing to ask":
            result = of_theirs(chain, server, lambda chain: chain.ainvoke(INPUT))
            assert [subject.invoke(INPUT), asyncio.run(subject.ainvoke(INPUT))] == [result] * 2


@versions
@all_chains
def test_events_are_langchains_run_by_run(chain: str, version: str) -> None:
    with MockServer(Reply(pieces=PIECES)) as server:
        expected = numbered(
            of_theirs(chain, server, lambda chain: aread(chain.astream_events(INPUT, CONFIG, version=version)))
        )
        subject = of_ours(chain, server)
        found, error = events_of(subject.astream_events(INPUT, CONFIG, version=version))
        assert error == ""
        assert by_run(found) == by_run(expected)
        in_sync_code = events_of(subject.stream_events(INPUT, CONFIG, version=version))
        assert by_run(in_sync_code[0]) == by_run(found)
        if chain in CHAINS:
            assert in_sync_code == (found, "")


@versions
@pytest.mark.parametrize("chain", [chain for chain in CHAINS if chain != "nothing to ask"])
def test_a_chain_of_our_own_parts_runs_nothing_apart(chain: str, version: str, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*args: Any, **kwargs: Any) -> Any:
        raise AssertionError("it runs apart")

    monkeypatch.setattr(fused_events, "callback_event_stream", refuse)
    monkeypatch.setattr(event_stream, "callback_event_stream", refuse)

    async def read(stream: Any) -> None:
        count = 0
        async for _ in stream:
            count += 1
            assert asyncio.all_tasks() == {asyncio.current_task()}
        assert count

    with MockServer(Reply(pieces=PIECES)) as server:
        subject = of_ours(chain, server)
        before = threading.active_count()
        asyncio.run(read(subject.astream(INPUT)))
        asyncio.run(read(subject.astream_events(INPUT, version=version)))
        asyncio.run(read(subject.astream(INPUT, {"callbacks": [handlers([])[1]]})))
        for _ in subject.stream(INPUT):
            assert threading.active_count() == before


@pytest.mark.parametrize("way", ["stream", "events"])
def test_an_error_of_a_part_is_raised(way: str) -> None:
    with MockServer(Reply(pieces=PIECES)) as server:
        model = ChatOpenAI(base_url=server.url, api_key=KEY)
        early: Any = {"a": itemgetter("none")} | ChatPromptTemplate.from_template("{a}") | model
        late: Any = ChatPromptTemplate.from_template("{x}") | model | {"a": StrOutputParser(), "b": itemgetter(0)}
        for chain, kind in ((early, KeyError), (late, TypeError)):
            stream = chain.astream(INPUT) if way == "stream" else chain.astream_events(INPUT, version="v1")
            items, error = read_all(stream)
            assert type(error) is kind
            if chain is late:
                assert items
        assert_closed_by_us(server)


@pytest.mark.parametrize("chain", BESIDE)
def test_leaving_closes_the_connection_of_a_model_beside_others(chain: str) -> None:
    async def leave(chain: Any) -> None:
        async with chain.astream(INPUT) as stream:
            async for _ in stream:
                break

    with MockServer(Reply(pieces=["a"] * 50, fault=Stall(after=25))) as server:
        asyncio.run(leave(of_ours(chain, server)))
        for connection in range(1, server.connections.opened + 1):
            assert server.wait_closed(connection, timeout=10).closed_by == "client"
        assert server.connections.open == 0


def test_leaving_closes_the_connection() -> None:
    async def leave(chain: Any) -> None:
        async for _ in chain.astream(INPUT):
            break

    for chain in CHAINS:
        if "branch behind" in chain or "nothing" in chain or chain == "attributes":
            continue
        with MockServer(Reply(pieces=["a"] * 50, fault=Stall(after=25))) as server:
            subject = of_ours(chain, server)
            for _ in subject.stream(INPUT):
                break
            assert_closed_by_us(server)
        with MockServer(Reply(pieces=["a"] * 50, fault=Stall(after=25))) as server:
            asyncio.run(leave(of_ours(chain, server)))
            assert_closed_by_us(server)

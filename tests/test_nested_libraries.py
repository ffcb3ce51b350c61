"""A chain of one library inside a chain of the other inside a chain of the first: one tree of runs, and its events."""

import asyncio
from collections.abc import Callable
from functools import partial
from typing import Any

import pytest
from langchain_core.messages import AIMessageChunk as TheirChunk
from langchain_core.tracers import LangChainTracer
from langsmith.run_helpers import tracing_context

from both_libraries import ours, theirs
from chains import events_of
from endings import aread
from langchain_peer import allow_v1
from marks import both_ways, versions
from millstream.integrations.langchain import from_langchain, to_langchain
from millstream.messages import AIMessageChunk
from recording import achat_handlers, chat_handlers, comparable_calls

Convert = Callable[[Any], Any]


def unchanged(runnable: Any) -> Any:
    return runnable


def tree(outer: Any, inner: Any, convert: Convert, back: Convert) -> Any:
    """Return a chain of three chains, each in the other: the middle one is of ``inner``, the others of ``outer``."""
    innermost = (outer.RunnableLambda(lambda value: value) | outer.FakeListChatModel(responses=["hi"])).with_config(
        run_name="innermost"
    )
    middle = (
        inner.RunnablePassthrough() | inner.ChatPromptTemplate.from_template("{text}") | back(innermost)
    ).with_config(run_name="middle", tags=["middle"], metadata={"m": 1})
    return outer.RunnablePassthrough() | convert(middle) | outer.StrOutputParser()


OUTER: dict[str, tuple[Any, int, Callable[[], Any]]] = {
    "LangChain's": (theirs, 0, lambda: tree(theirs, ours, to_langchain, from_langchain)),
    "Millstream's": (ours, 1, lambda: tree(ours, theirs, from_langchain, to_langchain)),
}
"""Who is outside: its names, the place of its handlers, and the mixed chain."""
outers = pytest.mark.parametrize("outer", OUTER)


@both_ways
@outers
@pytest.mark.parametrize("streams", [False, True])
def test_handlers_see_one_tree(outer: str, streams: bool, asynchronous: bool) -> None:
    lib, place, make = OUTER[outer]
    logs = []
    for chain in (tree(lib, lib, unchanged, unchanged), make()):
        log: list[Any] = []
        handler = (achat_handlers if asynchronous else chat_handlers)(log, run_inline=True)[place]
        config: Any = {"callbacks": [handler], "tags": ["t"], "metadata": {"k": 1}}
        call(chain, config, streams=streams, asynchronous=asynchronous)
        logs.append(comparable_calls(log))
    assert logs[1] == logs[0]
    assert len(logs[0]) > 10


def call(chain: Any, config: Any, *, streams: bool, asynchronous: bool) -> Any:
    value = {"text": "a"}
    if asynchronous:
        return asyncio.run(aread(chain.astream(value, config)) if streams else chain.ainvoke(value, config))
    return list(chain.stream(value, config)) if streams else chain.invoke(value, config)


@versions
@outers
def test_events_show_one_tree(outer: str, version: str) -> None:
    lib, _, make = OUTER[outer]
    config: Any = {"tags": ["t"], "metadata": {"k": 1}}
    with allow_v1():
        expected = events_of(
            tree(lib, lib, unchanged, unchanged).astream_events({"text": "a"}, config, version=version)
        )
        found = events_of(make().astream_events({"text": "a"}, config, version=version))
    assert found == expected
    assert found[0]


@pytest.mark.parametrize("outer", OUTER)
def test_chunks_in_events_are_of_the_library_outside(outer: str) -> None:
    _, place, make = OUTER[outer]
    events = asyncio.run(aread(make().astream_events({"text": "a"}, version="v2")))
    chunks = [event["data"]["chunk"] for event in events if event["event"] == "on_chat_model_stream"]
    assert {type(chunk) for chunk in chunks} == {(TheirChunk, AIMessageChunk)[place]}


class Client:
    """A client of LangSmith's that keeps the runs that a tracer sends."""

    def __init__(self) -> None:
        self.runs: dict[Any, dict[str, Any]] = {}
        self.tracing_queue = None

    def create_run(self, **run: Any) -> None:
        self.runs[run["id"]] = run

    def update_run(self, run_id: Any, **run: Any) -> None:
        self.runs[run_id] |= {key: value for key, value in run.items() if value is not None}

    def flush(self) -> None:
        """Do nothing: runs are kept at once."""

    def tree(self) -> list[tuple[str, str, str]]:
        """Return the name and the type of each run, and the name of its parent."""
        names = {run["id"]: run["name"] for run in self.runs.values()}
        return sorted(
            (run["name"], run["run_type"], names.get(run.get("parent_run_id"), "")) for run in self.runs.values()
        )


@both_ways
@outers
def test_langsmiths_tracer_records_one_tree(outer: str, asynchronous: bool) -> None:
    lib, _, make = OUTER[outer]
    found = []
    for chain in (tree(lib, lib, unchanged, unchanged), make()):
        client: Any = Client()
        tracer = LangChainTracer(client=client)
        call(chain, {"callbacks": [tracer]}, streams=True, asynchronous=asynchronous)
        tracer.wait_for_futures()
        found.append(client.tree())
    assert found[1] == found[0]
    assert len(found[0]) > 5


@both_ways
def test_tracing_that_the_program_has_switched_on_reaches_a_converted_chain(asynchronous: bool) -> None:
    found = []
    for chain in (tree(theirs, theirs, unchanged, unchanged), to_langchain(tree(ours, ours, unchanged, unchanged))):
        client: Any = Client()
        with tracing_context(enabled=True, client=client):
            call(chain, None, streams=True, asynchronous=asynchronous)
        found.append(client.tree())
    assert found[1] == found[0]
    assert len(found[0]) > 5


def call_child(child: Any, value: Any) -> Any:
    return child.invoke(value)


@both_ways
def test_a_handler_without_base_class_is_called_for_langchains_runs(asynchronous: bool) -> None:
    calls: list[Any] = []

    class Mine:
        def on_llm_start(self, serialized: Any, prompts: list[str], **kwargs: Any) -> None:
            calls.append(prompts)

        def on_llm_new_token(self, token: str, *, chunk: Any, **kwargs: Any) -> None:
            calls.append((token, type(chunk.message)))

    chain = ours.ChatPromptTemplate.from_template("{text}") | theirs.FakeListChatModel(responses=["hi"])
    call(chain, {"callbacks": [Mine()]}, streams=True, asynchronous=asynchronous)
    assert calls == [["Human: a"], ("h", AIMessageChunk), ("i", AIMessageChunk)]


@both_ways
@outers
def test_runs_begun_without_a_configuration_are_in_the_tree_too(outer: str, asynchronous: bool) -> None:
    logs = []
    lib, place, _ = OUTER[outer]
    other = ours if lib is theirs else theirs
    convert = to_langchain if lib is theirs else from_langchain
    for inner, turn in ((lib, unchanged), (other, convert)):
        log: list[Any] = []
        parser = inner.RunnableLambda(lambda text: text.upper(), name="child")
        step = turn(inner.RunnableLambda(partial(call_child, parser), name="middle"))
        outer_step = lib.RunnableLambda(partial(call_child, step), name="outer")
        handler = (achat_handlers if asynchronous else chat_handlers)(log, run_inline=True)[place]
        config: Any = {"callbacks": [handler]}
        made = asyncio.run(outer_step.ainvoke("a", config)) if asynchronous else outer_step.invoke("a", config)
        assert made == "A"
        logs.append(comparable_calls(log))
    assert logs[1] == logs[0]
    assert len(logs[0]) == 6


@outers
def test_configurations_reach_the_innermost_run(outer: str) -> None:
    lib, _, _ = OUTER[outer]
    other = ours if lib is theirs else theirs
    convert, back = (to_langchain, from_langchain) if lib is theirs else (from_langchain, to_langchain)
    seen: list[Any] = []

    def read(value: Any, config: Any) -> Any:
        seen.append(
            {key: config.get(key) for key in ("configurable", "recursion_limit", "max_concurrency", "metadata")}
        )
        return value

    inner = other.RunnablePassthrough() | back(lib.RunnableLambda(read))
    config: Any = {"configurable": {"user": 1}, "recursion_limit": 7, "max_concurrency": 2, "metadata": {"k": 1}}
    (lib.RunnablePassthrough() | convert(inner)).invoke("a", config)
    (lib.RunnablePassthrough() | convert(inner)).batch(["a", "b"], config)
    assert seen == [config] * 3


@outers
def test_errors_pass_unchanged(outer: str) -> None:
    lib, _, _ = OUTER[outer]
    other = ours if lib is theirs else theirs
    convert, back = (to_langchain, from_langchain) if lib is theirs else (from_langchain, to_langchain)
    error = LookupError("a")

    def fail(value: Any) -> Any:
        raise error

    chain = lib.RunnablePassthrough() | convert(other.RunnablePassthrough() | back(lib.RunnableLambda(fail)))
    with pytest.raises(LookupError) as raised:
        chain.invoke("a")
    assert raised.value is error
    with pytest.raises(LookupError) as raised:
        asyncio.run(aread(chain.astream("a")))
    assert raised.value is error

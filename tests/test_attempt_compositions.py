"""Retries, fallbacks and bindings in compositions, beside LangChain's: outputs, callbacks and events."""

import asyncio
from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from chains import events_of
from endings import aread
from langchain_peer import allow_v1
from marks import versions
from recording import ahandlers, comparable_calls, handlers
from test_compositions import CONFIG, library

QUICK: dict[str, Any] = {"wait_exponential_jitter": False}


def refuse(value: Any) -> Any:
    raise RuntimeError(f"refused {value}")


async def arefuse(value: Any) -> Any:
    raise RuntimeError(f"refused {value}")


def letters(chunks: Any) -> Any:
    for chunk in chunks:
        yield from chunk


async def aletters(chunks: Any) -> Any:
    async for chunk in chunks:
        for letter in chunk:
            yield letter


def dotted(chunks: Any) -> Any:
    for chunk in chunks:
        yield f"{chunk}."


async def adotted(chunks: Any) -> Any:
    async for chunk in chunks:
        yield f"{chunk}."


def upper(lc: Any) -> Any:
    return lc.RunnableLambda(str.upper)


def bad(lc: Any) -> Any:
    return lc.RunnableLambda(refuse, arefuse)


def chain(lc: Any) -> Any:
    return lc.prompt("{x}") | lc.model | lc.parser()


SHAPES: dict[str, Callable[[Any], Any]] = {
    "retry": lambda lc: upper(lc).with_retry(),
    "retry of a model": lambda lc: lc.model.with_retry(),
    "retry of a chain": lambda lc: {"x": lc.RunnablePassthrough()} | chain(lc).with_retry(),
    "retry in a chain": lambda lc: {"x": str} | lc.prompt("{x}") | lc.model.with_retry() | lc.parser(),
    "retry of a binding": lambda lc: upper(lc).with_config(tags=["b"]).with_retry(),
    "binding of a retry": lambda lc: upper(lc).with_retry().with_config(run_name="r", tags=["b"], metadata={"m": 2}),
    "fallbacks": lambda lc: bad(lc).with_fallbacks([upper(lc)]),
    "fallbacks not needed": lambda lc: upper(lc).with_fallbacks([bad(lc)]),
    "fallbacks that fail": lambda lc: bad(lc).with_fallbacks([bad(lc)]),
    "fallbacks of a model": lambda lc: bad(lc).with_fallbacks([lc.model]) | lc.parser(),
    "a model with fallbacks": lambda lc: lc.model.with_fallbacks([bad(lc)]) | lc.parser(),
    "a chain with fallbacks": lambda lc: {"x": str} | chain(lc).with_fallbacks([chain(lc)]),
    "fallbacks of chains": lambda lc: (upper(lc) | bad(lc)).with_fallbacks([upper(lc) | upper(lc)]),
    "fallbacks of fallbacks": lambda lc: bad(lc).with_fallbacks([bad(lc).with_fallbacks([upper(lc)]), upper(lc)]),
    "fallbacks at the start": lambda lc: bad(lc).with_fallbacks([upper(lc)]) | upper(lc),
    "fallbacks in a dict": lambda lc: lc.RunnableParallel(a=bad(lc).with_fallbacks([upper(lc)])),
    "fallbacks of dicts": lambda lc: lc.RunnableParallel(a=bad(lc)).with_fallbacks([lc.RunnableParallel(a=upper(lc))]),
    "fallbacks in a branch": lambda lc: lc.RunnableBranch((bool, bad(lc).with_fallbacks([upper(lc)])), upper(lc)),
    "fallbacks of a generator": lambda lc: bad(lc).with_fallbacks([lc.RunnableGenerator(letters, aletters)]),
    "fallbacks with a configuration": lambda lc: bad(lc).with_fallbacks([upper(lc)]).with_config(tags=["f"]),
    "fallbacks of bindings": lambda lc: (
        bad(lc).with_config(tags=["1"]).with_fallbacks([upper(lc).with_config(tags=["2"])])
    ),
    "binding": lambda lc: upper(lc).with_config(tags=["b"], metadata={"m": 2}, run_name="b"),
    "binding of a binding": lambda lc: upper(lc).with_config(tags=["b"]).with_config(tags=["c"], metadata={"m": 2}),
    "bound arguments": lambda lc: lc.RunnableLambda(lambda text, end="": text + end).bind(end="!"),
    "types": lambda lc: upper(lc).with_types(input_type=str),
}
WAYS: dict[str, Callable[[Any, Any], Any]] = {
    "invoke": lambda step, config: step.invoke("hey", config),
    "ainvoke": lambda step, config: asyncio.run(step.ainvoke("hey", config)),
    "stream": lambda step, config: list(step.stream("hey", config)),
    "astream": lambda step, config: asyncio.run(aread(step.astream("hey", config))),
    "batch": lambda step, config: step.batch(["hey"], config),
    "abatch": lambda step, config: asyncio.run(step.abatch(["hey"], config)),
}
# Here fallbacks stream while their input comes.
STREAMING = ["a chain with fallbacks"]


def outcome(step: Any, way: str, config: Any) -> Any:
    try:
        return WAYS[way](step, config)
    except RuntimeError as error:
        return repr(error)


def calls_of(make: Any, way: str, place: int) -> Any:
    log: list[Any] = []
    kind = ahandlers if way.startswith("a") else handlers
    config = {**CONFIG, "callbacks": [kind(log, run_inline=True)[place]]}
    return outcome(make(library(place)), way, config), comparable_calls(log)


@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize("name", SHAPES)
def test_outputs_and_callbacks_are_langchains(name: str, way: str) -> None:
    expected, found = (calls_of(SHAPES[name], way, place) for place in (0, 1))
    if name in STREAMING and "stream" in way:
        found, expected = found[:1], expected[:1]
    assert found == expected


@versions
@pytest.mark.parametrize("config", [None, CONFIG], ids=["plain", "configured"])
@pytest.mark.parametrize("name", [name for name in SHAPES if name not in STREAMING])
def test_events_are_langchains(name: str, config: Any, version: str) -> None:
    with allow_v1():
        expected = events_of(SHAPES[name](library(0)).astream_events("hey", config, version=version))
    assert events_of(SHAPES[name](library(1)).astream_events("hey", config, version=version)) == expected


# Any tree of them.

LEAVES: dict[str, Callable[[Any], Any]] = {
    "function": lambda lc: lc.RunnableLambda(lambda value: f"<{value}>"),
    "failure": bad,
    "passthrough": lambda lc: lc.RunnablePassthrough(),
    "generator": lambda lc: lc.RunnableGenerator(dotted, adotted),
}
Tree = tuple[Any, ...]
trees = st.recursive(
    st.sampled_from(sorted(LEAVES)).map(lambda name: (name,)),
    lambda inner: st.one_of(
        st.tuples(st.just("retry"), inner),
        st.tuples(st.just("bind"), inner),
        st.tuples(st.just("fallbacks"), inner, inner),
        st.tuples(st.just("sequence"), inner, inner),
        st.tuples(st.just("dict"), inner),
    ),
    max_leaves=8,
)


def build(tree: Tree, lc: Any) -> Any:
    kind, *parts = tree
    if kind in LEAVES:
        return LEAVES[kind](lc)
    first, *others = (build(part, lc) for part in parts)
    return {
        "retry": lambda: first.with_retry(stop_after_attempt=2, **QUICK),
        "bind": lambda: first.with_config(tags=["b"]),
        "fallbacks": lambda: first.with_fallbacks(others),
        "sequence": lambda: first | others[0],
        "dict": lambda: lc.RunnableParallel(a=first),
    }[kind]()


@settings(max_examples=150, deadline=None)
@given(tree=trees, way=st.sampled_from(["invoke", "batch"]))
def test_any_tree_calls_what_langchain_s_does(tree: Tree, way: str) -> None:
    expected, found = (calls_of(lambda lc: build(tree, lc), way, place) for place in (0, 1))
    assert found == expected


@settings(max_examples=150, deadline=None)
@given(tree=trees, way=st.sampled_from(["ainvoke", "stream", "astream"]))
def test_any_tree_has_langchain_s_output(tree: Tree, way: str) -> None:
    theirs, ours = (outcome(build(tree, library(place)), way, {}) for place in (0, 1))
    assert ours == theirs


def fails_again(tree: Tree) -> bool:
    """Return whether a step that may fail is retried: its stream has several attempts here, and one in LangChain."""
    kind, *parts = tree
    return (kind == "retry" and "failure" in str(parts)) or any(map(fails_again, parts if kind not in LEAVES else ()))


@versions
@settings(max_examples=100, deadline=None)
@given(tree=trees.filter(lambda tree: "passthrough" not in str(tree) and "generator" not in str(tree)))
def test_any_tree_of_steps_that_wait_for_their_input_has_langchain_s_events(version: str, tree: Tree) -> None:
    assume(not fails_again(tree))
    with allow_v1():
        expected = events_of(build(tree, library(0)).astream_events("hey", version=version))
    assert events_of(build(tree, library(1)).astream_events("hey", version=version)) == expected

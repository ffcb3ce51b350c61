"""Random compositions beside LangChain's: the calls of handlers, and events."""

import asyncio
import re
from collections.abc import Callable
from contextlib import suppress
from typing import Any

from hypothesis import assume, given
from hypothesis import strategies as st

from chains import events_of
from endings import aread
from langchain_peer import allow_v1
from recording import ahandlers, comparable_calls, handlers
from run_ends import has_ended
from test_compositions import by_run, in_order
from trees import AT_ONCE, CONFIG, ONE_ID, Tree, build, cases, inputs, parts, shown, trees

WAYS: dict[str, Callable[[Any, Any, Any], Any]] = {
    "invoke": lambda step, value, config: step.invoke(value, config),
    "ainvoke": lambda step, value, config: asyncio.run(step.ainvoke(value, config)),
    "stream": lambda step, value, config: list(step.stream(value, config)),
    "astream": lambda step, value, config: asyncio.run(aread(step.astream(value, config))),
}


UNORDERED = {*AT_ONCE, "each"}
ATTEMPTS = {"retry", "fallback"}
BOUND = {"tagged", "renamed", "bound", "retry"}
CHOOSING = {"branch", "two branches", "fallback"}


def misplaces(tree: Tree) -> bool:
    """Return whether LangChain reports other parents or outputs in ``tree`` than in other compositions.

    A bound configuration hides the parent of a branch, a fallback or an element. The output of a branch whose chunks
    have no sum is ``None``.
    """
    name, *steps = tree
    below = [step for step in steps if isinstance(step, tuple)]
    if (name == "each" and parts(below[0]) & BOUND) or (name in CHOOSING and {step[0] for step in below} & BOUND):
        return True
    if "branch" in name and "json in pieces" in parts(tree):
        return True
    return any(map(misplaces, below))


def calls_of(tree: Tree, place: int, way: str, value: Any) -> list[Any]:
    """Return the calls of a handler."""
    log: list[Any] = []
    kind = ahandlers if way.startswith("a") else handlers
    config = {**CONFIG, "callbacks": [kind(log, run_inline=True)[place]]}
    try:
        WAYS[way](build(tree, place), value, config)
    except Exception as error:
        shown(error)
    return log


@given(case=cases(without=UNORDERED), way=st.sampled_from([*WAYS]))
def test_callbacks_are_langchains(case: Any, way: str) -> None:
    tree, kind = case
    assume(not misplaces(tree))
    assume("invoke" in way or not ATTEMPTS & parts(tree))
    assume(way.startswith("a") or "async shout" not in parts(tree))
    expected, found = (comparable_calls(calls_of(tree, place, way, inputs[kind][0])) for place in (0, 1))
    if "stream" in way and any(event.endswith("error") for _, event, _, _ in expected):
        # The input of a step that fails is whole here, in LangChain what the step has read.
        expected, found = (
            [(event, dict(kwargs)["run_id"]) for _, event, _, kwargs in calls] for calls in (expected, found)
        )
    assert found == expected


@given(case=cases(at_once=True), way=st.sampled_from([*WAYS]))
def test_callbacks_of_runs_at_once_are_langchains_run_by_run(case: Any, way: str) -> None:
    tree, kind = case
    assume(not misplaces(tree))
    assume("invoke" in way or not ATTEMPTS & parts(tree))
    expected, found = (calls_by_run(calls_of(tree, place, way, inputs[kind][0])) for place in (0, 1))
    assume("error" not in repr(expected))
    assert found == expected


def calls_by_run(log: list[Any]) -> list[Any]:
    """Return the calls for each run, in an order that does not depend on that of the runs."""
    runs: dict[Any, list[Any]] = {}
    for _, event, args, kwargs in log:
        run_id, parent = kwargs.pop("run_id"), kwargs.pop("parent_run_id")
        _, _, *plain = comparable_calls([("", event, args, kwargs)])[0]
        runs.setdefault(run_id, [parent and runs[parent][1][:2]]).append((event, repr(in_order(plain))))
    return sorted(map(repr, runs.values()))


def names(events: tuple[list[Any], str]) -> Any:
    """Return the types and names of events, and what ended them."""
    return [(event["event"], event["name"]) for event in map(dict, events[0])], events[1]


@given(case=cases(without={*UNORDERED, *ATTEMPTS}), version=st.sampled_from(["v1", "v2"]))
def test_events_are_langchains(case: Any, version: str) -> None:
    tree, kind = case
    assume(not misplaces(tree))
    with allow_v1():
        expected, found = (
            events_of(build(tree, place).astream_events(inputs[kind][0], CONFIG, version=version)) for place in (0, 1)
        )
    if expected[1]:
        # The input of a step that fails is whole here, in LangChain what the step has read.
        expected, found = names(expected), names(found)
    assert found == expected


@given(case=cases(without=ATTEMPTS, at_once=True), version=st.sampled_from(["v1", "v2"]))
def test_events_of_runs_at_once_are_langchains_run_by_run(case: Any, version: str) -> None:
    tree, kind = case
    assume(not misplaces(tree))
    with allow_v1():
        expected, found = (
            events_of(build(tree, place).astream_events(inputs[kind][0], CONFIG, version=version)) for place in (0, 1)
        )
    if expected[1]:
        assert found[1]
        return
    # The ids of messages have the numbers of their runs.
    runs = [re.sub('"id": "run [0-9]+"', "", repr(by_run(events))) for events, _ in (expected, found)]
    assert runs[1] == runs[0]


@st.composite
def cases_of_one_id(draw: Any) -> Any:
    """Return a tree in which many runs have one id, and the kind of its input."""
    (first, kind), other = draw(cases(without=ATTEMPTS)), draw(trees("text", "text", 3, frozenset(ATTEMPTS)))
    nested = ("one id", ("chain", ("one id", other), ("one id", ("tagged", other))))
    return (("chain", ("one id", first), ("branch", ("passthrough",), ("passthrough",)), ("one", nested)), kind)


@given(case=cases_of_one_id(), version=st.sampled_from(["v1", "v2"]))
def test_one_run_id_for_many_runs_is_no_loop(case: Any, version: str) -> None:
    tree, kind = case
    value = inputs[kind][0]
    config: Any = {"run_id": ONE_ID}
    try:
        expected: Any = asyncio.run(build(tree, 1).ainvoke(value))
    except Exception as error:
        expected = type(error)
    events, ended = events_of(build(tree, 1).astream_events(value, config, version=version))
    assert bool(ended) == isinstance(expected, type)
    assert all(len(set(ids)) == len(ids) for ids in (dict(event)["parent_ids"] for event in events))
    for way in ("ainvoke", "astream"):
        calls: list[Any] = []
        with suppress(Exception):
            WAYS[way](build(tree, 1), value, {**config, "callbacks": [ahandlers(calls)[1]]})
        assert has_ended(calls)

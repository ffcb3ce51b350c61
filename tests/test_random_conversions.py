"""Random compositions of which random parts are of the other library, converted: they do what the whole one does."""

import asyncio
from collections.abc import Iterator
from itertools import chain, repeat
from typing import Any

from hypothesis import assume, given
from hypothesis import strategies as st

from millstream.integrations.langchain import from_langchain, to_langchain
from recording import ahandlers, comparable_calls, handlers
from test_random_compositions import CALLS, STREAMS, any_error, by_key, outcome
from test_random_events import ATTEMPTS, UNORDERED, WAYS, misplaces
from trees import AT_ONCE, CONFIG, PARTS, Tree, build, cases, inputs, library, parts, shown

switches = st.lists(st.booleans(), min_size=1, max_size=12)
"""Which parts are of the other library, in the order in which they are met."""

# Around them or inside them, their own library leaves out runs: of a sequence in a sequence, and of a binding that
# retries. A part that is converted stays whole.
MERGING = frozenset(
    {
        *("chain", "named chain", "json", "json in pieces", "chat", "prompt", "prompt of two", "ask", "route", "each"),
        *("tagged", "renamed", "bound"),
    }
)


def mixed(tree: Tree, place: int, others: Iterator[bool], whole: frozenset[str] = frozenset()) -> Any:
    """Return the Runnable of one library for ``tree``, with parts of the other one, but for those in ``whole``."""
    name, *arguments = tree
    inner = 1 - place if next(others) and name not in whole else place
    made = [mixed(each, inner, others, whole) if isinstance(each, tuple) else each for each in arguments]
    runnable = PARTS[name](library(inner), *made)
    if inner == place:
        return runnable
    return from_langchain(runnable) if place else to_langchain(runnable)


def order(choices: list[bool]) -> Iterator[bool]:
    return chain(choices, repeat(False))


def read(step: Any, way: str, value: Any, place: int) -> tuple[list[Any], Any]:
    """Return the chunks of a stream, and the exception that ended it, as they are compared."""
    items: list[Any] = []

    async def aread(stream: Any) -> None:
        async for item in stream:
            items.append(item)  # noqa: PERF401

    try:
        stream = STREAMS[way](step, value, place)
        if way.startswith("a"):
            asyncio.run(aread(stream))
        else:
            items.extend(stream)
    except Exception as error:
        return items, shown(error)
    return items, None


@given(case=cases(), way=st.sampled_from([*CALLS]), place=st.integers(0, 1), choices=switches)
def test_outputs_are_those_of_the_whole(case: Any, way: str, place: int, choices: list[bool]) -> None:
    tree, kind = case
    # LangChain's batches of retries return the outputs of other inputs.
    assume("batch" not in way or "retry" not in parts(tree))
    expected = outcome(CALLS[way], build(tree, place), inputs[kind])
    found = outcome(CALLS[way], mixed(tree, place, order(choices)), inputs[kind])
    if AT_ONCE & parts(tree):
        expected, found = any_error(expected), any_error(found)
    assert found == expected


@given(case=cases(), way=st.sampled_from([*STREAMS]), place=st.integers(0, 1), choices=switches)
def test_chunks_are_those_of_the_whole(case: Any, way: str, place: int, choices: list[bool]) -> None:
    tree, kind = case
    assume(not {"flaky", "fallback"} & parts(tree))
    assume(way.startswith("a") or "async shout" not in parts(tree))
    value = inputs[kind][0]
    expected, found = (
        read(step, way, value, place) for step in (build(tree, place), mixed(tree, place, order(choices)))
    )
    assert (found[1] is None) == (expected[1] is None)
    if expected[1] is None:
        at_once = bool(AT_ONCE & parts(tree))
        assert (by_key(found[0]) if at_once else found[0]) == (by_key(expected[0]) if at_once else expected[0])
    elif not AT_ONCE & parts(tree):
        assert found[1] == expected[1]


@given(case=cases(without=UNORDERED), way=st.sampled_from([*WAYS]), place=st.integers(0, 1), choices=switches)
def test_callbacks_are_those_of_the_whole(case: Any, way: str, place: int, choices: list[bool]) -> None:
    tree, kind = case
    assume(not misplaces(tree))
    assume("invoke" in way or not ATTEMPTS & parts(tree))
    assume(way.startswith("a") or "async shout" not in parts(tree))
    logs = []
    for step in (build(tree, place), mixed(tree, place, order(choices), MERGING)):
        log: list[Any] = []
        make = ahandlers if way.startswith("a") else handlers
        config = {**CONFIG, "callbacks": [make(log, run_inline=True)[place]]}
        try:
            WAYS[way](step, inputs[kind][0], config)
        except Exception as error:
            shown(error)
        logs.append(comparable_calls(log))
    expected, found = logs
    if "stream" in way and any(event.endswith("error") for _, event, _, _ in expected):
        expected, found = (
            [(event, dict(kwargs)["run_id"]) for _, event, _, kwargs in calls] for calls in (expected, found)
        )
    assert found == expected

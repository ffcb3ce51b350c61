"""Random compositions beside LangChain's: outputs, chunks and exceptions."""

import asyncio
from collections.abc import Callable
from typing import Any

from hypothesis import assume, given
from hypothesis import strategies as st

from endings import read_all
from millstream.runnables import add
from trees import AT_ONCE, CONFIG, Tree, build, cases, inputs, library, parts, shown


async def _aiter(items: Any) -> Any:
    for item in items:
        yield item


def pieces(value: Any, place: int) -> list[Any]:
    """Return the chunks of an input."""
    dicts = library(place).AddableDict
    return [dicts(x=letter) for letter in value["x"]] if isinstance(value, dict) else [*value]


CALLS: dict[str, Callable[[Any, Any], Any]] = {
    "invoke": lambda step, values: step.invoke(values[0], CONFIG),
    "ainvoke": lambda step, values: asyncio.run(step.ainvoke(values[0], CONFIG)),
    "batch": lambda step, values: step.batch(values, CONFIG),
    "abatch": lambda step, values: asyncio.run(step.abatch(values, CONFIG)),
    "batch, exceptions": lambda step, values: step.batch(values, CONFIG, return_exceptions=True),
    "abatch, exceptions": lambda step, values: asyncio.run(step.abatch(values, CONFIG, return_exceptions=True)),
}
STREAMS: dict[str, Callable[[Any, Any, int], Any]] = {
    "stream": lambda step, value, place: step.stream(value, CONFIG),
    "astream": lambda step, value, place: step.astream(value, CONFIG),
    "transform": lambda step, value, place: step.transform(iter(pieces(value, place)), CONFIG),
    "atransform": lambda step, value, place: step.atransform(_aiter(pieces(value, place)), CONFIG),
}


def outcome(call: Callable[[Any, Any], Any], step: Any, values: Any) -> Any:
    try:
        return shown(call(step, values))
    except Exception as error:
        return shown(error)


def any_error(outcome: Any) -> Any:
    """Return ``outcome`` of :func:`shown` without the exceptions in it."""
    if isinstance(outcome, list):
        return [any_error(each) for each in outcome]
    return "error" if isinstance(outcome, tuple) else outcome


@given(case=cases(), way=st.sampled_from([*CALLS]))
def test_outputs_are_langchains(case: Any, way: str) -> None:
    tree, kind = case
    # LangChain's batches of retries return the outputs of other inputs.
    assume("batch" not in way or "retry" not in parts(tree))
    expected, found = (outcome(CALLS[way], build(tree, place), inputs[kind]) for place in (0, 1))
    if AT_ONCE & parts(tree):
        # Which of the branches fails first is not determined.
        expected, found = any_error(expected), any_error(found)
    assert found == expected


@given(case=cases(), way=st.sampled_from([*STREAMS]))
def test_chunks_are_langchains(case: Any, way: str) -> None:
    tree, kind = case
    assume("flaky" not in parts(tree))
    # A fallback of LangChain's waits for its whole input, and a branch that fails may be late.
    assume("fallback" not in parts(tree) or not ({*AT_ONCE, "json in pieces"} & parts(tree)))
    expected, found = (streamed(tree, place, way, inputs[kind][0]) for place in (0, 1))
    assert found == expected


@given(case=cases(), way=st.sampled_from([*STREAMS]))
def test_retries_and_fallbacks_stream_what_invoke_returns(case: Any, way: str) -> None:
    tree, kind = case
    # The sum of JSON that streams is none.
    assume("retry" in parts(tree) and not ({*AT_ONCE, "json in pieces"} & parts(tree)))
    assume(way.startswith("a") or "async shout" not in parts(tree))
    call = CALLS["ainvoke" if way.startswith("a") else "invoke"]
    expected = outcome(call, build(tree, 1), inputs[kind])
    chunks, error = read(tree, 1, way, inputs[kind][0])
    assert (total(chunks) if error is None else shown(error)) == expected


def read(tree: Tree, place: int, way: str, value: Any) -> tuple[list[Any], Exception | None]:
    try:
        return read_all(STREAMS[way](build(tree, place), value, place))
    except TypeError as error:
        # The stream of a coroutine function for sync code: a call raises that here, the first step in LangChain.
        return [], error


def streamed(tree: Tree, place: int, way: str, value: Any) -> Any:
    """Return the chunks of a stream, and its exception, without what differs from run to run."""
    chunks, error = read(tree, place, way, value)
    if AT_ONCE & parts(tree) and error is not None:
        return "error"
    if "fallback" in parts(tree):
        return total(chunks), shown(error)
    return (by_key(chunks) if AT_ONCE & parts(tree) else chunks), shown(error)


def by_key(chunks: list[Any]) -> Any:
    """Return the chunks under each key, since branches at once have no common order."""
    if not all(isinstance(chunk, dict) for chunk in chunks):
        return chunks
    keys = {key for chunk in chunks for key in chunk}
    return {key: [chunk[key] for chunk in chunks if key in chunk] for key in keys}


def total(chunks: list[Any]) -> Any:
    """Return the sum of the chunks, or the last one where they have none."""
    try:
        return add(chunks)
    except TypeError:
        return chunks[-1]

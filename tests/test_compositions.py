"""Compositions beside LangChain's: outputs, callbacks and events of dicts, branches, picks, assigns, generators."""

import asyncio
import re
from collections.abc import Callable
from operator import itemgetter
from types import SimpleNamespace
from typing import Any
from uuid import UUID

import langchain_core.runnables as theirs
import pytest
from langchain_core.output_parsers import StrOutputParser as TheirStr
from langchain_core.prompts import PromptTemplate as TheirPrompt
from langchain_core.runnables.base import RunnableEach as TheirEach

import millstream.runnables as ours
from chains import events_of
from endings import aread, read_all
from langchain_peer import allow_v1
from marks import versions
from millstream.output_parsers import StrOutputParser
from millstream.prompts import PromptTemplate
from millstream.runnables.base import RunnableEach
from recording import AstreamBody, ahandlers, comparable_calls, handlers, make_models

CONFIG: Any = {"tags": ["t"], "metadata": {"k": 1}, "run_name": "named", "run_id": UUID(int=7)}
MODELS = make_models(AstreamBody)


def letters(chunks: Any) -> Any:
    for chunk in chunks:
        yield from chunk["x"]


async def aletters(chunks: Any) -> Any:
    async for chunk in chunks:
        for letter in chunk["x"]:
            yield letter


def double(number: Any) -> Any:
    return 2 * number if isinstance(number, int) else "double"


def refuse(value: Any) -> Any:
    raise RuntimeError("refused")


def library(place: int) -> Any:
    """Return LangChain's names, or ours."""
    module = (theirs, ours)[place]
    return SimpleNamespace(
        **{name: getattr(module, name) for name in theirs.__all__ if hasattr(ours, name)},
        each=(TheirEach, RunnableEach)[place],
        prompt=(TheirPrompt, PromptTemplate)[place].from_template,
        parser=(TheirStr, StrOutputParser)[place],
        model=MODELS[place],
    )


# Those with one child run at a time: callbacks and events have one order.
IN_ORDER: dict[str, Callable[[Any], Any]] = {
    "passthrough": lambda lc: lc.RunnablePassthrough(),
    "pick": lambda lc: lc.RunnablePick("x"),
    "pick keys": lambda lc: lc.RunnablePick(["x", "none"]),
    "pick nothing": lambda lc: lc.RunnablePick(["none"]),
    "parallel of one": lambda lc: lc.RunnableParallel(a=itemgetter("x")),
    "nested parallel of one": lambda lc: lc.RunnableParallel(a={"b": lc.RunnablePick("x")}),
    "named parallel": lambda lc: lc.RunnableParallel(a=itemgetter("x")).with_config(run_name="p", tags=["p"]),
    "assign": lambda lc: lc.RunnablePassthrough.assign(y=lambda value: value["x"]),
    "assign over a key": lambda lc: lc.RunnablePassthrough.assign(x=lambda value: value["x"] + "!"),
    "assign picked": lambda lc: lc.RunnablePassthrough.assign(y=lc.RunnablePick("x")),
    "assign in a chain": lambda lc: lc.RunnablePassthrough() | lc.RunnablePassthrough.assign(y=itemgetter("x")),
    "pick method": lambda lc: lc.RunnableLambda(lambda value: {"a": value["x"], "b": 1}).pick("a"),
    "assign method": lambda lc: lc.RunnableLambda(lambda value: {"a": value["x"]}).assign(b=itemgetter("a")),
    "branch": lambda lc: lc.RunnableBranch(
        (lambda value: value["x"] == "", lambda value: "empty"), (lambda value: True, itemgetter("x")), refuse
    ),
    "default branch": lambda lc: lc.RunnableBranch((lambda value: False, refuse), {"a": itemgetter("x")}),
    "branch in a chain": lambda lc: (
        lc.RunnablePassthrough() | lc.RunnableBranch((lambda value: False, refuse), itemgetter("x"))
    ),
    "failing branch": lambda lc: lc.RunnableBranch((lambda value: True, refuse), itemgetter("x")),
    "failing condition": lambda lc: lc.RunnableBranch((refuse, refuse), itemgetter("x")),
    "failing assign": lambda lc: lc.RunnablePassthrough() | lc.RunnablePassthrough.assign(y=refuse),
    "failing parallel": lambda lc: lc.RunnableParallel(a=refuse),
    "generator": lambda lc: lc.RunnableGenerator(letters, aletters),
    "generators in a chain": lambda lc: lc.RunnableGenerator(letters, aletters) | lc.RunnableLambda(str.upper),
    "chain": lambda lc: {"x": itemgetter("x")} | lc.prompt("<{x}>") | lc.model | lc.parser(),
    "chain from a pick": lambda lc: {"x": lc.RunnablePick("x")} | lc.prompt("<{x}>") | lc.model | lc.parser(),
    "chain into a dict": lambda lc: lc.prompt("<{x}>") | lc.model | {"text": lc.parser()},
    "chain into assign": lambda lc: (
        lc.prompt("<{x}>") | lc.model | {"text": lc.parser()} | lc.RunnablePassthrough.assign(n=lambda value: "n")
    ),
    "chain through a branch": lambda lc: (
        lc.RunnableBranch((itemgetter("x"), lc.prompt("<{x}>")), lc.prompt("none")) | lc.model | lc.parser()
    ),
    "function of a chain": lambda lc: lc.RunnableLambda(lambda value: {"a": itemgetter("x")} | lc.RunnablePick("a")),
}
# The mapper of an assign runs beside its input in a stream.
ASSIGNS = [name for name in IN_ORDER if "assign" in name]
# Those whose children run at the same time.
AT_ONCE: dict[str, Callable[[Any], Any]] = {
    "parallel": lambda lc: lc.RunnableParallel(a=itemgetter("x"), b=lc.RunnablePassthrough(), c=lambda value: "c"),
    "parallel of our own": lambda lc: lc.RunnableParallel(a=lc.RunnablePick("x"), b=lc.RunnablePassthrough()),
    "failing parallel": lambda lc: lc.RunnableParallel(a=refuse, b=lc.RunnablePassthrough()),
    "nested parallel": lambda lc: lc.RunnableParallel(
        a={"b": itemgetter("x"), "c": lambda value: 1}, d=itemgetter("x")
    ),
    "assign two": lambda lc: lc.RunnablePassthrough.assign(y=itemgetter("x"), z=lambda value: "z"),
    "chain": lambda lc: (
        {"x": itemgetter("x"), "q": lc.RunnablePassthrough()} | lc.prompt("<{x}>") | lc.model | lc.parser()
    ),
    "chain into a dict": lambda lc: (
        lc.prompt("<{x}>") | lc.model | {"text": lc.parser(), "raw": lc.RunnablePassthrough(), "f": lambda text: text}
    ),
    "two models": lambda lc: (
        {"x": itemgetter("x")} | lc.RunnableParallel(a=lc.prompt("<{x}>") | lc.model, b=lc.prompt("({x})") | lc.model)
    ),
}
WAYS: dict[str, Callable[[Any, Any], Any]] = {
    "invoke": lambda step, config: step.invoke({"x": "hey"}, config),
    "ainvoke": lambda step, config: asyncio.run(step.ainvoke({"x": "hey"}, config)),
    "stream": lambda step, config: list(step.stream({"x": "hey"}, config)),
    "astream": lambda step, config: asyncio.run(aread(step.astream({"x": "hey"}, config))),
    "transform": lambda step, config: list(step.transform(iter([{"x": "h"}]), config)),
    "batch": lambda step, config: step.batch([{"x": "hey"}], config),
    "abatch": lambda step, config: asyncio.run(step.abatch([{"x": "hey"}, {"x": "ho"}], config)),
}


def outcome(way: str, step: Any, config: Any) -> Any:
    try:
        return WAYS[way](step, config)
    except RuntimeError as error:
        return repr(error)


@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize("name", IN_ORDER)
def test_outputs_and_callbacks_are_langchains(name: str, way: str) -> None:
    found = []
    for place in (0, 1):
        log: list[Any] = []
        kind = ahandlers if way.startswith("a") else handlers
        config = {**CONFIG, "callbacks": [kind(log, run_inline=True)[place]]}
        if way == "abatch":
            config.pop("run_id")
        found.append((outcome(way, IN_ORDER[name](library(place)), config), comparable_calls(log)))
    assert found[1][0] == found[0][0]
    if way == "abatch" or (name in ASSIGNS and way in ("stream", "astream", "transform")):
        found = [(outputs, sorted((event, info["name"]) for event, info in starts(calls))) for outputs, calls in found]
    assert found[1] == found[0]


def starts(calls: list[Any]) -> list[Any]:
    """Return the events of recorded calls that start a run, with their arguments."""
    return [(event, dict(info)) for _, event, _, info in calls if event.endswith("start")]


@versions
@pytest.mark.parametrize("config", [None, CONFIG], ids=["plain", "configured"])
@pytest.mark.parametrize("name", [name for name in IN_ORDER if name not in ASSIGNS])
def test_events_are_langchains(name: str, config: Any, version: str) -> None:
    with allow_v1():
        expected = events_of(IN_ORDER[name](library(0)).astream_events({"x": "hey"}, config, version=version))
    assert events_of(IN_ORDER[name](library(1)).astream_events({"x": "hey"}, config, version=version)) == expected
    assert expected[0]


def by_run(events: list[Any]) -> list[Any]:
    """Return the events of each run, in an order that does not depend on that of the runs."""
    runs: dict[Any, list[Any]] = {}
    for event in events:
        plain = dict(event)
        run_id = plain.pop("run_id")
        plain["parent_ids"] = len(plain["parent_ids"])
        # The number of a run is in the ids of its messages too.
        runs.setdefault(run_id, []).append(re.sub(r"run \d+", "run", repr(in_order(plain))))
    return sorted(sorted(events) for events in runs.values())


def in_order(value: Any) -> Any:
    """Return ``value`` with the keys of its dicts, which are lists of pairs, in order."""
    if isinstance(value, dict):
        return in_order(list(value.items()))
    if isinstance(value, list):
        return sorted((in_order(one) for one in value), key=repr)
    return tuple(map(in_order, value)) if isinstance(value, tuple) else value


@pytest.mark.parametrize("way", ["invoke", "ainvoke", "stream", "astream"])
@pytest.mark.parametrize("name", AT_ONCE)
def test_outputs_of_steps_at_once_are_langchains(name: str, way: str) -> None:
    found = []
    for place in (0, 1):
        log: list[Any] = []
        kind = ahandlers if way.startswith("a") else handlers
        config = {**CONFIG, "callbacks": [kind(log, run_inline=True)[place]]}
        chunks = outcome(way, AT_ONCE[name](library(place)), config)
        if isinstance(chunks, list) and not name.startswith("failing"):
            chunks = library(place).add(chunks)
        calls = sorted((event, kwargs.get("name", ""), sorted(kwargs["tags"])) for _, event, _, kwargs in log)
        found.append((chunks, [] if name.startswith("failing") else calls))
    assert found[1] == found[0]


@pytest.mark.parametrize("name", [*(name for name in AT_ONCE if not name.startswith("failing")), *ASSIGNS])
def test_events_of_steps_at_once_are_langchains_run_by_run(name: str) -> None:
    def events(place: int) -> Any:
        step = {**IN_ORDER, **AT_ONCE}[name](library(place))
        return events_of(step.astream_events({"x": "hey"}, CONFIG, version="v2"))

    (expected, error), (found, our_error) = events(0), events(1)
    assert our_error == error
    root = [event for event in expected if dict(event)["parent_ids"] == []]
    assert len([event for event in found if dict(event)["parent_ids"] == []]) == len(root)
    assert by_run(found) == by_run(expected)


def test_elements_are_batched() -> None:
    for place in (0, 1):
        lc = library(place)
        step = lc.RunnableLambda(double).map()
        assert type(step) is lc.each
        assert step.invoke([1, 2, 3]) == [2, 4, 6] == asyncio.run(step.ainvoke([1, 2, 3]))
        assert step.get_name() == "RunnableEach<double>"
        assert step.with_config(tags=["a"]).bind(b=1).get_name() == "RunnableEach<double>"
        items, error = read_all(step.astream_events([1], version="v2"))
        assert (items, repr(error)) == (
            [],
            "NotImplementedError('RunnableEach does not support astream_events yet.')",
        )


def test_the_router_calls_what_the_key_names() -> None:
    for place in (0, 1):
        lc = library(place)
        router = lc.RouterRunnable({"double": double, "text": lc.RunnableLambda(str)})
        assert router.invoke({"key": "double", "input": 2}) == 4
        assert asyncio.run(router.ainvoke({"key": "text", "input": 2})) == "2"
        assert list(router.stream({"key": "text", "input": 2})) == ["2"]
        assert asyncio.run(aread(router.astream({"key": "text", "input": 2}))) == ["2"]
        inputs: Any = [{"key": "double", "input": 1}, {"key": "text", "input": 1}]
        assert router.batch(inputs) == [2, "1"] == asyncio.run(router.abatch(inputs))
        with pytest.raises(ValueError, match="No runnable associated with key 'none'"):
            router.invoke({"key": "none", "input": 1})
        with pytest.raises(ValueError, match="One or more keys do not have a corresponding runnable"):
            router.batch([{"key": "none", "input": 1}])


WRONG: dict[str, Callable[[Any], Any]] = {
    "one branch": lambda lc: lc.RunnableBranch((double, double)),
    "default": lambda lc: lc.RunnableBranch((double, double), 1),
    "no pair": lambda lc: lc.RunnableBranch(double, double),
    "three": lambda lc: lc.RunnableBranch((double, double, double), double),
    "no generator": lambda lc: lc.RunnableGenerator(double),
    "no step": lambda lc: lc.RunnableParallel(a=1),
    "in a chain": lambda lc: lc.RunnablePassthrough() | 1,
    "no dict for assign": lambda lc: lc.RunnablePassthrough.assign(a=double).invoke(1),
    "no dict for a stream of assign": lambda lc: list(lc.RunnablePassthrough.assign(a=double).stream(1)),
    "no dict for pick": lambda lc: lc.RunnablePick("a").invoke(1),
    "sync generator": lambda lc: asyncio.run(lc.RunnableGenerator(letters).ainvoke({"x": "a"})),
    "async generator": lambda lc: lc.RunnableGenerator(aletters).invoke({"x": "a"}),
}


@pytest.mark.parametrize("name", WRONG)
def test_what_is_wrong_raises_what_langchain_raises(name: str) -> None:
    found = []
    for place in (0, 1):
        with pytest.raises((TypeError, ValueError, NotImplementedError)) as raised:
            WRONG[name](library(place))
        # LangChain forgets a space between two sentences; ours may go on with what to write instead.
        found.append((raised.type, str(raised.value).replace(". Instead", ".Instead")))
    (their_type, their_text), (our_type, our_text) = found
    assert our_type is their_type
    assert our_text.startswith(their_text)

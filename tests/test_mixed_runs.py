"""Runs of both libraries inside each other: parents and children, events, managers, handlers of LangChain's blocks."""

import asyncio
import warnings
from collections.abc import Callable
from typing import Any

import pytest

with warnings.catch_warnings():
    warnings.simplefilter("ignore")
    from langchain_core.callbacks import AsyncCallbackManager as TheirAsyncManager
    from langchain_core.callbacks import CallbackManager as TheirManager
    from langchain_core.callbacks import dispatch_custom_event as their_dispatch
    from langchain_core.language_models import FakeListChatModel as TheirModel
    from langchain_core.output_parsers import StrOutputParser as TheirParser
    from langchain_core.prompts import ChatPromptTemplate as TheirPrompt
    from langchain_core.runnables import RunnableConfig
    from langchain_core.runnables import RunnableLambda as TheirLambda
    from langchain_core.tracers.context import collect_runs, register_configure_hook, tracing_v2_callback_var
    from langchain_core.tracers.run_collector import RunCollectorCallbackHandler

from contextvars import ContextVar

from millstream._context import var_child_runnable_config
from millstream.callbacks import AsyncCallbackManager, BaseCallbackHandler, CallbackManager, dispatch_custom_event
from millstream.callbacks.manager import trace_as_chain_group
from millstream.language_models import FakeListChatModel
from millstream.output_parsers import StrOutputParser
from millstream.prompts import ChatPromptTemplate
from millstream.runnables import RunnableLambda

OURS: Any = ChatPromptTemplate.from_template("{x}") | FakeListChatModel(responses=["ab"]) | StrOutputParser()
THEIRS: Any = TheirPrompt.from_template("{x}") | TheirModel(responses=["ab"]) | TheirParser()
CHAIN_RUNS = [
    ("chain", "RunnableSequence"),
    ("prompt", "ChatPromptTemplate"),
    ("llm", "FakeListChatModel"),
    ("parser", "StrOutputParser"),
]


def shape(run: Any) -> Any:
    return (run.run_type, run.name, [shape(child) for child in run.child_runs])


def chain_shape() -> Any:
    first, *steps = CHAIN_RUNS
    return (*first, [(*step, []) for step in steps])


def call_inner(inner: Any, how: str, passes_config: bool) -> Callable[..., Any]:
    """Return a function that calls ``inner``, with the configuration of its own run or without one."""

    async def acall(x: Any, config: RunnableConfig) -> Any:
        args = ({"x": x}, config) if passes_config else ({"x": x},)
        if how == "astream":
            return "".join([chunk async for chunk in inner.astream(*args)])
        return await inner.ainvoke(*args)

    def call(x: Any, config: RunnableConfig) -> Any:
        args = ({"x": x}, config) if passes_config else ({"x": x},)
        return "".join(inner.stream(*args)) if how == "stream" else inner.invoke(*args)

    return acall if how.startswith("a") else call


@pytest.mark.parametrize("passes_config", [False, True])
@pytest.mark.parametrize("how", ["invoke", "stream", "ainvoke", "astream"])
@pytest.mark.parametrize(("lambda_class", "inner"), [(TheirLambda, OURS), (RunnableLambda, THEIRS)])
def test_a_run_inside_a_run_of_the_other_library_is_its_child(
    lambda_class: Any, inner: Any, how: str, passes_config: bool
) -> None:
    tracer = RunCollectorCallbackHandler()
    step = lambda_class(call_inner(inner, how, passes_config)).with_config(run_name="outer")
    config: Any = {"callbacks": [tracer], "tags": ["t"]}
    result = asyncio.run(step.ainvoke("y", config)) if how.startswith("a") else step.invoke("y", config)
    assert result == "ab"
    assert list(map(shape, tracer.traced_runs)) == [("chain", "outer", [chain_shape()])]
    assert tracer.traced_runs[0].child_runs[0].tags == ["t"]
    assert var_child_runnable_config.get() is None


def test_runs_nest_however_often_the_library_changes() -> None:
    tracer = RunCollectorCallbackHandler()
    inner: Any = OURS
    for lambda_class in (TheirLambda, RunnableLambda, RunnableLambda, TheirLambda, RunnableLambda):
        inner = lambda_class(call_inner(inner, "invoke", False)).with_config(run_name="f")
    inner.invoke("y", {"callbacks": [tracer]})
    expected = chain_shape()
    for _ in range(5):
        expected = ("chain", "f", [expected])
    assert list(map(shape, tracer.traced_runs)) == [expected]


async def collect_events(step: Any) -> list[Any]:
    numbers: dict[str, int] = {}
    events = []
    async for event in step.astream_events("y", version="v2"):
        numbers.setdefault(event["run_id"], len(numbers))
        parents = [numbers[parent] for parent in event["parent_ids"]]
        events.append((event["event"], event["name"], numbers[event["run_id"]], parents, event["tags"]))
    return events


@pytest.mark.parametrize("passes_config", [False, True])
@pytest.mark.parametrize("how", ["invoke", "stream", "ainvoke", "astream"])
def test_the_events_of_mixed_runs_are_those_of_one_library(how: str, passes_config: bool) -> None:
    steps = [
        lambda_class(call_inner(inner, how, passes_config)).with_config(run_name="outer")
        for lambda_class, inner in (
            (TheirLambda, THEIRS),
            (TheirLambda, OURS),
            (RunnableLambda, THEIRS),
            (RunnableLambda, OURS),
        )
    ]
    theirs, *mixed = [asyncio.run(collect_events(step)) for step in steps]
    assert len(theirs) >= 13
    for events in mixed:
        assert events == theirs


def test_a_custom_event_is_sent_from_a_run_of_the_other_library() -> None:
    sent: list[Any] = []

    class Recording(BaseCallbackHandler):
        def on_custom_event(self, name: str, data: Any, **info: Any) -> None:
            sent.append((name, data, info["tags"]))

    config: Any = {"callbacks": [Recording()], "tags": ["t"]}
    steps: list[Any] = [
        TheirLambda(lambda x: dispatch_custom_event("ours", x)),
        RunnableLambda(lambda x: their_dispatch("theirs", x)),
    ]
    for number, step in enumerate(steps, 1):
        step.invoke(number, config)
    assert sent == [("ours", 1, ["t"]), ("theirs", 2, ["t"])]


# Managers.


@pytest.mark.parametrize("for_async", [False, True])
@pytest.mark.parametrize("manager_class", [TheirManager, TheirAsyncManager, CallbackManager, AsyncCallbackManager])
@pytest.mark.parametrize("chain", [OURS, THEIRS])
def test_a_manager_of_either_library_is_the_callbacks_of_a_chain(
    chain: Any, manager_class: Any, for_async: bool
) -> None:
    tracer = RunCollectorCallbackHandler()
    config: Any = {"callbacks": manager_class([tracer], [tracer])}
    asyncio.run(chain.ainvoke({"x": 1}, config)) if for_async else chain.invoke({"x": 1}, config)
    assert list(map(shape, tracer.traced_runs)) == [chain_shape()]


# Handlers of all runs in a block.


def test_a_block_of_langchains_collects_our_runs() -> None:
    with collect_runs() as collected:
        OURS.invoke({"x": 1})
        asyncio.run(OURS.ainvoke({"x": 2}))
        assert list(OURS.stream({"x": 3})) == ["a", "b"]
    OURS.invoke({"x": 4})
    assert list(map(shape, collected.traced_runs)) == [chain_shape()] * 3


def test_a_tracer_of_the_context_is_called() -> None:
    tracer: Any = RunCollectorCallbackHandler()
    token = tracing_v2_callback_var.set(tracer)
    try:
        OURS.invoke({"x": 1})
    finally:
        tracing_v2_callback_var.reset(token)
    assert list(map(shape, tracer.traced_runs)) == [chain_shape()]


def test_a_group_uses_langchains_tracer_where_it_is_enabled(monkeypatch: pytest.MonkeyPatch) -> None:
    tracer = RunCollectorCallbackHandler()
    asked: list[Any] = []

    def get_trace_callbacks(*args: Any, callback_manager: Any, address: Any) -> Any:
        asked.append((*args, callback_manager, address))
        return [tracer]

    monkeypatch.setattr("langchain_core.tracers.context._get_trace_callbacks", get_trace_callbacks)
    with trace_as_chain_group("group", project_name="p", example_id="e", address="a") as group:
        OURS.invoke({"x": 1}, {"callbacks": group})
    assert asked == [("p", "e", None, "a")]
    assert list(map(shape, tracer.traced_runs)) == [("chain", "group", [chain_shape()])]


class Counting(BaseCallbackHandler):
    runs = 0

    def on_chain_start(self, *args: Any, **kwargs: Any) -> None:
        type(self).runs += 1
        # The run of a handler is one that the handler is not called for.
        RunnableLambda(str).invoke(1)


def test_a_hook_of_langchains_adds_a_handler(monkeypatch: pytest.MonkeyPatch) -> None:
    hooks: list[Any] = []
    monkeypatch.setattr("langchain_core.tracers.context._configure_hooks", hooks)
    variable: ContextVar[Any] = ContextVar("variable", default=None)
    register_configure_hook(variable, True)
    handler = Counting()
    token = variable.set(handler)
    RunnableLambda(str).invoke(1)
    assert Counting.runs == 1
    variable.reset(token)
    RunnableLambda(str).invoke(1)
    assert Counting.runs == 1

"""Functions as steps, beside LangChain's."""

import asyncio
from contextvars import ContextVar
from typing import Any
from uuid import UUID

import pytest

from chains import TheirLambda, function
from endings import aread
from millstream.runnables import RunnableLambda
from millstream.runnables import chain as as_runnable
from recording import handlers

CONFIG: Any = {"tags": ["t"], "metadata": {"k": 1}, "run_name": "named", "run_id": UUID(int=7)}


def upper(text: str) -> str:
    return text.upper()


async def aupper(text: str) -> str:
    return text.upper()


def letters(text: str) -> Any:
    yield from text


async def aletters(text: str) -> Any:
    for letter in text:
        yield letter


FUNCTIONS: dict[str, Any] = {
    "function": lambda: function(upper),
    "lambda": lambda: function(lambda text: text + "!"),
    "coroutine function": lambda: function(aupper),
    "both": lambda: function(upper, aupper),
    "generator function": lambda: function(letters),
    "async generator function": lambda: function(aletters),
    "config and run": lambda: function(lambda text, config, run_manager: (text, config["tags"], bool(run_manager))),
    "a Runnable": lambda: tuple(
        kind(lambda text, step=step: step if text else text)
        for kind, step in zip((TheirLambda, RunnableLambda), function(upper, name="inner"), strict=True)
    ),
    "an endless Runnable": lambda: tuple(endless(kind) for kind in (TheirLambda, RunnableLambda)),
}


def endless(kind: Any) -> Any:
    step: Any = kind(lambda text: step, name="again")
    return step


FUNCTION_WAYS: dict[str, Any] = {
    "invoke": lambda step, config: step.invoke("hey", config),
    "ainvoke": lambda step, config: asyncio.run(step.ainvoke("hey", config)),
    "stream": lambda step, config: list(step.stream("hey", config)),
    "astream": lambda step, config: asyncio.run(aread(step.astream("hey", config))),
    "transform": lambda step, config: list(step.transform(iter(["h", "ey"]), config)),
    "batch": lambda step, config: step.batch(["hey"], config),
}


@pytest.mark.parametrize("way", FUNCTION_WAYS)
@pytest.mark.parametrize("kind", FUNCTIONS)
def test_functions_do_what_langchains_do(kind: str, way: str) -> None:
    both = []
    for place in (0, 1):
        log: list[Any] = []
        config = {**CONFIG, "callbacks": [handlers(log, run_inline=True)[place]], "recursion_limit": 3}
        try:
            found = repr(FUNCTION_WAYS[way](FUNCTIONS[kind]()[place], config))
        except (TypeError, RecursionError) as error:
            found = type(error).__name__
        both.append((found, [(event, kwargs["tags"]) for _, event, _, kwargs in log], len(log)))
    if (kind, way) == ("generator function", "astream"):
        # LangChain refuses; ours runs it in a thread.
        assert both[1][0] == "['h', 'e', 'y']"
    else:
        assert both[1] == both[0]


def test_a_call_in_a_function_is_a_run_below() -> None:
    log: list[Any] = []
    inner = RunnableLambda(upper) | RunnableLambda(lambda text: text + "?")
    outer = RunnableLambda(lambda text: inner.invoke(text), name="outer")
    for way in FUNCTION_WAYS.values():
        log.clear()
        way(outer, {"callbacks": [handlers(log)[1]], "tags": ["t"]})
        starts = [kwargs for _, event, _, kwargs in log if event == "on_chain_start"]
        assert [start["name"] for start in starts] == ["outer", "RunnableSequence", "upper", "RunnableLambda"]
        assert [start["parent_run_id"] for start in starts[1:]] == [
            starts[0]["run_id"],
            starts[1]["run_id"],
            starts[1]["run_id"],
        ]
        assert [start["tags"] for start in starts] == [["t"], ["t"], ["seq:step:1", "t"], ["seq:step:2", "t"]]


def test_functions_are_equal_if_what_they_call_is() -> None:
    assert RunnableLambda(upper) == RunnableLambda(upper)
    assert RunnableLambda(upper) != RunnableLambda(aupper)
    assert RunnableLambda(upper) != upper

    @as_runnable
    def named(text: str) -> str:
        return text

    assert (named.get_name(), named.invoke("a")) == ("named", "a")
    with pytest.raises(TypeError, match="both"):
        RunnableLambda(aupper, aupper)


def test_what_a_function_sets_in_its_context_stays_there() -> None:
    variable: ContextVar[int] = ContextVar("variable", default=0)

    def setting(text: str) -> str:
        variable.set(1)
        return text

    async def asetting(text: str) -> str:
        return setting(text)

    step = RunnableLambda(setting, asetting)
    for way in FUNCTION_WAYS.values():
        way(step | step, {})
        assert variable.get() == 0

    async def main() -> None:
        await step.ainvoke("a")
        async for _ in (step | step).astream("a"):
            assert variable.get() == 0

    asyncio.run(main())

"""Callbacks, compared with LangChain's: equal models and handlers receive the same calls in the same order."""

import asyncio
import contextlib
import warnings
from collections.abc import Callable
from typing import Any
from uuid import UUID

import pytest

from endings import exhaust
from langchain_peer import KEY, apeer, peer
from recording import (
    AstreamBody,
    BrokenBody,
    CallBody,
    EmptyBody,
    StreamBody,
    ahandlers,
    comparable_calls,
    handlers,
    make_models,
)

with warnings.catch_warnings():
    warnings.simplefilter("ignore")
    from langchain_core.callbacks import CallbackManager as TheirManager

from millstream import OpenAI
from millstream.testing import MockServer

CONFIG: dict[str, Any] = {"tags": ["t"], "metadata": {"k": 1}, "run_name": "named", "run_id": UUID(int=7)}


WAYS: dict[str, Callable[[Any, Any], Any]] = {
    "invoke": lambda model, config: model.invoke("hello", config, stop=["x"], extra=1),
    "ainvoke": lambda model, config: asyncio.run(model.ainvoke("hello", config, stop=["x"])),
    "stream": lambda model, config: list(model.stream("hello", config, stop=["x"], extra=1)),
    "astream": lambda model, config: asyncio.run(exhaust(model.astream("hello", config, stop=["x"]))),
    "batch": lambda model, config: model.batch(["hello", "you"], {**config, "run_id": None}),
    "abatch": lambda model, config: asyncio.run(model.abatch(["hello", "you"], {**config, "run_id": None})),
    "batch by one": lambda model, config: model.batch(["a", "b"], {**config, "run_id": None, "max_concurrency": 1}),
    "batch of two": lambda model, config: model.batch(["a", "b"], [config, {"callbacks": config["callbacks"]}]),
    "generate": lambda model, config: model.generate(["a", "b"], ["x"], config["callbacks"], tags=["g"], run_name="r"),
    "agenerate": lambda model, config: asyncio.run(
        model.agenerate(["a", "b"], ["x"], config["callbacks"], metadata={"m": 1}, run_id=UUID(int=3))
    ),
    "generate each": lambda model, config: model.generate(
        ["a", "b"], None, [config["callbacks"], None], tags=[["g"], ["h"]], run_name=["r", "s"]
    ),
}


def without_usage(calls: list[Any]) -> list[Any]:
    """Drop the `llm_output` of answers that did not stream, since the mock server's token counts are arbitrary."""
    return [(*entry[:2], entry[2][0][:2] if entry[1] == "on_llm_end" else entry[2], entry[3]) for entry in calls]


BODIES = [CallBody, StreamBody, AstreamBody, BrokenBody, EmptyBody]


@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize("body", BODIES)
@pytest.mark.parametrize("make_handlers", [handlers, ahandlers])
def test_handlers_receive_the_same_calls_as_in_langchain(body: type, way: str, make_handlers: Any) -> None:
    logs: list[list[Any]] = [[], []]
    calls = []
    for place in (0, 1):
        log = logs[place]
        flags = {"run_inline": True} if make_handlers is handlers else {}
        model = make_models(
            body,
            callbacks=tuple([make_handlers(log, "local", **flags)[i]] for i in (0, 1)),
            tags=["m"],
            metadata={"k": 0, "own": 2},
        )[place]
        config = {**CONFIG, "callbacks": [make_handlers(log, "config", **flags)[place]]}
        with contextlib.suppress(RuntimeError, ValueError):
            WAYS[way](model, config)
        calls.append(comparable_calls(log))
    assert calls[1] == calls[0]
    assert calls[1]


@pytest.mark.parametrize(
    ("way", "streaming"), [("stream", False), ("invoke", False), ("invoke", True), ("batch", False)]
)
def test_handlers_of_openai_receive_the_same_calls_as_in_langchain(
    mock_server: MockServer, way: str, streaming: bool
) -> None:
    logs: list[list[Any]] = [[], []]
    calls: dict[str, Any] = {
        "batch": lambda model, config: model.batch(["a", "b"], {**config, "run_id": None}),
        "invoke": lambda model, config: model.invoke("hello", config, stop=["x"]),
        "stream": lambda model, config: list(model.stream("hello", config, stop=["x"])),
    }
    with peer(mock_server.url, streaming=streaming, tags=["m"]) as theirs:
        calls[way](theirs, {**CONFIG, "callbacks": [handlers(logs[0])[0]]})
    ours = OpenAI(base_url=mock_server.url, api_key=KEY, streaming=streaming, tags=["m"])
    calls[way](ours, {**CONFIG, "callbacks": [handlers(logs[1])[1]]})
    assert without_usage(comparable_calls(logs[1])) == without_usage(comparable_calls(logs[0]))


@pytest.mark.parametrize("way", ["stream", "invoke"])
@pytest.mark.parametrize("make_handlers", [handlers, ahandlers])
def test_handlers_of_openai_in_async_code_receive_the_same_calls_as_in_langchain(
    mock_server: MockServer, way: str, make_handlers: Any
) -> None:
    logs: list[list[Any]] = [[], []]

    async def call(model: Any, config: Any) -> None:
        if way == "stream":
            await exhaust(model.astream("hello", config))
        else:
            await model.ainvoke("hello", config)

    async def theirs() -> None:
        async with apeer(mock_server.url) as model:
            await call(model, {**CONFIG, "callbacks": [make_handlers(logs[0])[0]]})

    asyncio.run(theirs())
    asyncio.run(
        call(OpenAI(base_url=mock_server.url, api_key=KEY), {**CONFIG, "callbacks": [make_handlers(logs[1])[1]]})
    )
    assert comparable_calls(logs[1]) == comparable_calls(logs[0])


# Which handlers are called.


def test_handlers_and_managers_of_langchain_are_accepted() -> None:
    log: list[Any] = []
    theirs = handlers(log)[0]
    _, model = make_models(StreamBody)
    list(model.stream("p", {"callbacks": [theirs]}))
    listed, log[:] = comparable_calls(log), []
    manager = TheirManager([theirs], [theirs], UUID(int=9), tags=["a", "b"], inheritable_tags=["b"], metadata={"z": 1})
    list(model.stream("p", {"callbacks": manager}))
    managed = comparable_calls(log)
    assert [entry[:2] for entry in managed] == [entry[:2] for entry in listed]
    start = dict(managed[0][3])
    assert log[0][3]["parent_run_id"] == UUID(int=9)
    assert start["tags"] == ["a", "b"]
    assert start["metadata"]["z"] == 1


def test_a_handler_that_ignores_models_is_not_called() -> None:
    log: list[Any] = []

    class Deaf(type(handlers(log)[1])):  # type: ignore[misc]
        ignore_llm = True

    make_models(StreamBody)[1].invoke("p", {"callbacks": [Deaf(log)]})
    assert [event for _, event, _, _ in log] == ["on_text"]


def test_sync_handlers_are_called_before_async_ones_in_sync_code_as_in_langchain() -> None:
    calls = []
    for place in (0, 1):
        log: list[Any] = []
        both = [ahandlers(log, "async")[place], handlers(log, "sync")[place]]
        list(make_models(StreamBody)[place].stream("ab", {"callbacks": both}))
        calls.append(comparable_calls(log))
    assert calls[1] == calls[0]

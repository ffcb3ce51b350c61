"""Root event streams of the models that are LangChain's, beside langchain-openai's own: equal to the last key."""

import asyncio
from contextlib import aclosing
from typing import Any
from uuid import UUID

import langchain_openai
import pytest
from langchain_core.callbacks import AsyncCallbackHandler
from langchain_core.messages import HumanMessage
from langchain_core.runnables import RunnableLambda
from langchain_core.tracers.context import collect_runs
from pydantic import SecretStr

from cases import each
from endings import assert_closed_by_us, read_into
from langchain_peer import KEY, aclients, allow_v1, normalize_events
from millstream.integrations.langchain import ChatOpenAI, OpenAI
from millstream.testing import VERSE, Cut, ErrorFrame, MockServer, Reply, Stall
from test_chat_events import sort_events
from test_chat_openai import DEFECTS, WIRE

MODELS = {"chat": (langchain_openai.ChatOpenAI, ChatOpenAI), "text": (langchain_openai.OpenAI, OpenAI)}
models = pytest.mark.parametrize("kind", MODELS)


async def read_events(cls: Any, url: str, input: Any, fields: dict[str, Any], **arguments: Any) -> Any:
    """Return the events of a new model, in a comparable form, and the exception that ended them."""
    async with aclients() as clients:
        model = cls(base_url=url, api_key=SecretStr(KEY), max_retries=0, **clients, **fields)
        with allow_v1():
            events: list[Any] = []
            error = None
            try:
                await read_into(events, model.astream_events(input, **arguments))
            except Exception as raised:
                error = raised
    return [sort_events(event) for event in normalize_events(events)], error


def read_both(kind: str, url: str, input: Any = "p", fields: Any = None, **arguments: Any) -> tuple[Any, Any]:
    """Return the same event stream of both classes: langchain-openai's, and ours."""
    theirs, ours = [asyncio.run(read_events(cls, url, input, fields or {}, **arguments)) for cls in MODELS[kind]]
    return theirs, ours


CALLS: dict[str, tuple[dict[str, Any], dict[str, Any]]] = {
    "plain": ({}, {}),
    "named": ({"name": "mine"}, {}),
    "run name": ({}, {"config": {"run_name": "r", "run_id": UUID(int=5)}}),
    "tagged": (
        {"tags": ["model", "both"], "metadata": {"m": 1, "k": 0}},
        {"config": {"tags": ["call", "both"], "metadata": {"k": 2, "ls_provider": "x"}}},
    ),
    "arguments": ({"temperature": 0, "max_tokens": 5}, {"temperature": 0.5, "max_tokens": 3, "model": "x"}),
    "stop": ({}, {"stop": ["\n"]}),
    "configurable": ({}, {"config": {"configurable": {"model": "c", "other": "o"}}}),
    "by type": ({}, {"include_types": ["chat_model", "llm"], "exclude_names": ["other"]}),
    "by another type": ({}, {"include_types": ["chain"]}),
    "by the model's tag": ({"tags": ["m"]}, {"include_tags": ["m"]}),
    "not by the model's tag": ({"tags": ["m"]}, {"exclude_tags": ["m"]}),
    "version 1": ({}, {"version": "v1"}),
}
CHAT_CALLS: dict[str, tuple[dict[str, Any], dict[str, Any]]] = {
    "usage": ({"stream_usage": True}, {}),
    "tools": ({}, {"tools": [{"type": "function", "function": {"name": "f"}}]}),
    "whole": ({"disable_streaming": True}, {}),
    "content blocks": ({"output_version": "v1"}, {}),
    "headers": ({"include_response_headers": True}, {"exclude_types": ["none"]}),
    "verbose": ({"verbose": False}, {}),
}
INPUTS: list[Any] = ["text", [("human", "h"), ("ai", "a")], [{"role": "user", "content": "c"}], [HumanMessage("h")]]


@models
@pytest.mark.parametrize("name", CALLS)
def test_events_are_those_of_langchains_class(mock_server: MockServer, kind: str, name: str) -> None:
    fields, arguments = CALLS[name]
    theirs, ours = read_both(kind, mock_server.url, fields=fields, **arguments)
    assert ours == theirs
    assert bool(ours[0]) is (name not in ("by another type", "not by the model's tag"))


@pytest.mark.parametrize("name", CHAT_CALLS)
def test_events_of_chat_models_are_those_of_langchains_class(mock_server: MockServer, name: str) -> None:
    fields, arguments = CHAT_CALLS[name]
    theirs, ours = read_both("chat", mock_server.url, fields=fields, **arguments)
    assert without_dates(ours) == without_dates(theirs)


def without_dates(value: Any) -> Any:
    """Return events without the headers, and the random names, that differ from response to response."""
    if isinstance(value, list | tuple):
        return [without_dates(item) for item in value if not (isinstance(item, tuple) and item[0] in VARYING)]
    return "chatcmpl" if isinstance(value, str) and value.startswith("chatcmpl-mock") else value


VARYING = ("date", "x-request-id", "id", "system_fingerprint")


@models
@pytest.mark.parametrize("input", INPUTS)
def test_the_start_event_has_the_input_itself(mock_server: MockServer, kind: str, input: Any) -> None:
    model = MODELS[kind][1](base_url=mock_server.url, api_key=SecretStr(KEY))

    async def first() -> Any:
        stream: Any = model.astream_events(input)
        async with aclosing(stream) as events:
            return await anext(aiter(events))

    assert asyncio.run(first())["data"]["input"] is input
    theirs, ours = read_both(kind, mock_server.url, input)
    assert ours == theirs


@each([case for case in WIRE if case["name"] not in DEFECTS])
def test_events_of_every_vector_are_those_of_langchains_class(case: dict[str, Any]) -> None:
    with MockServer(Reply(body=case["body"])) as server:
        theirs, ours = read_both("chat", server.url)
    assert ours[0] == theirs[0]
    assert (ours[1] is None) is (theirs[1] is None)


@models
def test_a_failing_stream_has_its_chunks_and_no_end_event(kind: str) -> None:
    with MockServer(Reply(fault=ErrorFrame(after=3))) as server:
        theirs, ours = read_both(kind, server.url)
    assert ours[0] == theirs[0]
    assert (type(ours[1]), str(ours[1])) == (type(theirs[1]), str(theirs[1]))


@models
def test_a_cut_stream_does_not_end_like_a_whole_one(kind: str) -> None:
    with MockServer(Reply(fault=Cut(after=3, how="fin"))) as server:
        _, (events, error) = read_both(kind, server.url)
    assert error is not None
    assert not any(dict(event)["event"].endswith("_end") for event in events)


@models
def test_a_handler_beside_the_stream_sees_what_it_sees_of_langchains_class(mock_server: MockServer, kind: str) -> None:
    seen: list[list[str]] = []

    class Handler(AsyncCallbackHandler):
        async def on_llm_new_token(self, token: Any, **kwargs: Any) -> None:
            seen[-1].append(token)

        async def on_llm_end(self, response: Any, **kwargs: Any) -> None:
            seen[-1].append(f"end {response.generations[0][0].text}")

    results = []
    for cls in MODELS[kind]:
        seen.append([])
        config = {"callbacks": [Handler()]}
        results.append(asyncio.run(read_events(cls, mock_server.url, "p", {}, config=config)))
    assert results[1] == results[0]
    assert seen[1] == seen[0]
    assert len(seen[1]) > len(VERSE)


@models
def test_a_stream_within_a_run_and_one_that_is_traced_are_langchains(mock_server: MockServer, kind: str) -> None:
    async def within(cls: Any) -> Any:
        async def call(_: Any) -> Any:
            return await read_events(cls, mock_server.url, "p", {})

        with collect_runs() as runs:
            events, error = await RunnableLambda(call).ainvoke("x")
        parents = [len(dict(event)["parent_ids"]) for event in events]
        return [without_ids(event) for event in events], parents, error, [run.name for run in runs.traced_runs]

    theirs, ours = [asyncio.run(within(cls)) for cls in MODELS[kind]]
    assert ours == theirs


def without_ids(event: Any) -> Any:
    return [item for item in event if item[0] not in ("run_id", "parent_ids")]


@models
@pytest.mark.parametrize("way", ["aclose", "break", "cancel"])
def test_a_stream_that_is_left_closes_its_connection(kind: str, way: str) -> None:
    with MockServer(Reply(fault=Stall(after=3))) as server:
        asyncio.run(leave(MODELS[kind][1](base_url=server.url, api_key=SecretStr(KEY)), way))
        assert_closed_by_us(server)


async def leave(model: Any, way: str) -> None:
    """Read an event stream until its first chunk, or until it waits for more, and leave it."""
    chunk = asyncio.Event()

    async def read(events: Any) -> None:
        async for event in events:
            if event["event"].endswith("_stream"):
                chunk.set()
                if way != "cancel":
                    break
        if way == "aclose":
            await events.aclose()

    task = asyncio.create_task(read(model.astream_events("p")))
    await chunk.wait()
    if way == "cancel":
        task.cancel()
    await asyncio.wait([task])

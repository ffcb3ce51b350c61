"""LangServe's client and Millstream's receive the same from LangServe's server and from ours, whosever chain it is."""

import asyncio
import re
import warnings
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from typing import Any, NamedTuple

import langchain_core.messages
import orjson
import pytest
from fastapi import FastAPI

import millstream.messages
from both_libraries import COMPOSITIONS, INPUT, ours, read_text, shout, theirs
from endings import aread
from langserve_apps import mount, our_client, their_app, their_client
from millstream.providers.langserve.values import write_values
from serving import serve

WAYS = ("invoke", "batch", "stream")
ASYNC_WAYS = ("ainvoke", "abatch", "astream", "astream_log", "astream_events")


class Case(NamedTuple):
    make: Callable[[Any], Any]
    input: Callable[[Any], Any] = lambda messages: INPUT
    left_out: str = ""


def talk(lib: Any) -> Any:
    return lib.FakeListChatModel(responses=["hi!"])


def chat_prompt(lib: Any) -> Any:
    return lib.ChatPromptTemplate.from_messages([("system", "s"), ("placeholder", "{past}"), ("human", "{text}")])


def conversation(messages: Any) -> list[Any]:
    call = {"name": "f", "args": {"a": [1, None]}, "id": "c1", "type": "tool_call"}
    return [
        messages.SystemMessage("s"),
        messages.HumanMessage([{"type": "text", "text": "look"}], name="ann"),
        messages.AIMessage("", tool_calls=[call]),
        messages.ToolMessage("2", tool_call_id="c1", status="error"),
    ]


def with_past(messages: Any) -> dict[str, Any]:
    # LangServe loses what a message has beyond those of other types, in the events of prompts.
    return {"text": "a", "past": [messages.HumanMessage("b"), messages.AIMessage("c")]}


def configurable(lib: Any) -> Any:
    field = lib.ConfigurableField(id="answer")
    return lib.ChatPromptTemplate.from_template("{text}") | talk(lib).configurable_fields(responses=field)


CASES: dict[str, Case] = {
    **{name.replace(" ", "-"): Case(make) for name, make in COMPOSITIONS.items()},
    # LangServe's client takes the log of a tool's run for a tool message.
    "tool": Case(COMPOSITIONS["tool"], left_out="astream_log"),
    "model": Case(talk, conversation),
    "model-of-a-text": Case(talk, lambda messages: "hello"),
    "text-model-of-messages": Case(lambda lib: lib.FakeStreamingListLLM(responses=["some words"]), conversation),
    "past": Case(lambda lib: chat_prompt(lib) | talk(lib) | lib.StrOutputParser(), with_past),
    "prompt-of-messages": Case(chat_prompt, with_past),
    "passed-on": Case(lambda lib: lib.RunnablePassthrough(), lambda messages: {"a": conversation(messages), "b": [1]}),
    "configurable": Case(configurable),
    "lines": Case(lambda lib: talk(lib) | lib.CommaSeparatedListOutputParser(), lambda messages: "a, b"),
}
CLIENTS: dict[Any, Any] = {their_client: langchain_core.messages, our_client: millstream.messages}


@pytest.fixture(scope="module")
def addresses() -> Iterator[dict[str, str]]:
    """The servers: LangServe's, and ours of chains of both libraries."""
    apps = {"langserve": their_app(), "theirs": FastAPI(), "ours": FastAPI()}
    for name, case in CASES.items():
        mount(apps["langserve"], case.make(theirs), f"/{name}", by_langserve=True)
        mount(apps["theirs"], case.make(theirs), f"/{name}", include_input=True)
        mount(apps["ours"], case.make(ours), f"/{name}", include_input=True)
    with ExitStack() as stack:
        yield {name: stack.enter_context(serve(app)) for name, app in apps.items()}


def call_all(remote: Any, case: Case, messages: Any) -> dict[str, str]:
    """Return what each method returns, without what differs between runs."""
    input = case.input(messages)
    results = {way: shown(list(remote.stream(input)) if way == "stream" else call(remote, way, input)) for way in WAYS}

    async def call_async() -> None:
        for way in (way for way in ASYNC_WAYS if way != case.left_out):
            outputs = call(remote, way, input)
            results[way] = shown(await (aread(outputs) if hasattr(outputs, "__aiter__") else outputs))

    asyncio.run(call_async())
    return results


def call(remote: Any, way: str, input: Any) -> Any:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return getattr(remote, way)([input, input] if way.endswith("batch") else input)


def shown(value: Any) -> str:
    """Return the ``repr`` without ids, times, LangChain's versions and LangServe's own metadata."""
    numbers: dict[str, str] = {}
    ids = r"[0-9a-f]{8}-[0-9a-f-]{27}"
    text = re.sub(ids, lambda found: numbers.setdefault(found[0], str(len(numbers))), repr(value))
    text = re.sub(r"\d{4}-\d\d-\d\dT[\d:.+]*\d", "T", re.sub(r"\s+", " ", text))
    text = re.sub(r"'lc_versions': {[^}]*}(, )?", "", text)
    text = re.sub(r"'__(langserve_endpoint|langserve_version|useragent)': '[^']*'(, )?", "", text)
    return text.replace(", }", "}")


@pytest.mark.filterwarnings("ignore::DeprecationWarning")
@pytest.mark.parametrize("name", CASES)
def test_both_clients_receive_the_same_from_each_server(name: str, addresses: dict[str, str]) -> None:
    results: dict[tuple[str, str], dict[str, str]] = {}
    for server, url in addresses.items():
        for client, messages in CLIENTS.items():
            with client(f"{url}/{name}") as remote:
                results[server, client.__name__] = call_all(remote, CASES[name], messages)
    expected = results["langserve", "their_client"]
    for found in results.values():
        for way in expected:
            if name == "assign" and way in ("astream_log", "astream_events"):
                # The branches of a dict run at the same time.
                assert sorted(re.findall(r"\w+", found[way])) == sorted(re.findall(r"\w+", expected[way]))
            else:
                assert found[way] == expected[way]


LOST: dict[str, Case] = {
    "prompt": Case(chat_prompt, lambda messages: {"text": "a", "past": conversation(messages)}),
    "pick": Case(lambda lib: lib.RunnableParallel(n=lib.RunnableLambda(read_text)) | lib.RunnablePick(["n"])),
    "each": Case(lambda lib: lib.RunnableLambda(shout).map(), lambda messages: ["a", "bc"]),
}
"""Compositions of which LangServe loses values, or which it does not serve at all."""


@pytest.mark.parametrize("library", ["theirs", "ours"])
@pytest.mark.parametrize("name", LOST)
def test_values_that_langserve_loses_are_kept(name: str, library: str) -> None:
    app, case = FastAPI(), LOST[name]
    mount(app, case.make({"theirs": theirs, "ours": ours}[library]))
    input = case.input(millstream.messages)
    expected = case.make(ours).invoke(input)
    with serve(app) as url, our_client(f"{url}/chain") as remote:
        outputs = [remote.invoke(input), *remote.batch([input])]
        (chunk,) = remote.stream(input)
    for output in outputs:
        assert dump(output) == dump(expected)
    # A stream's chunk has no type of a prompt value, as in LangServe.
    assert dump(chunk) == dump(expected)


def dump(value: Any) -> Any:
    """Return plain data, without the type of a prompt value."""
    data = orjson.loads(write_values(value))
    return {key: item for key, item in data.items() if key != "type"} if isinstance(data, dict) else data

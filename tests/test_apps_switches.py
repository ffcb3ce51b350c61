"""Chains, agents and graphs whose model has LangChain's switches show the same with Millstream's model."""

from collections.abc import Callable
from typing import Any

import pytest
from langchain.agents import create_agent
from langchain_core.prompts import ChatPromptTemplate
from langchain_core.runnables import RunnableConfig
from langchain_core.tools import tool

from app_kits import KITS, App, Kit, shown, shown_by_langchain
from endings import aread
from millstream.testing import RecordedRequest, Reply
from recording import achat_handlers

PROMPT = ChatPromptTemplate.from_messages([("system", "Be brief."), ("human", "{text}")])
FILL = {"text": "Name a fish."}
ASKED: Any = {"messages": [("human", "Name a fish.")]}
SWITCHES: dict[str, dict[str, Any]] = {
    "streaming": {"streaming": True},
    "not streaming": {"streaming": False},
    "disabled": {"disable_streaming": True},
    "disabled for tools": {"disable_streaming": "tool_calling"},
    "blocks": {"output_version": "v1", "stream_usage": True},
    "logprobs": {"logprobs": True, "top_logprobs": 2},
    "choices": {"n": 2},
    "headers": {"include_response_headers": True},
    "named": {"name": "writer", "tags": ["t"], "metadata": {"m": 1}},
    "tier": {"service_tier": "flex", "model_kwargs": {"user": "u"}, "extra_body": {"x": 1}},
    "reasoning model": {"model": "o3-mini", "reasoning_effort": "low", "max_completion_tokens": 5},
    "verbose": {"verbose": False, "cache": False, "stream_chunk_timeout": 5.0},
}


@tool
def look_up(fish: str) -> str:
    """Look a fish up."""
    return f"{fish}: swims"


def answer(request: RecordedRequest) -> Reply:
    """Call the tool after a first message, and answer after its result."""
    if "tools" in request.body and request.body["messages"][-1]["role"] != "tool":
        return Reply(pieces=["Let ", "me"], tool_calls=[{"name": "look_up", "args": {"fish": "trout"}, "id": "c"}])
    return Reply(pieces=["A ", "trout", "."])


async def chain(kit: Kit, switches: dict[str, Any]) -> Any:
    log: list[Any] = []
    config: RunnableConfig = {"callbacks": [achat_handlers(log)[0]]}
    one = PROMPT | kit.model(**switches)
    return [await aread(one.astream(FILL)), await aread(one.astream(FILL, config)), await one.ainvoke(FILL), log]


async def events(kit: Kit, switches: dict[str, Any]) -> Any:
    return await aread((PROMPT | kit.model(**switches) | kit.parser()).astream_events(FILL, version="v2"))


async def tools(kit: Kit, switches: dict[str, Any]) -> Any:
    model = kit.model(**switches).bind_tools([look_up])
    return [await aread(model.astream("hello")), await model.ainvoke("hello")]


async def agent(kit: Kit, switches: dict[str, Any]) -> Any:
    return await aread(
        create_agent(kit.model(**switches), [look_up]).astream(ASKED, stream_mode=["messages", "updates"])
    )


def app_of(run: Callable[..., Any], switches: dict[str, Any]) -> App:
    async def app(kit: Kit) -> Any:
        kit.server.reply = answer
        return await run(kit, switches)

    return app


APPS = {
    f"{run.__name__}, {name}": app_of(run, switches)
    for run in (chain, events, tools, agent)
    for name, switches in SWITCHES.items()
}


@pytest.mark.parametrize("app", APPS)
@pytest.mark.parametrize("kit", KITS)
def test_a_switch_of_langchains_model_is_one_of_ours(app: str, kit: str) -> None:
    assert shown(APPS[app], KITS[kit]) == shown_by_langchain(APPS[app])

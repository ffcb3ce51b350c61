"""Agents show the same with langchain-openai's chat model and with Millstream's: LangChain's, and LangGraph's."""

from collections.abc import Callable, Iterator, Mapping
from typing import Any

import pytest
from langchain.agents import create_agent
from langchain.agents.middleware import ModelFallbackMiddleware, SummarizationMiddleware, after_model, wrap_model_call
from langchain.agents.structured_output import ProviderStrategy, ToolStrategy
from langchain_core.tools import tool
from langgraph.config import get_stream_writer
from langgraph.prebuilt import create_react_agent
from pydantic import BaseModel

from app_kits import KITS, App, Kit, shown, shown_by_langchain
from endings import aread
from millstream.testing import ErrorStatus, Reply

QUESTION: Any = {"messages": [{"role": "user", "content": "How warm is Rome?"}]}
MODES: tuple[Any, ...] = ("values", "messages", "updates", "custom", ["messages", "updates", "custom"])


class Weather(BaseModel):
    """The weather of a place."""

    place: str
    degrees: int


@tool
def look_up(place: str) -> str:
    """Return the weather of a place."""
    get_stream_writer()({"looking": place})
    return f"{place}: 31 degrees"


def call(place: str, number: int = 1, name: str = "look_up") -> Mapping[str, Any]:
    return {"name": name, "args": {"place": place}, "id": f"call_{number}"}


def script_tools(kit: Kit) -> None:
    """Let the model call the tool, call it again after some text, then answer."""
    kit.script(
        Reply(tool_calls=[call("Rome")]),
        Reply(pieces=["Let ", "me ", "see."], tool_calls=[call("Pisa", 2)]),
        Reply(pieces=["Rome ", "is ", "warm", "."]),
    )


def agent_of(kit: Kit, make: Callable[..., Any] = create_agent, **arguments: Any) -> Any:
    return make(kit.model(), [look_up], **arguments)


MAKERS: dict[str, Callable[..., Any]] = {"create_agent": create_agent, "create_react_agent": create_react_agent}


def invoke_agent(make: Callable[..., Any]) -> App:
    def app(kit: Kit) -> Any:
        script_tools(kit)
        yield agent_of(kit, make).invoke(QUESTION)
        kit.script(Reply(tool_calls=[call("Rome"), call("Oslo", 2)]))
        yield agent_of(kit, make).invoke(QUESTION)

    return app


def ainvoke_agent(make: Callable[..., Any]) -> App:
    async def app(kit: Kit) -> Any:
        script_tools(kit)
        return [await agent_of(kit, make).ainvoke(QUESTION)]

    return app


def stream_agent(make: Callable[..., Any], mode: Any) -> App:
    def app(kit: Kit) -> Any:
        script_tools(kit)
        yield from agent_of(kit, make).stream(QUESTION, stream_mode=mode)

    return app


def astream_agent(make: Callable[..., Any], mode: Any) -> App:
    async def app(kit: Kit) -> Any:
        script_tools(kit)
        return await aread(agent_of(kit, make).astream(QUESTION, stream_mode=mode))

    return app


def agent_events(version: str) -> App:
    async def app(kit: Kit) -> Any:
        script_tools(kit)
        return await aread(agent_of(kit).astream_events(QUESTION, version=version))

    return app


def agent_events_v3(kit: Kit) -> Iterator[Any]:
    script_tools(kit)
    run = agent_of(kit).stream_events(QUESTION, version="v3")
    yield from run
    yield run.output


async def agent_aevents_v3(kit: Kit) -> Any:
    script_tools(kit)
    run = await agent_of(kit).astream_events(QUESTION, version="v3")
    return [*await aread(run), await run.output()]


def structured_by_a_tool(kit: Kit) -> Iterator[Any]:
    kit.script(
        Reply(tool_calls=[call("Rome")]),
        Reply(tool_calls=[{"name": "Weather", "args": {"place": "Rome", "degrees": "hot"}, "id": "call_2"}]),
        Reply(tool_calls=[{"name": "Weather", "args": {"place": "Rome", "degrees": 31}, "id": "call_3"}]),
    )
    yield agent_of(kit, response_format=ToolStrategy(Weather)).invoke(QUESTION)


def structured_by_the_provider(kit: Kit) -> Iterator[Any]:
    kit.script(Reply(tool_calls=[call("Rome")]), Reply(pieces=['{"place": "Ro', 'me", "degrees": 31}']))
    yield agent_of(kit, response_format=ProviderStrategy(Weather)).invoke(QUESTION)
    kit.script(Reply(tool_calls=[call("Rome")]), Reply(pieces=['{"place": "Ro', 'me", "degrees": 31}']))
    yield from agent_of(kit, response_format=ProviderStrategy(Weather)).stream(QUESTION, stream_mode="messages")


def structured_react(kit: Kit) -> Iterator[Any]:
    kit.script(Reply(pieces=["Warm."]), Reply(pieces=['{"place": "Rome", "degrees": 31}']))
    yield agent_of(kit, create_react_agent, response_format=Weather).invoke(QUESTION)


def with_middleware(kit: Kit) -> Iterator[Any]:
    seen: list[Any] = []

    @wrap_model_call
    def hotter(request: Any, handler: Any) -> Any:
        seen.append((type(request.model).__name__, request.model_settings))
        return handler(request.override(model=request.model, model_settings={"temperature": 0.5}))

    @after_model
    def note(state: Any, runtime: Any) -> None:
        seen.append(len(state["messages"]))

    script_tools(kit)
    yield agent_of(kit, middleware=[hotter, note], system_prompt="Be brief.").invoke(QUESTION)
    yield seen


def with_a_summary(kit: Kit) -> Iterator[Any]:
    kit.script(Reply(pieces=["A summary", "."]), Reply(pieces=["Warm", "."]))
    summarizing = SummarizationMiddleware(model=kit.model(), trigger=("messages", 3), keep=("messages", 1))
    turns = [{"role": role, "content": role} for role in ("user", "assistant", "user", "assistant", "user")]
    yield from agent_of(kit, middleware=[summarizing]).stream({"messages": turns}, stream_mode=["messages", "updates"])


def with_a_fallback(kit: Kit) -> Iterator[Any]:
    kit.script(Reply(fault=ErrorStatus(500)), Reply(pieces=["Warm", "."]))
    falling = ModelFallbackMiddleware(kit.model(model="gpt-5-mini", max_retries=0))
    yield from create_agent(kit.model(max_retries=0), [], middleware=[falling]).stream(
        QUESTION, stream_mode=["messages", "updates"]
    )


def that_fails(kit: Kit) -> Iterator[Any]:
    kit.script(Reply(tool_calls=[call("Rome")]), Reply(fault=ErrorStatus(429)))
    try:
        yield from create_agent(kit.model(max_retries=0), [look_up]).stream(QUESTION, stream_mode="messages")
    except Exception as error:
        yield error, [base.__name__ for base in type(error).__mro__]


APPS: dict[str, App] = {
    **{f"{name}, invoke": invoke_agent(make) for name, make in MAKERS.items()},
    **{f"{name}, ainvoke": ainvoke_agent(make) for name, make in MAKERS.items()},
    **{f"{name}, stream {mode}": stream_agent(make, mode) for name, make in MAKERS.items() for mode in MODES},
    **{f"{name}, astream {mode}": astream_agent(make, mode) for name, make in MAKERS.items() for mode in MODES},
    **{f"events {version}": agent_events(version) for version in ("v1", "v2")},
    "events v3": agent_events_v3,
    "events v3, async": agent_aevents_v3,
    "structured by a tool": structured_by_a_tool,
    "structured by the provider": structured_by_the_provider,
    "structured, create_react_agent": structured_react,
    "middleware": with_middleware,
    "summary": with_a_summary,
    "fallback": with_a_fallback,
    "failure": that_fails,
}


@pytest.mark.parametrize("app", APPS)
@pytest.mark.parametrize("kit", KITS)
def test_an_agent_shows_what_it_shows_with_langchains_model(app: str, kit: str) -> None:
    assert shown(APPS[app], KITS[kit]) == shown_by_langchain(APPS[app])

"""Streams of LangChain's chains, agents and graphs that are left early: the connection is closed at once."""

import asyncio
from collections.abc import Callable
from inspect import iscoroutinefunction
from typing import Any

import pytest
from langchain.agents import create_agent
from langchain_core.prompts import ChatPromptTemplate
from langgraph.checkpoint.memory import InMemorySaver
from langgraph.graph import START, MessagesState, StateGraph

import test_apps_agents
import test_apps_graphs
from app_kits import KITS, App, Kit, made, shown
from endings import assert_closed_by_us, exhaust
from millstream.testing import MockServer, Reply, Stall, assert_no_leaks
from user_code import settled

pytestmark = pytest.mark.usefixtures("without_the_collector")

PROMPT = ChatPromptTemplate.from_messages([("system", "Be brief."), ("human", "{text}")])
FILL = {"text": "Name a fish."}
ASKED: Any = {"messages": [("human", "Name a fish.")]}
THREAD: Any = {"configurable": {"thread_id": "1"}}

STALLED = Reply(pieces=['{"fish": ["', "trout", '", "eel', '"]}'], fault=Stall(after=3))
# Not here: a function or LangChain's own parser after the model. LangChain reads the rest of such a step's input.
CHAINS: dict[str, Callable[[Kit], Any]] = {
    "model": lambda kit: PROMPT | kit.model(),
    "parser": lambda kit: PROMPT | kit.model() | kit.parser(),
    "JSON": lambda kit: PROMPT | kit.model() | kit.parser("JsonOutputParser"),
    "LLM": lambda kit: PROMPT | kit.llm() | kit.parser(),
    "observed": lambda kit: (PROMPT | kit.model()).with_listeners(on_start=lambda run: None),
    "fallbacks": lambda kit: PROMPT | kit.model().with_fallbacks([kit.model()]),
    "bound": lambda kit: PROMPT | kit.model().bind(stop=["x"]),
    "returned": lambda kit: PROMPT | (lambda _: kit.model()),
    "parallel": lambda kit: PROMPT | {"first": kit.model()},
}


def graph_of(kit: Kit) -> Any:
    model = kit.model()

    async def reply(state: MessagesState) -> Any:
        return {"messages": [await model.ainvoke(state["messages"])]}

    return StateGraph(MessagesState).add_node(reply).add_edge(START, "reply").compile(checkpointer=InMemorySaver())


STREAMS: dict[str, Callable[[Kit], Any]] = {
    "events": lambda kit: (PROMPT | kit.model()).astream_events(FILL, version="v2"),
    "events of a model": lambda kit: kit.model().astream_events("p", version="v2"),
    "agent": lambda kit: create_agent(kit.model(), []).astream(ASKED, stream_mode="messages"),
    "agent's events": lambda kit: create_agent(kit.model(), []).astream_events(ASKED, version="v2"),
    "graph": lambda kit: graph_of(kit).astream(ASKED, THREAD, stream_mode="messages"),
    "graph's events": lambda kit: graph_of(kit).astream_events(ASKED, THREAD, version="v2"),
}

# Not here: version 3 of events, whose task LangChain leaves to the end of the loop.
WHOLE: dict[str, App] = {
    f"{module.__name__.removeprefix('test_apps_')}, {name}": app
    for module in (test_apps_agents, test_apps_graphs)
    for name, app in module.APPS.items()
    if iscoroutinefunction(app) and "v3" not in name
}


def open_stream(name: str, kit: Kit) -> Any:
    return STREAMS[name](kit) if name in STREAMS else CHAINS[name](kit).astream(FILL)


async def read_until_stalled(stream: Any, server: MockServer) -> None:
    """Read items until the server has sent all that it sends."""
    async for _ in stream:
        if server.requests and server.requests[0].pieces_sent == 3:
            break


@pytest.mark.parametrize("how", ["break", "close"])
@pytest.mark.parametrize("name", CHAINS)
@pytest.mark.parametrize("kit", KITS)
def test_a_chain_that_is_left_closes_its_connection(name: str, how: str, kit: str, server: MockServer) -> None:
    server.reply = STALLED
    with made(KITS[kit], server) as own:
        stream = CHAINS[name](own).stream(FILL)
        next(stream)
        if how == "close":
            stream.close()
        else:
            del stream
        assert_closed_by_us(server)


# LangChain does not cancel the steps of a parallel step that is cancelled.
LEAVING = [
    (name, how)
    for name in (*CHAINS, *STREAMS)
    for how in ("break", "aclose", "cancel")
    if (name, how) != ("parallel", "cancel")
]


@pytest.mark.parametrize(("name", "how"), LEAVING)
@pytest.mark.parametrize("kit", KITS)
def test_an_async_stream_that_is_left_closes_its_connection(name: str, how: str, kit: str, server: MockServer) -> None:
    async def main(own: Kit) -> None:
        stream = open_stream(name, own)
        if how == "cancel":
            task = asyncio.create_task(exhaust(open_stream(name, own)))
            await server.await_until(lambda: bool(server.requests) and server.requests[0].pieces_sent == 3)
            task.cancel()
            await asyncio.wait([task])
            # Its exception refers to the frames, and to the streams in them.
            del task
        else:
            await read_until_stalled(stream, server)
            if how == "aclose":
                await stream.aclose()
        del stream
        await server.await_closed()
        await settled(lambda: asyncio.all_tasks() == {asyncio.current_task()})
        await own.aclose()

    server.reply = STALLED
    with made(KITS[kit], server) as own:
        asyncio.run(main(own))
    assert_closed_by_us(server)


@pytest.mark.usefixtures("native")
@pytest.mark.parametrize("app", WHOLE)
def test_an_app_that_reads_to_the_end_leaves_nothing_behind(app: str) -> None:
    kit = KITS["Rust, own transport"]
    # Libraries start threads of their own when they are first used.
    shown(WHOLE[app], kit)
    with assert_no_leaks():
        shown(WHOLE[app], kit)

"""Graphs of LangGraph show the same with langchain-openai's chat model and with Millstream's."""

from collections.abc import Iterator
from typing import Annotated, Any, TypedDict

import pytest
from langchain_core.messages import AnyMessage, HumanMessage
from langchain_core.runnables import RunnableConfig
from langgraph.checkpoint.memory import InMemorySaver
from langgraph.config import get_stream_writer
from langgraph.graph import END, START, StateGraph
from langgraph.graph.message import add_messages
from langgraph.types import Command, interrupt

from app_kits import KITS, App, Kit, shown, shown_by_langchain
from endings import aread
from millstream.testing import ErrorStatus, Reply

MODES: tuple[Any, ...] = ("values", "updates", "messages", "custom", ["messages", "updates", "custom"])
ASKED: Any = {"messages": [HumanMessage("Write a line.", id="asked")], "title": ""}
THREAD: RunnableConfig = {"configurable": {"thread_id": "one"}}


class State(TypedDict):
    """What the nodes share."""

    messages: Annotated[list[AnyMessage], add_messages]
    title: str


def graph_of(kit: Kit, *, asynchronous: bool = False, asks: bool = False, checkpoints: bool = True) -> Any:
    """Return a graph that writes with one model, may ask a person, and finds a title with another model."""
    writer, titles = kit.model(temperature=0), kit.model(model="gpt-5-mini", stream_usage=True) | kit.parser()

    def write(state: State) -> dict[str, Any]:
        get_stream_writer()("writing")
        return {"messages": [writer.invoke(state["messages"])]}

    async def awrite(state: State) -> dict[str, Any]:
        get_stream_writer()("writing")
        return {"messages": [await writer.ainvoke(state["messages"])]}

    def ask(state: State) -> dict[str, Any]:
        return {"messages": [HumanMessage(interrupt({"text": state["messages"][-1].content}), id="answer")]}

    def find_title(state: State) -> dict[str, Any]:
        return {"title": "".join(titles.stream(state["messages"]))}

    async def afind_title(state: State) -> dict[str, Any]:
        return {"title": "".join([text async for text in titles.astream(state["messages"])])}

    graph = StateGraph(State)
    graph.add_node("write", awrite if asynchronous else write)
    graph.add_node("ask", ask)
    graph.add_node("find_title", afind_title if asynchronous else find_title)
    graph.add_edge(START, "write")
    graph.add_conditional_edges("write", lambda _: "ask" if asks else "find_title", ["ask", "find_title"])
    graph.add_edge("ask", "find_title")
    graph.add_edge("find_title", END)
    return graph.compile(checkpointer=InMemorySaver() if checkpoints else None)


def replies(kit: Kit) -> None:
    kit.script(Reply(pieces=["A ", "line", "."]), Reply(pieces=["On ", "lines"]))


def stream_graph(mode: Any) -> App:
    def app(kit: Kit) -> Iterator[Any]:
        replies(kit)
        yield from graph_of(kit).stream(ASKED, THREAD, stream_mode=mode)

    return app


def astream_graph(mode: Any) -> App:
    async def app(kit: Kit) -> Any:
        replies(kit)
        return await aread(graph_of(kit, asynchronous=True).astream(ASKED, THREAD, stream_mode=mode))

    return app


def resume(kit: Kit) -> Iterator[Any]:
    replies(kit)
    graph = graph_of(kit, asks=True)
    yield from graph.stream(ASKED, THREAD, stream_mode=["messages", "updates"])
    yield graph.get_state(THREAD).values, graph.get_state(THREAD).next
    yield from graph.stream(Command(resume="More."), THREAD, stream_mode=["messages", "updates"])
    yield [(state.values, state.next) for state in graph.get_state_history(THREAD)]


async def aresume(kit: Kit) -> Any:
    replies(kit)
    graph = graph_of(kit, asynchronous=True, asks=True)
    first = await aread(graph.astream(ASKED, THREAD, stream_mode=["messages", "updates"]))
    second = await aread(graph.astream(Command(resume="More."), THREAD, stream_mode=["messages", "updates"]))
    return [first, second, (await graph.aget_state(THREAD)).values]


def two_turns(kit: Kit) -> Iterator[Any]:
    replies(kit)
    replies(kit)
    graph = graph_of(kit)
    yield graph.invoke(ASKED, THREAD)
    yield graph.invoke({"messages": [HumanMessage("Another.", id="second")]}, THREAD)


def events(version: str) -> App:
    async def app(kit: Kit) -> Any:
        replies(kit)
        return await aread(graph_of(kit, asynchronous=True).astream_events(ASKED, THREAD, version=version))

    return app


def batch(kit: Kit) -> Iterator[Any]:
    kit.server.reply = Reply(pieces=["Same", "."])
    yield from graph_of(kit, checkpoints=False).batch([ASKED, ASKED])


def failure(reply: Reply) -> App:
    def app(kit: Kit) -> Iterator[Any]:
        kit.script(reply)
        graph = graph_of(kit)
        try:
            yield from graph.stream(ASKED, THREAD, stream_mode=["messages", "updates"])
        except Exception as error:
            yield type(error).__name__
        yield graph.get_state(THREAD).next
        replies(kit)
        # The graph continues with the node that failed.
        yield from graph.stream(None, THREAD, stream_mode=["messages", "updates"])

    return app


APPS: dict[str, App] = {
    **{f"stream {mode}": stream_graph(mode) for mode in MODES},
    **{f"astream {mode}": astream_graph(mode) for mode in MODES},
    "interrupt": resume,
    "interrupt, async": aresume,
    "two turns": two_turns,
    "events v1": events("v1"),
    "events v2": events("v2"),
    "batch": batch,
    "failure": failure(Reply(fault=ErrorStatus(400))),
}


@pytest.mark.parametrize("app", APPS)
@pytest.mark.parametrize("kit", KITS)
def test_a_graph_shows_what_it_shows_with_langchains_model(app: str, kit: str) -> None:
    assert shown(APPS[app], KITS[kit]) == shown_by_langchain(APPS[app])

"""Streams of LangChain's chains, agents and graphs that are left early: Millstream's model closes its connection at once."""

from collections.abc import Callable
from typing import Any

from langchain.agents import create_agent
from langchain_core.prompts import ChatPromptTemplate
from langgraph.checkpoint.memory import InMemorySaver
from langgraph.graph import START, MessagesState, StateGraph

from app_kits import Kit

PROMPT = ChatPromptTemplate.from_messages([("system", "Be brief."), ("human", "{text}")])
FILL = {"text": "Name a fish."}
ASKED: Any = {"messages": [("human", "Name a fish.")]}
THREAD: Any = {"configurable": {"thread_id": "1"}}


def graph_of(kit: Kit) -> Any:
    model = kit.model()

    async def reply(state: MessagesState) -> Any:
        return {"messages": [await model.ainvoke(state["messages"])]}

    return StateGraph(MessagesState).add_node(reply).add_edge(START, "reply").compile(checkpointer=InMemorySaver())


CHAINS: dict[str, Callable[[Kit], Any]] = {
    "model": lambda kit: kit.model(),
    "chain": lambda kit: PROMPT | kit.model() | kit.parser(),
    "LLM": lambda kit: PROMPT | kit.llm(),
    "observed": lambda kit: (PROMPT | kit.model()).with_listeners(on_start=lambda run: None),
    "fallbacks": lambda kit: PROMPT | kit.model().with_fallbacks([kit.model()]),
    "function": lambda kit: PROMPT | kit.model() | (lambda message: message),
    "tools": lambda kit: PROMPT | kit.model().bind_tools([]),
}
STREAMS: dict[str, Callable[[Kit], Any]] = {
    **{
        name: lambda kit, make=make: make(kit).astream(FILL if name != "model" else "p")
        for name, make in CHAINS.items()
    },
    "events": lambda kit: (PROMPT | kit.model()).astream_events(FILL, version="v2"),
    "model's events": lambda kit: kit.model().astream_events("p", version="v2"),
    "log": lambda kit: (PROMPT | kit.model()).astream_log(FILL),
    "agent": lambda kit: create_agent(kit.model(), []).astream(ASKED, stream_mode="messages"),
    "graph": lambda kit: graph_of(kit).astream(ASKED, THREAD, stream_mode="messages"),
    "graph's events": lambda kit: graph_of(kit).astream_events(ASKED, THREAD, version="v2"),
}

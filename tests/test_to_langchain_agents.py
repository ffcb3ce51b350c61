"""Converted models, tools and chains in LangChain's agents and in graphs of LangGraph, beside langchain-openai."""

import asyncio
from collections.abc import Callable, Iterator
from typing import Annotated, Any, TypedDict

import pytest
from langchain.agents import create_agent
from langchain_core.messages import AIMessage, AIMessageChunk, AnyMessage, HumanMessage, ToolMessage
from langchain_core.runnables import RunnableLambda
from langchain_core.tools import tool as their_tool
from langgraph.checkpoint.memory import InMemorySaver
from langgraph.config import get_stream_writer
from langgraph.graph import END, START, StateGraph
from langgraph.graph.message import add_messages
from langgraph.prebuilt import ToolNode, create_react_agent

from endings import aread
from langchain_peer import achat_peer, chat_of, dump_messages
from millstream.integrations.langchain import from_langchain, to_langchain
from millstream.output_parsers import StrOutputParser
from millstream.prompts import ChatPromptTemplate
from millstream.testing import MockServer, Reply
from millstream.tools import tool as our_tool

CALL = {"name": "add", "args": {"a": 1, "b": 2}, "id": "call_1"}
INPUT: Any = {"messages": [HumanMessage("What is 1 + 2?", id="1")]}
MODES: Any = ["messages", "updates", "custom", "values"]


def replies(request: Any) -> Reply:
    """Return a tool call for the first request, and a text once the tool has run."""
    is_answered = any(message["role"] == "tool" for message in request.body["messages"])
    return Reply(pieces=["It ", "is ", "3."]) if is_answered else Reply(tool_calls=[CALL])


@pytest.fixture
def server() -> Iterator[MockServer]:
    with MockServer(replies) as server:
        yield server


def their_add() -> Any:
    @their_tool
    def add(a: int, b: int) -> int:
        """Add two numbers."""
        return a + b

    return add


def our_add() -> Any:
    @our_tool
    def add(a: int, b: int) -> int:
        """Add two numbers."""
        return a + b

    return to_langchain(add)


class Song(TypedDict, total=False):
    topic: str
    text: Any


class State(TypedDict):
    messages: Annotated[list[AnyMessage], add_messages]


def graph(model: Any, tools: list[Any]) -> Any:
    """Return a graph that calls the model and its tools in turn, with a node that writes to the stream."""
    bound = model.bind_tools(tools)

    def call_model(state: State) -> Any:
        get_stream_writer()({"asked": len(state["messages"])})
        return {"messages": [bound.invoke(state["messages"])]}

    async def acall_model(state: State) -> Any:
        get_stream_writer()({"asked": len(state["messages"])})
        return {"messages": [await bound.ainvoke(state["messages"])]}

    def route(state: State) -> str:
        message: Any = state["messages"][-1]
        return "tools" if message.tool_calls else END

    made = StateGraph(State)
    made.add_node("model", RunnableLambda(call_model, acall_model))
    made.add_node("tools", ToolNode(tools))
    made.add_edge(START, "model")
    made.add_conditional_edges("model", route)
    made.add_edge("tools", "model")
    return made.compile(checkpointer=InMemorySaver())


AGENTS: dict[str, Callable[[Any, list[Any]], Any]] = {
    "create_agent": lambda model, tools: create_agent(model, tools, checkpointer=InMemorySaver()),
    "create_react_agent": lambda model, tools: create_react_agent(model, tools, checkpointer=InMemorySaver()),
    "graph": graph,
}


def normal(value: Any) -> Any:
    """Return what a stream of a graph yields in a form that two calls share."""
    if isinstance(value, tuple | list):
        return [normal(item) for item in value]
    if isinstance(value, dict):
        kept = {key: item for key, item in value.items() if "checkpoint" not in key and "langgraph" not in key}
        return {key: normal(item) for key, item in kept.items() if key not in ("lc_versions", "thread_id")}
    if hasattr(value, "content"):
        dumped = dump_messages(value)
        metadata = dumped.pop("response_metadata")
        shown = {key: metadata.get(key) for key in ("finish_reason", "model_name", "model_provider")}
        return {**dumped, "response_metadata": shown, "id": dumped["id"] == "1", "class": type(value)}
    return value


@pytest.mark.parametrize("way", ["invoke", "ainvoke", "stream", "astream"])
@pytest.mark.parametrize("agent", AGENTS)
@pytest.mark.filterwarnings("ignore:create_react_agent has been moved")
def test_an_agent_does_what_it_does_with_langchain_openai(agent: str, way: str, server: MockServer) -> None:
    async def run(model: Any, tools: list[Any]) -> Any:
        made = AGENTS[agent](model, tools)
        config: Any = {"configurable": {"thread_id": "1"}}
        if way == "invoke":
            return made.invoke(INPUT, config)
        if way == "ainvoke":
            return await made.ainvoke(INPUT, config)
        if way == "stream":
            return list(made.stream(INPUT, config, stream_mode=MODES))
        return await aread(made.astream(INPUT, config, stream_mode=MODES))

    async def main() -> None:
        async with achat_peer(server.url, model="m") as theirs:
            expected = await run(theirs, [their_add()])
        async with chat_of(server, model="m") as ours:
            found = await run(to_langchain(ours), [our_add()])
        assert merged(normal(found)) == merged(normal(expected))

    asyncio.run(main())


def merged(items: Any) -> Any:
    """Return the items of a stream with the chunks of messages in a row as their text: how they are cut may differ."""
    if isinstance(items, dict):
        return items
    others = [item for item in items if item[0] != "messages"]
    messages = [item[1][0] for item in items if item[0] == "messages"]
    text = "".join(message["content"] for message in messages if message["class"] is AIMessageChunk)
    return others, text, [message for message in messages if message["class"] is not AIMessageChunk]


def test_messages_of_an_agent_are_langchains(server: MockServer) -> None:
    with chat_of(server, model="m") as ours:
        state = create_agent(to_langchain(ours), [our_add()]).invoke(INPUT)
    assert [type(message) for message in state["messages"]] == [HumanMessage, AIMessage, ToolMessage, AIMessage]
    assert [message.content for message in state["messages"]][2:] == ["3", "It is 3."]


def test_a_converted_chain_streams_in_a_node_of_a_graph(server: MockServer) -> None:
    async def main() -> None:
        async with chat_of(server, model="m") as ours:
            chain = to_langchain(ChatPromptTemplate.from_template("{topic}") | ours)
            made = StateGraph(Song)
            made.add_node("sing", lambda state: {"text": chain.invoke({"topic": state["topic"]})})
            made.add_edge(START, "sing")
            app: Any = made.compile()
            items = await aread(app.astream({"topic": "tea"}, stream_mode="messages"))
            chunks = [chunk for chunk, _ in items if isinstance(chunk, AIMessageChunk)]
            assert len(chunks) > 1
            assert {metadata["langgraph_node"] for _, metadata in items} == {"sing"}

    with MockServer() as plain:
        server = plain
        asyncio.run(main())


def test_an_agent_is_a_step_of_our_chains(server: MockServer) -> None:
    async def main() -> None:
        async with chat_of(server, model="m") as ours:
            agent = from_langchain(create_agent(to_langchain(ours), [our_add()]))
            prompt = ChatPromptTemplate.from_template("{topic}")
            chain = prompt | (lambda value: {"messages": value.to_messages()}) | agent | read_last | StrOutputParser()
            assert chain.invoke({"topic": "1 + 2"}) == "It is 3."
            assert await chain.ainvoke({"topic": "1 + 2"}) == "It is 3."
            events = await aread(agent.astream_events(INPUT, version="v2"))
            names = [event["name"] for event in events if event["event"] == "on_chat_model_start"]
            assert names == ["ChatOpenAI"] * 2

    asyncio.run(main())


def read_last(state: Any) -> Any:
    assert type(state["messages"][-1]).__module__.startswith("millstream.")
    return state["messages"][-1]


@pytest.mark.filterwarnings("ignore:create_react_agent has been moved")
def test_an_agent_finds_the_model_in_one_that_has_its_tools_already(server: MockServer) -> None:
    tool = our_add()
    with chat_of(server, model="m") as ours:
        bound = ours.bind_tools([tool.runnable])
        made: Any = to_langchain(bound)
        assert from_langchain(made) is bound
        assert (made.bound.runnable, made.get_name()) == (ours, "ChatOpenAI")
        state = create_react_agent(made, [tool]).invoke(INPUT)
        assert state["messages"][-1].content == "It is 3."
        more = made.bind(stop=["x"]).with_config(tags=["t"])
        assert more.invoke("p").tool_calls[0]["name"] == "add"
        assert from_langchain(more).invoke("p").tool_calls[0]["name"] == "add"
    assert server.requests[-1].body["stop"] == ["x"]
    assert [one["function"]["name"] for one in server.requests[-1].body["tools"]] == ["add"]

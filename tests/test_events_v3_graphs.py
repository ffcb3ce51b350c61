"""Version 3 of the events of LangGraph's graphs over our models, and of LangChain's Runnables in our chains."""

import asyncio
import warnings
from collections.abc import Iterator
from typing import Any

import pytest
from langchain_tests.utils.stream_lifecycle import assert_valid_event_stream

pytest.importorskip("langgraph.graph")

import langchain_core.runnables
from langgraph.graph import START, MessagesState, StateGraph

from endings import aread
from events_v3 import ANSWERS, both_models, plain, reply_of
from langchain_chat import chat_models
from millstream import ChatOpenAI
from millstream.integrations.langchain import from_langchain, to_langchain
from millstream.output_parsers import StrOutputParser
from millstream.runnables import RunnableLambda
from millstream.testing import VERSE, MockServer

INPUT = {"messages": [("user", "p")]}


@pytest.fixture(autouse=True)
def _beta() -> Iterator[None]:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        yield


def graph_of(model: Any) -> Any:
    """Return a graph with a node that calls a model, of either library."""

    def ask(state: Any) -> Any:
        return {"messages": [to_langchain(model.invoke(state["messages"]))]}

    async def aask(state: Any) -> Any:
        return {"messages": [to_langchain(await model.ainvoke(state["messages"]))]}

    graph = StateGraph(MessagesState)
    graph.add_node("ask", langchain_core.runnables.RunnableLambda(ask, aask))
    graph.add_edge(START, "ask")
    return graph.compile()


def read(graph: Any) -> Any:
    """Return the protocol events of the messages in a graph, their namespaces, and the messages."""
    run = graph.stream_events(INPUT, version="v3")
    found = [event["params"] for event in run if event["method"] == "messages"]
    again = graph.stream_events(INPUT, version="v3")
    messages = [(list(message.text), list(message.tool_calls), plain(message.output)) for message in again.messages]
    events = [(params["namespace"], plain(params["data"][0])) for params in found]
    return [event for event in events if isinstance(event[1], dict) and "event" in event[1]], messages


async def aread_graph(graph: Any) -> Any:
    """:func:`read` for async code."""
    run = await graph.astream_events(INPUT, version="v3")
    return [
        ([piece async for piece in message.text], await message.tool_calls, plain(await message.output))
        async for message in run.messages
    ]


@pytest.mark.parametrize("which", ANSWERS)
def test_a_graph_reports_our_models_as_it_does_langchains(which: str) -> None:
    with MockServer(reply_of(ANSWERS[which])) as server:
        ours, theirs = both_models(server)
        expected = read(graph_of(theirs))
        assert read(graph_of(ours)) == expected
        assert read(graph_of(to_langchain(ours))) == expected
        assert_valid_event_stream([event for _, event in expected[0]])
        aexpected = asyncio.run(aread_graph(graph_of(theirs)))
        assert asyncio.run(aread_graph(graph_of(ours))) == aexpected


def test_the_integrations_model_streams_its_events_through_langchain() -> None:
    with chat_models(reply_of(ANSWERS["two calls"])) as (model, peer, _):
        found, expected = (list(each.stream_events("p", version="v3")) for each in (model, peer))
        assert plain(found) == plain(expected)
        assert read(graph_of(model)) == read(graph_of(peer))


def test_a_graph_in_a_chain_is_a_part_of_the_namespace(mock_server: MockServer) -> None:
    one = ChatOpenAI(base_url=mock_server.url, api_key="k")
    chain: Any = RunnableLambda(lambda _: INPUT) | from_langchain(graph_of(one))
    run = chain.stream_events("p", version="v3")
    (message,) = run.messages
    assert message.output.text == "".join(VERSE)
    names = [segment.partition(":")[0] for segment in message.namespace]
    assert names[:2] == ["LangGraph", "ask"]


def test_a_model_of_langchains_has_events_in_a_chain_of_ours(mock_server: MockServer) -> None:
    _, theirs = both_models(mock_server)

    async def main(chain: Any) -> Any:
        run = await chain.astream_events("p", version="v3")
        return await aread(run), [await message.output async for message in run.messages], await run.output()

    for chain in (from_langchain(theirs) | StrOutputParser(), RunnableLambda(theirs.invoke) | StrOutputParser()):
        run = chain.stream_events("p", version="v3")
        events, messages = list(run), [message.output for message in run.messages]
        for some, found, output in ((events, messages, run.output), asyncio.run(main(chain))):
            assert_valid_event_stream([e["params"]["data"][0] for e in some if e["method"] == "messages"])
            assert [message.text for message in found] == ["".join(VERSE)]
            assert output == "".join(VERSE)

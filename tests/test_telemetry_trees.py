"""``millstream.telemetry``: the parents of spans, across steps, threads, tasks, tools, agents and both libraries."""

import asyncio
import threading
from collections.abc import Callable
from typing import Any

import pytest
from langchain_core.runnables import RunnableLambda as TheirLambda
from langgraph.graph import END, START, StateGraph
from opentelemetry import propagate, trace
from opentelemetry.trace import SpanKind, StatusCode

from millstream import telemetry
from millstream.documents import Document
from millstream.messages import HumanMessage
from millstream.output_parsers import StrOutputParser
from millstream.prompts import ChatPromptTemplate
from millstream.retrievers import BaseRetriever
from millstream.runnables import RunnableConfig, RunnableLambda, RunnableParallel
from millstream.testing import MockServer, Reply
from millstream.tools import ToolException, tool
from traced import MODELS, Traced, aread, traced

__all__ = ("traced",)

WAYS: dict[str, Callable[[Any, Any], Any]] = {
    "invoke": lambda step, value: step.invoke(value),
    "ainvoke": lambda step, value: asyncio.run(step.ainvoke(value)),
    "batch": lambda step, value: step.batch([value]),
    "abatch": lambda step, value: asyncio.run(step.abatch([value])),
    "stream": lambda step, value: list(step.stream(value)),
    "astream": lambda step, value: asyncio.run(aread(step.astream(value))),
    "events": lambda step, value: asyncio.run(aread(step.astream_events(value, version="v2"))),
}


@pytest.mark.parametrize("way", WAYS)
def test_the_span_of_the_application_is_the_parent(way: str, traced: Traced) -> None:
    with MockServer() as server, traced.tracer.start_as_current_span("request"):
        model = MODELS["chat"](server)
        WAYS[way](model, "p")
        WAYS[way](ChatPromptTemplate.from_template("{x}") | model | StrOutputParser(), {"x": "p"})
    first, second, request = traced.spans
    assert first.parent == second.parent == request.context
    assert request.parent is None


@pytest.mark.parametrize("way", WAYS)
def test_a_tool_is_the_parent_of_what_its_code_calls(way: str, traced: Traced) -> None:
    with MockServer() as server:
        model = MODELS["chat"](server)

        @tool
        def look_up(word: str) -> str:
            """Look a word up."""
            with traced.tracer.start_as_current_span("own"):
                return str(model.invoke(word).content)

        WAYS[way](look_up, {"word": "w"})
    assert traced.tree == {"chat m": "own", "own": "execute_tool look_up", "execute_tool look_up": None}
    span = traced.spans[-1]
    assert span.kind is SpanKind.INTERNAL
    assert dict(span.attributes or {}) == {
        "gen_ai.operation.name": "execute_tool",
        "gen_ai.tool.name": "look_up",
        "gen_ai.tool.type": "function",
        "gen_ai.tool.description": "Look a word up.",
    }


def test_an_async_tool_is_the_parent_of_what_it_awaits(traced: Traced) -> None:
    with MockServer() as server:
        model = MODELS["chat"](server)

        @tool
        async def look_up(word: str) -> str:
            """Look a word up."""
            answers = await asyncio.gather(model.ainvoke(word), asyncio.create_task(model.ainvoke(word)))
            return str(len(answers))

        asyncio.run(look_up.ainvoke({"word": "w"}))
    first, second, outer = traced.spans
    assert first.parent == second.parent == outer.context


def test_no_span_is_current_while_the_consumer_has_the_stream(traced: Traced) -> None:
    async def read(model: Any) -> None:
        async for _ in model.astream("p"):
            assert trace.get_current_span() is trace.INVALID_SPAN

    with MockServer() as server:
        for chunk in MODELS["chat"](server).stream("p"):
            assert chunk is not None
            assert trace.get_current_span() is trace.INVALID_SPAN
        asyncio.run(read(MODELS["chat"](server)))


def test_a_thread_that_lost_the_context_has_the_parent_of_the_configuration(traced: Traced) -> None:
    traced.instrument(chains=True)
    with MockServer() as server:
        model = MODELS["chat"](server)

        def ask(word: str, config: RunnableConfig) -> str:
            thread = threading.Thread(target=model.invoke, args=(word, config))
            thread.start()
            thread.join()
            return word

        RunnableLambda(ask).invoke("w")
    assert traced.tree == {"chat m": "ask", "ask": None}


def test_batches_and_branches_keep_their_parents(traced: Traced) -> None:
    with MockServer() as server:
        model = MODELS["chat"](server)

        @tool
        def look_up(word: str) -> str:
            """Look a word up."""
            model.batch([word, word], {"max_concurrency": 2})
            RunnableParallel(a=model, b=RunnableLambda(lambda value: model.invoke(value))).invoke(word)
            return word

        look_up.invoke({"word": "w"})
    *inner, outer = traced.spans
    assert [span.parent for span in inner] == [outer.context] * 4


def test_a_retriever_has_a_span(traced: Traced) -> None:
    class Fixed(BaseRetriever):
        def _get_relevant_documents(self, query: str, *, run_manager: Any) -> list[Document]:
            with traced.tracer.start_as_current_span("own"):
                return [Document("a")]

    (RunnableLambda(lambda value: value) | Fixed()).invoke("q")
    assert traced.tree == {"own": "retrieval Fixed", "retrieval Fixed": None}


def test_an_error_of_a_tool_is_that_of_its_span(traced: Traced) -> None:
    @tool
    def fail(word: str) -> str:
        """Fail."""
        raise ToolException("no such word")

    with pytest.raises(ToolException):
        fail.invoke({"word": "w"})
    (span,) = traced.spans
    assert span.status.status_code is StatusCode.ERROR
    assert span.status.description == "no such word"
    assert dict(span.attributes or {})["error.type"] == "ToolException"


def test_a_tool_call_has_its_id_and_with_content_its_arguments_and_result(traced: Traced) -> None:
    @tool
    def add(x: int, y: int) -> int:
        """Add."""
        return x + y

    traced.instrument(capture_content=True)
    add.invoke({"type": "tool_call", "id": "c1", "name": "add", "args": {"x": 1, "y": 2}})
    found = dict(traced.span.attributes or {})
    assert found["gen_ai.tool.call.id"] == "c1"
    assert (found["gen_ai.tool.call.arguments"], found["gen_ai.tool.call.result"]) == ('{"x": 1, "y": 2}', "3")


# Chains.


@pytest.mark.parametrize("way", WAYS)
def test_chains_are_spans_where_the_application_asks_for_them(way: str, traced: Traced) -> None:
    traced.instrument(chains=True)
    with MockServer() as server:
        chain = ChatPromptTemplate.from_template("{x}") | MODELS["chat"](server) | StrOutputParser()
        WAYS[way](chain, {"x": "p"})
    assert traced.tree == {
        "RunnableSequence": None,
        "ChatPromptTemplate": "RunnableSequence",
        "chat m": "RunnableSequence",
        "StrOutputParser": "RunnableSequence",
    }
    assert {span.kind for span in traced.spans} == {SpanKind.INTERNAL, SpanKind.CLIENT}


def test_spans_of_the_application_stand_between_a_chain_and_a_model(traced: Traced) -> None:
    traced.instrument(chains=True)
    with MockServer() as server:
        model = MODELS["chat"](server)

        def ask(word: str) -> Any:
            with traced.tracer.start_as_current_span("own"):
                return model.invoke(word)

        RunnableLambda(ask).invoke("w")
    assert traced.tree == {"chat m": "own", "own": "ask", "ask": None}


# Agents.


@pytest.mark.parametrize("is_async", [False, True])
def test_a_block_is_the_span_of_an_agent(is_async: bool, traced: Traced) -> None:
    async def run(model: Any) -> None:
        with telemetry.agent("librarian", id="a1", description="Finds books."):
            await asyncio.gather(model.ainvoke("p"), model.ainvoke("p"))

    with MockServer() as server:
        model = MODELS["chat"](server)
        if is_async:
            asyncio.run(run(model))
        else:
            with telemetry.agent("librarian", id="a1", description="Finds books."):
                model.batch(["p", "p"])
    first, second, agent = traced.spans
    assert first.parent == second.parent == agent.context
    assert (agent.name, agent.kind) == ("invoke_agent librarian", SpanKind.INTERNAL)
    assert dict(agent.attributes or {}) == {
        "gen_ai.operation.name": "invoke_agent",
        "gen_ai.agent.name": "librarian",
        "gen_ai.agent.id": "a1",
        "gen_ai.agent.description": "Finds books.",
    }


def test_an_exception_of_the_block_is_the_error_of_the_agent(traced: Traced) -> None:
    with pytest.raises(KeyError), telemetry.agent("librarian"):
        raise KeyError("book")
    assert traced.span.status.status_code is StatusCode.ERROR
    assert dict(traced.span.attributes or {})["error.type"] == "KeyError"
    assert trace.get_current_span() is trace.INVALID_SPAN


def test_without_instrument_the_block_is_a_block(traced: Traced) -> None:
    telemetry.uninstrument()
    with telemetry.agent("librarian"):
        assert trace.get_current_span() is trace.INVALID_SPAN
    assert traced.spans == []


# LangChain and LangGraph.


def test_a_model_inside_a_run_of_langchain_has_the_ambient_parent(traced: Traced) -> None:
    with MockServer() as server, traced.tracer.start_as_current_span("request"):
        model = MODELS["chat"](server)
        TheirLambda(lambda value: model.invoke(value)).invoke("p")
    assert traced.tree == {"chat m": "request", "request": None}


@pytest.mark.parametrize("way", ["invoke", "ainvoke"])
def test_an_agent_of_langgraph_is_traced(way: str, traced: Traced) -> None:
    call = Reply(tool_calls=[{"name": "look_up", "args": {"word": "w"}, "id": "c1"}])
    with MockServer(script=[call, Reply()]) as server:

        @tool
        def look_up(word: str) -> str:
            """Look a word up."""
            with traced.tracer.start_as_current_span("own"):
                return word

        model = MODELS["chat"](server).bind_tools([look_up])

        def ask(state: dict[str, Any]) -> dict[str, Any]:
            return {"messages": [*state["messages"], model.invoke(state["messages"])]}

        def act(state: dict[str, Any]) -> dict[str, Any]:
            calls = state["messages"][-1].tool_calls
            return {"messages": [*state["messages"], *map(look_up.invoke, calls)]}

        def route(state: dict[str, Any]) -> str:
            return "act" if state["messages"][-1].tool_calls else END

        make: Any = StateGraph
        graph = make(dict)
        graph.add_node("ask", ask)
        graph.add_node("act", act)
        graph.add_edge(START, "ask")
        graph.add_conditional_edges("ask", route)
        graph.add_edge("act", "ask")
        agent, state = graph.compile(), {"messages": [HumanMessage("p")]}
        config = {"configurable": {"thread_id": "t1"}, "metadata": {"lc_agent_name": "a"}}
        with traced.tracer.start_as_current_span("request"):
            agent.invoke(state, config) if way == "invoke" else asyncio.run(agent.ainvoke(state, config))
    first, own, execute, second, request = traced.spans
    assert [span.name for span in (first, own, execute, second)] == ["chat m", "own", "execute_tool look_up", "chat m"]
    assert first.parent == execute.parent == second.parent == request.context
    assert own.parent == execute.context
    for span in (first, execute):
        found = dict(span.attributes or {})
        assert found["gen_ai.conversation.id"] == "t1"
        assert found["gen_ai.agent.name"] == "a"


# Propagation.


@pytest.mark.parametrize("way", WAYS)
def test_the_request_continues_the_trace_where_the_application_asks_for_it(way: str, traced: Traced) -> None:
    traced.instrument(propagate=True)
    with MockServer() as server:
        WAYS[way](MODELS["chat"](server), "p")
        (request,) = server.requests
    of_span = traced.span.context
    ids = f"{of_span.trace_id:032x}-{of_span.span_id:016x}"
    assert request.headers["traceparent"] == f"00-{ids}-{of_span.trace_flags:02x}"
    carrier: dict[str, str] = {}
    propagate.inject(carrier)
    assert carrier == {}


def test_without_it_requests_have_no_header_of_a_trace(traced: Traced) -> None:
    with MockServer() as server:
        MODELS["chat"](server).invoke("p")
        traced.instrument(propagate=True)
        telemetry.uninstrument()
        with traced.tracer.start_as_current_span("request"):
            MODELS["chat"](server).invoke("p")
        assert not any("traceparent" in request.headers for request in server.requests)


def test_a_header_of_the_application_stays(traced: Traced) -> None:
    traced.instrument(propagate=True)
    with MockServer() as server:
        MODELS["chat"](server, default_headers={"traceparent": "mine"}).invoke("p")
        assert server.requests[0].headers["traceparent"] == "mine"

"""Tools and retrievers of one library in the other one."""

import asyncio
from typing import Annotated, Any, TypedDict

import langchain_core.messages
import langchain_core.tools
import pytest
from langchain_core.documents import Document as TheirDocument
from langchain_core.messages import AIMessage, AnyMessage, HumanMessage
from langchain_core.retrievers import BaseRetriever as TheirRetriever
from langchain_core.tools import BaseTool as TheirTool
from langgraph.graph import END, START, StateGraph
from langgraph.graph.message import add_messages
from langgraph.prebuilt import InjectedState, ToolNode
from langgraph.types import Command

import millstream.messages
import millstream.tools
from both_libraries import find, ours, theirs
from langchain_peer import chat_of
from marks import both_ways
from millstream.documents import Document
from millstream.integrations.langchain import from_langchain, to_langchain
from millstream.output_parsers import StrOutputParser
from millstream.prompts import ChatPromptTemplate
from millstream.retrievers import BaseRetriever
from millstream.testing import MockServer
from millstream.tools import BaseTool, InjectedToolCallId, ToolException
from recording import ahandlers, comparable_calls, handlers

CALL: Any = {"type": "tool_call", "id": "i", "name": "divide", "args": {"a": 4, "b": 2}}
FAILING: Any = {**CALL, "args": {"a": 4, "b": 0}}
INVALID: Any = {**CALL, "args": {"a": "x"}}


def tools_of(lib: Any, error: Any, **fields: Any) -> Any:
    def divide(a: int, b: int) -> Any:
        """Divide two numbers."""
        if b == 0:
            raise error("no such number")
        return (f"{a // b}", {"rest": a % b}) if fields.get("response_format") else a // b

    return lib.StructuredTool.from_function(divide, **fields)


LIBRARIES = [(theirs, langchain_core.tools.ToolException), (ours, ToolException)]
KINDS: dict[str, dict[str, Any]] = {
    "plain": {},
    "artifact": {"response_format": "content_and_artifact"},
    "handling": {"handle_tool_error": True, "handle_validation_error": "not valid"},
}


@both_ways
@pytest.mark.parametrize("place", [0, 1], ids=["LangChain's", "Millstream's"])
@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("call", [CALL, {"a": 4, "b": 2}, FAILING, INVALID], ids=["call", "dict", "failing", "invalid"])
def test_a_converted_tool_returns_what_the_other_librarys_own_does(
    kind: str, call: Any, place: int, asynchronous: bool
) -> None:
    """The library of ``place`` is the one outside."""
    convert = from_langchain if place else to_langchain
    own, other = (tools_of(*LIBRARIES[each], **KINDS[kind]) for each in (place, 1 - place))
    results = []
    for tool in (own, convert(other)):
        log: list[Any] = []
        config: Any = {"callbacks": [(ahandlers if asynchronous else handlers)(log, run_inline=True)[place]]}
        try:
            output = asyncio.run(tool.ainvoke(call, config)) if asynchronous else tool.invoke(call, config)
        except Exception as error:
            output = type(error).__name__
        results.append((type(output), output, comparable_calls(log)))
    assert results[1][:2] == results[0][:2]
    assert [call[1] for call in results[1][2]] == [call[1] for call in results[0][2]]


def test_a_converted_tool_describes_itself_as_its_own_does() -> None:
    made: Any = to_langchain(tools_of(*LIBRARIES[1]))
    tool = tools_of(*LIBRARIES[0])
    assert issubclass(type(made), TheirTool)
    assert (made.name, made.description, made.args) == (tool.name, tool.description, tool.args)
    assert made.tool_call_schema.model_json_schema() == tool.tool_call_schema.model_json_schema()
    back: Any = from_langchain(tool)
    own = tools_of(*LIBRARIES[1])
    assert issubclass(type(back), BaseTool)
    assert (back.name, back.description, back.args) == (own.name, own.description, own.args)
    assert back.tool_call_schema.model_json_schema() == own.tool_call_schema.model_json_schema()
    assert to_langchain(back) is tool
    assert to_langchain([own, {"a": own}])[1]["a"].runnable is own


def test_our_model_calls_a_tool_of_langchains() -> None:
    with MockServer() as server, chat_of(server, model="m") as model:
        model.bind_tools([from_langchain(tools_of(*LIBRARIES[0])), tools_of(*LIBRARIES[0])]).invoke("p")
        first, second = server.requests[-1].body["tools"]
    assert first == second
    assert first["function"]["name"] == "divide"


class State(TypedDict):
    messages: Annotated[list[AnyMessage], add_messages]
    user: str


@millstream.tools.tool
def greet(
    greeting: str, state: Annotated[dict[str, Any], InjectedState], call: Annotated[str, InjectedToolCallId]
) -> Any:
    """Greet the user."""
    text = f"{greeting}, {state['user']}!"
    return Command(
        update={"user": "greeted", "messages": [langchain_core.messages.ToolMessage(text, tool_call_id=call)]}
    )


def test_a_graph_injects_its_state_into_a_converted_tool() -> None:
    tool = to_langchain(greet)
    assert list(tool.args) == ["greeting"]
    made = StateGraph(State)
    made.add_node("tools", ToolNode([tool]))
    made.add_edge(START, "tools")
    made.add_edge("tools", END)
    call: Any = {"name": "greet", "args": {"greeting": "Hey"}, "id": "i", "type": "tool_call"}
    state: Any = {"messages": [HumanMessage("p"), AIMessage("", tool_calls=[call])], "user": "Ada"}
    found = made.compile().invoke(state)
    assert (found["messages"][-1].content, found["user"]) == ("Hey, Ada!", "greeted")


@both_ways
def test_a_retriever_of_langchains_finds_documents_of_ours(asynchronous: bool) -> None:
    retriever = from_langchain(find(theirs))
    found = asyncio.run(retriever.ainvoke("a b")) if asynchronous else retriever.invoke("a b")
    assert found == [Document("a", metadata={"query": "a b"}), Document("b", metadata={"query": "a b"})]
    chain = retriever | (lambda found: {"text": found[-1].page_content}) | ChatPromptTemplate.from_template("{text}")
    assert chain.invoke("a b").to_string() == "Human: b"


@both_ways
def test_a_retriever_of_ours_finds_documents_of_langchains(asynchronous: bool) -> None:
    retriever = to_langchain(find(ours))
    assert isinstance(retriever, TheirRetriever)
    found = asyncio.run(retriever.ainvoke("a b")) if asynchronous else retriever.invoke("a b")
    assert found == [TheirDocument("a", metadata={"query": "a b"}), TheirDocument("b", metadata={"query": "a b"})]
    made = langchain_core.tools.create_retriever_tool(retriever, "search", "Search.")
    assert made.invoke({"query": "a"}) == "a"
    own: BaseRetriever = find(ours)
    assert from_langchain(to_langchain(own)) is own


def test_models_of_langchain_have_tools_and_schemas_as_steps_of_ours() -> None:
    class Recording(theirs.GenericFakeChatModel):  # type: ignore[misc]
        def bind_tools(self, tools: Any, **kwargs: Any) -> Any:
            assert all(isinstance(tool, TheirTool) for tool in tools)
            return self.bind(tools=tools)

    model = from_langchain(Recording(messages=iter([AIMessage("hi")])))
    bound = model.bind_tools([tools_of(*LIBRARIES[1])])
    output = (ChatPromptTemplate.from_template("{x}") | bound | StrOutputParser()).invoke({"x": 1})
    assert output == "hi"
    assert type(from_langchain(AIMessage("hi"))) is millstream.messages.AIMessage

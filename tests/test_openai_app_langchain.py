"""``openai_app`` serves Runnables of LangChain's, agents and graphs."""

import json
import warnings
from typing import Any

import langchain_openai
import openai
import pytest
from langchain_core.language_models import BaseChatModel as TheirChatModel
from langchain_core.messages import AIMessage as TheirAIMessage
from langchain_core.output_parsers import StrOutputParser as TheirParser
from langchain_core.outputs import ChatGeneration as TheirGeneration
from langchain_core.outputs import ChatResult as TheirResult
from langchain_core.prompts import ChatPromptTemplate as TheirPrompt
from langchain_core.runnables import RunnableLambda as TheirLambda
from langchain_core.tools import tool

from millstream.runnables.foreign import as_runnable
from millstream.testing import VERSE, ErrorStatus, MockServer, Reply, refusing_url
from openai_served import USER, of_app, served

TEXT = "".join(VERSE)


def test_runnables_of_langchain_are_served(mock_server: MockServer) -> None:
    theirs = of_app(langchain_openai.ChatOpenAI, mock_server.origin, stream_usage=True)
    prompt = TheirPrompt.from_messages([("system", "Be brief."), ("human", "{question}")])
    runnables = {
        "model": theirs,
        "bound": theirs.bind(temperature=0.1),
        "chain": prompt | theirs | TheirParser(),
        "function": TheirLambda(lambda messages: messages[-1].content),
        "llm": (their_llm := of_app(langchain_openai.OpenAI, mock_server.origin)),
    }
    closing = theirs.root_async_client.close, their_llm.async_client._client.close
    options: Any = {"include_usage": True}
    found: dict[str, tuple[Any, str]] = {}
    usages: dict[str, tuple[bool, bool]] = {}
    with served(runnables, *closing) as sdk:
        for name in runnables:
            whole = sdk.chat.completions.create(model=name, messages=USER, max_completion_tokens=500)
            chunks = list(sdk.chat.completions.create(model=name, messages=USER, stream=True, stream_options=options))
            text = "".join(choice.delta.content or "" for chunk in chunks for choice in chunk.choices)
            found[name] = whole.choices[0].message.content, text
            usages[name] = whole.usage is not None, chunks[-1].usage is not None
        sdk.chat.completions.create(model="bound", messages=USER, temperature=0.9, stop="x", seed=3)
    assert found == {name: ("Name a fish.",) * 2 if name == "function" else (TEXT, TEXT) for name in runnables}
    assert usages["model"] == usages["bound"] == (True, True)
    assert usages["chain"] == (True, True)
    assert (usages["llm"][0], usages["function"]) == (True, (False, False))
    sent = mock_server.requests[-1].body
    assert (sent["temperature"], sent["stop"], sent["seed"]) == (0.9, "x", 3)
    chain = next(request.body for request in mock_server.requests if len(request.body.get("messages", ())) == 2)
    assert [message["content"] for message in chain["messages"]] == ["Be brief.", "Name a fish."]
    assert chain["max_completion_tokens"] == 500


@pytest.mark.parametrize("stream", [False, True])
def test_errors_of_langchains_models_have_the_same_statuses(stream: bool) -> None:
    statuses = {400: 400, 401: 401, 404: 404, 429: 429, 500: 502, 503: 503}
    found: dict[int, tuple[int, str | None]] = {}
    with MockServer() as upstream:
        theirs = of_app(langchain_openai.ChatOpenAI, upstream.origin)
        with refusing_url() as refusing:
            unreachable = langchain_openai.ChatOpenAI(model="m", api_key="k", base_url=refusing, max_retries=0)  # type: ignore[arg-type]
            closing = theirs.root_async_client.close, unreachable.root_async_client.close
            with served({"fish": theirs, "unreachable": unreachable}, *closing) as sdk:
                for status in statuses:
                    upstream.reply = Reply(fault=ErrorStatus(status, "secret", headers={"retry-after": "7"}))
                    with pytest.raises(openai.APIStatusError) as caught:
                        sdk.chat.completions.create(model="fish", messages=USER, stream=stream)
                    assert "secret" not in caught.value.response.text
                    found[status] = caught.value.status_code, caught.value.response.headers.get("retry-after")
                with pytest.raises(openai.APIStatusError) as caught:
                    sdk.chat.completions.create(model="unreachable", messages=USER, stream=stream)
    assert found == {status: (seen, "7") for status, seen in statuses.items()}
    assert caught.value.status_code == 502


def agent_of(messages: list[TheirAIMessage]) -> Any:
    """Return an agent with one tool, whose model gives these answers."""
    from langchain.agents import create_agent

    @tool
    def weather(city: str) -> str:
        """Return the weather."""
        return f"rain in {city}"

    answers = iter(messages)

    class Model(TheirChatModel):
        def _generate(self, messages: Any, stop: Any = None, run_manager: Any = None, **kwargs: Any) -> Any:
            return TheirResult(generations=[TheirGeneration(message=next(answers))])

        def bind_tools(self, tools: Any, **kwargs: Any) -> Any:
            return self

        @property
        def _llm_type(self) -> str:
            return "fake"

    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return create_agent(Model(), [weather])


def test_an_agent_is_served_with_its_tools_run_by_itself() -> None:
    call: Any = {"name": "weather", "args": {"city": "Bern"}, "id": "call_1"}
    usage: Any = {"input_tokens": 3, "output_tokens": 2, "total_tokens": 5}

    def answers() -> list[TheirAIMessage]:
        return [
            TheirAIMessage("Let me see. ", tool_calls=[call], usage_metadata=usage),
            TheirAIMessage("It rains in Bern.", usage_metadata=usage),
        ]

    options: Any = {"include_usage": True}
    with served({"whole": agent_of(answers()), "stream": agent_of(answers())}) as sdk:
        whole = sdk.chat.completions.create(model="whole", messages=USER)
        chunks = list(sdk.chat.completions.create(model="stream", messages=USER, stream=True, stream_options=options))
    choice = whole.choices[0]
    assert (choice.message.content, choice.finish_reason, choice.message.tool_calls) == (
        "It rains in Bern.",
        "stop",
        None,
    )
    assert (
        "".join(item.delta.content or "" for chunk in chunks for item in chunk.choices)
        == "Let me see. It rains in Bern."
    )
    assert all(item.delta.tool_calls is None for chunk in chunks for item in chunk.choices)
    assert whole.usage is not None
    assert chunks[-1].usage is not None
    assert whole.usage.total_tokens == chunks[-1].usage.total_tokens == 10


def test_a_graph_of_two_models_streams_both_answers(mock_server: MockServer) -> None:
    from langgraph.graph import START, MessagesState, StateGraph

    def node(reply: str) -> Any:
        model = of_app(langchain_openai.ChatOpenAI, mock_server.origin)
        return lambda state: {"messages": [model.invoke([*state["messages"], ("user", reply)])]}

    graph = StateGraph(MessagesState)
    graph.add_node("one", node("first"))
    graph.add_node("two", node("second"))
    graph.add_edge(START, "one")
    graph.add_edge("one", "two")
    bound = as_runnable(graph.compile())
    assert bound is not None
    with served({"fish": graph.compile(), "bound": bound.with_config(tags=["a"])}) as sdk:
        again = list(sdk.chat.completions.create(model="bound", messages=USER, stream=True))
        whole = sdk.chat.completions.create(model="fish", messages=USER)
        chunks = list(sdk.chat.completions.create(model="fish", messages=USER, stream=True))
        with sdk.responses.stream(model="fish", input="Name a fish.") as events:
            response = events.get_final_response()
    assert whole.choices[0].message.content == TEXT
    assert "".join(choice.delta.content or "" for chunk in chunks for choice in chunk.choices) == TEXT * 2
    assert "".join(choice.delta.content or "" for chunk in again for choice in chunk.choices) == TEXT * 2
    assert response.output_text == TEXT * 2
    assert whole.usage is not None
    sent = mock_server.requests[0].body["messages"]
    assert [message["content"] for message in sent] == ["Name a fish.", "first"]


def test_calls_with_which_a_graph_ends_are_for_the_client() -> None:
    from langgraph.graph import START, MessagesState, StateGraph

    call: Any = {"name": "weather", "args": {"city": "Bern"}, "id": "call_1"}
    graph = StateGraph(MessagesState)
    graph.add_node("ask", lambda state: {"messages": [TheirAIMessage("Wait.", tool_calls=[call])]})
    graph.add_edge(START, "ask")
    with served({"fish": graph.compile()}) as sdk:
        whole: Any = sdk.chat.completions.create(model="fish", messages=USER).choices[0]
        with sdk.chat.completions.stream(model="fish", messages=USER) as events:
            streamed: Any = events.get_final_completion().choices[0]
    for choice in (whole, streamed):
        assert (choice.message.content, choice.finish_reason) == ("Wait.", "tool_calls")
        assert [(one.id, one.function.name) for one in choice.message.tool_calls] == [("call_1", "weather")]
        assert json.loads(choice.message.tool_calls[0].function.arguments) == {"city": "Bern"}


def test_a_state_of_a_graph_without_messages_is_json() -> None:
    from typing import TypedDict

    from langgraph.graph import START, StateGraph

    class State(TypedDict):
        question: str
        answer: str

    graph: Any = StateGraph(State)
    graph.add_node("answer", lambda state: {"answer": state["question"].upper()})
    graph.add_edge(START, "answer")
    from millstream.server import ServedModel

    model = ServedModel(graph.compile(), build_input=lambda messages, request: {"question": messages[-1].text})
    with served({"fish": model}) as sdk:
        whole = sdk.chat.completions.create(model="fish", messages=USER).choices[0].message.content
        chunks = list(sdk.chat.completions.create(model="fish", messages=USER, stream=True))
    text = "".join(choice.delta.content or "" for chunk in chunks for choice in chunk.choices)
    assert whole == text == '{"question":"Name a fish.","answer":"NAME A FISH."}'

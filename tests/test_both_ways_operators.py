"""``|`` between the libraries: what works as it is, what needs a conversion, and what users see without it."""

import subprocess
import sys
from collections.abc import Callable
from typing import Any

import langchain_core.messages
import pytest
from langchain.agents import create_agent
from langchain_core.runnables import RunnableSequence as TheirSequence
from langgraph.graph import START, MessagesState, StateGraph
from pydantic import ValidationError

import millstream.messages
from both_libraries import ours, theirs
from millstream.integrations.langchain import from_langchain, to_langchain
from millstream.runnables import RunnableSequence
from millstream.tools import tool

INPUT = {"text": "a"}


def prompt(lib: Any) -> Any:
    return lib.ChatPromptTemplate.from_template("{text}")


def model(lib: Any) -> Any:
    return lib.FakeListChatModel(responses=["hi"])


def parser(lib: Any) -> Any:
    return lib.StrOutputParser()


WORKING: dict[str, Callable[[], Any]] = {
    "ours | theirs": lambda: prompt(ours) | model(theirs) | parser(ours),
    "ours | theirs | theirs": lambda: prompt(ours) | model(theirs) | parser(theirs),
    "theirs | ours, and a parser of ours": lambda: prompt(theirs) | model(ours) | parser(ours),
    "theirs | converted": lambda: prompt(theirs) | to_langchain(model(ours)) | parser(theirs),
    "converted | theirs": lambda: to_langchain(prompt(ours) | model(ours)) | parser(theirs),
    "ours | converted": lambda: prompt(ours) | from_langchain(model(theirs)) | (lambda message: message.content),
    "a dict of both": lambda: (
        {"text": theirs.RunnableLambda(lambda value: value["text"])} | prompt(ours) | model(ours) | parser(ours)
    ),
    "a dict of both, theirs": lambda: (
        {"text": ours.RunnableLambda(lambda value: value["text"])} | prompt(theirs) | model(theirs) | parser(theirs)
    ),
    "a function of ours between": lambda: prompt(theirs) | (lambda value: value) | model(theirs) | parser(theirs),
    "their fallback": lambda: (
        theirs.RunnableLambda(lambda value: 1 / 0).with_fallbacks([to_langchain(prompt(ours) | model(ours))])
        | parser(theirs)
    ),
}


@pytest.mark.parametrize("name", WORKING)
def test_chains_of_both_libraries_work(name: str) -> None:
    chain = WORKING[name]()
    assert chain.invoke(INPUT) == "hi"
    assert "".join(chain.stream(INPUT)) == "hi"
    assert chain.batch([INPUT, INPUT]) == ["hi", "hi"]


def test_the_library_of_the_first_step_makes_the_sequence() -> None:
    assert type(prompt(ours) | model(theirs)) is RunnableSequence
    assert type(prompt(theirs) | model(ours)) is TheirSequence
    assert type((prompt(ours) | model(theirs)).invoke(INPUT)) is langchain_core.messages.AIMessage
    assert type((prompt(theirs) | model(ours)).invoke(INPUT)) is millstream.messages.AIMessage


@tool
def double(number: int) -> int:
    """Double a number."""
    return 2 * number


def graph_of(step: Any) -> Any:
    graph = StateGraph(MessagesState)
    graph.add_node("node", lambda state: {"messages": [step.invoke(state["messages"])]})
    graph.add_edge(START, "node")
    app: Any = graph.compile()
    return app.invoke({"messages": [("user", "a")]})


def agent_of(step: Any, tools: Any = ()) -> Any:
    app: Any = create_agent(step, [*tools])
    return app.invoke({"messages": [("user", "a")]})


def sequence_of(*steps: Any) -> Any:
    return TheirSequence(*steps)


UNKNOWN = "Unsupported message type: <class 'millstream.messages.ai.AIMessage'>"
REFUSED: dict[str, tuple[Callable[[Callable[[Any], Any]], Any], type[Exception], str]] = {
    "an agent": (
        lambda convert: agent_of(convert(model(ours))),
        NotImplementedError,
        UNKNOWN,
    ),
    "a node of a graph": (lambda convert: graph_of(convert(model(ours))), NotImplementedError, UNKNOWN),
    "a parser of theirs": (
        lambda convert: (prompt(theirs) | convert(model(ours)) | parser(theirs)).invoke(INPUT),
        ValidationError,
        "1 validation error for Generation",
    ),
    "a model of theirs": (
        lambda convert: sequence_of(convert(prompt(ours)), model(theirs)).invoke(INPUT),
        ValueError,
        "Invalid input type <class 'millstream.prompt_values.ChatPromptValue'>."
        " Must be a PromptValue, str, or list of BaseMessages.",
    ),
    "messages for a model of theirs": (
        lambda convert: model(theirs).invoke(convert([millstream.messages.HumanMessage("a")])),
        NotImplementedError,
        "Unsupported message type: <class 'millstream.messages.human.HumanMessage'>",
    ),
    "a tool for an agent": (
        lambda convert: create_agent(model(theirs), [convert(double)]),
        ValueError,
        "The first argument must be a string or a callable with a __name__ for tool decorator."
        " Got <class 'millstream.tools.structured.StructuredTool'>",
    ),
}
"""What LangChain refuses without a conversion: a function of the conversion, the exception, and its message."""


@pytest.mark.parametrize("name", REFUSED)
def test_what_langchain_refuses_works_with_a_conversion(name: str) -> None:
    act, error, message = REFUSED[name]
    with pytest.raises(error) as raised:
        act(lambda value: value)
    assert message in str(raised.value)
    act(to_langchain)


LATE = """
from millstream.language_models import FakeListChatModel
model = FakeListChatModel(responses=["hi"])
from langchain_core.prompts import ChatPromptTemplate
prompt = ChatPromptTemplate.from_template("{text}")
try:
    prompt | model
except TypeError as error:
    print(error)
import millstream.integrations.langchain.runnables
print((prompt | model).invoke({"text": "a"}).content)
"""


def test_a_runnable_that_is_older_than_langchain_is_a_step_once_the_integration_is_imported() -> None:
    made = subprocess.run([sys.executable, "-c", LATE], capture_output=True, text=True, check=True).stdout
    refused, worked = made.splitlines()
    assert refused == (
        "Expected a Runnable, callable or dict.Instead got an unsupported type:"
        " <class 'millstream.language_models.fake_chat_models.FakeListChatModel'>"
    )
    assert worked == "hi"


def test_values_are_converted_in_containers() -> None:
    message = millstream.messages.HumanMessage("a")
    found = to_langchain({"a": [message, (message, 1)], "b": prompt(ours)})
    assert type(found["a"][0]) is type(found["a"][1][0]) is langchain_core.messages.HumanMessage
    assert found["b"].invoke(INPUT).to_messages() == [langchain_core.messages.HumanMessage("a")]
    assert from_langchain(found["a"]) == [message, (message, 1)]
    for value in ("a", 1, None, [1], {"a": 1}, print):
        assert to_langchain(value) is value
        assert from_langchain(value) is value

"""An app in ten steps, written for LangChain and LangGraph: Millstream reads the streams, and one import says so."""

import asyncio
from collections.abc import AsyncIterator, Callable, Iterator
from itertools import count
from operator import itemgetter
from typing import Any

from langchain.agents import create_agent
from langchain_core.caches import InMemoryCache
from langchain_core.chat_history import InMemoryChatMessageHistory
from langchain_core.output_parsers import StrOutputParser
from langchain_core.prompts import ChatPromptTemplate, MessagesPlaceholder
from langchain_core.runnables import RunnableParallel
from langchain_core.runnables.history import RunnableWithMessageHistory
from langchain_core.tools import tool
from langgraph.checkpoint.memory import InMemorySaver
from langgraph.graph import START, MessagesState, StateGraph
from pydantic import BaseModel

from millstream.integrations.langchain import ChatOpenAI  # was: from langchain_openai import ChatOpenAI

PROMPT = ChatPromptTemplate.from_messages([("system", "Answer in one line."), ("human", "{question}")])
ASK = {"question": "What is the warmest city?"}


class City(BaseModel):
    """A city and its weather."""

    name: str
    degrees: int


@tool
def weather(city: str) -> str:
    """Return the weather of a city."""
    return f"{city}: sun, 22 °C"


def stream_text(model: Any) -> Iterator[Any]:
    """Stream the answer to a prompt as text."""
    yield from (PROMPT | model | StrOutputParser()).stream(ASK)


def call_tools(model: Any) -> Iterator[Any]:
    """Read a tool call from the chunks of a stream."""
    first, *others = model.bind_tools([weather]).stream("How warm is Lisbon?")
    yield [(call["name"], call["args"]) for call in sum(others, first).tool_calls]


def structure_output(model: Any) -> Iterator[Any]:
    """Have the answer as an object."""
    yield model.with_structured_output(City).invoke("Name a city.")


async def run_agent(model: Any) -> AsyncIterator[Any]:
    """Stream the tokens of an agent that calls a tool."""
    agent = create_agent(model, [weather])
    asked: Any = {"messages": [("human", "How warm is Lisbon?")]}
    async for chunk, metadata in agent.astream(asked, stream_mode="messages"):
        yield metadata["langgraph_node"], chunk.content


async def run_graph(model: Any) -> AsyncIterator[Any]:
    """Keep a conversation in the checkpoints of a graph."""

    async def reply(state: MessagesState) -> Any:
        return {"messages": [await model.ainvoke(state["messages"])]}

    graph = StateGraph(MessagesState).add_node(reply).add_edge(START, "reply").compile(checkpointer=InMemorySaver())
    for question in ("What is the warmest city?", "And the coldest?"):
        thread: Any = {"configurable": {"thread_id": "1"}}
        yield len((await graph.ainvoke({"messages": [("human", question)]}, thread))["messages"])


def fall_back(model: Any) -> Iterator[Any]:
    """Ask a second model where the first one fails."""
    missing = ChatOpenAI(model="no-such-model", max_retries=0)
    yield (PROMPT | missing.with_fallbacks([model]) | StrOutputParser()).invoke(ASK)


def batch_and_branch(model: Any) -> Iterator[Any]:
    """Ask several questions at once, and two about each of them."""
    chain = PROMPT | model | StrOutputParser()
    both = RunnableParallel(answer=chain, question=itemgetter("question"))
    yield both.batch([ASK, {"question": "And the coldest?"}])


async def watch_events(model: Any) -> AsyncIterator[Any]:
    """Follow the events of a chain."""
    async for event in (PROMPT | model).astream_events(ASK, version="v2"):
        yield event["event"], event["name"]


def remember(model: Any) -> Iterator[Any]:
    """Keep the messages of a session."""
    history = InMemoryChatMessageHistory()
    prompt = ChatPromptTemplate.from_messages([MessagesPlaceholder("history"), ("human", "{question}")])
    chain = RunnableWithMessageHistory(
        prompt | model, lambda session_id: history, input_messages_key="question", history_messages_key="history"
    )
    for _ in range(2):
        yield chain.invoke(ASK, {"configurable": {"session_id": "1"}}).content
    yield [message.type for message in history.messages]


async def cache_answers(model: Any) -> AsyncIterator[Any]:
    """Ask the same twice, and the server once."""
    cached = model.model_copy(update={"cache": InMemoryCache()})
    for _ in range(2):
        yield (await cached.ainvoke("What is the warmest city?")).content


STEPS: list[Callable[[Any], Any]] = [
    *(stream_text, call_tools, structure_output, run_agent, run_graph),
    *(fall_back, batch_and_branch, watch_events, remember, cache_answers),
]


async def main() -> None:
    """Run the ten steps."""
    model = ChatOpenAI(model="gpt-4o-mini", temperature=0)  # server and key: OPENAI_BASE_URL and OPENAI_API_KEY
    for number, step in zip(count(1), STEPS, strict=False):
        print(f"{number}. {step.__doc__}")
        values = step(model)
        if isinstance(values, AsyncIterator):
            print("  ", [value async for value in values])
        else:
            print("  ", await asyncio.to_thread(list, values))


if __name__ == "__main__":
    asyncio.run(main())

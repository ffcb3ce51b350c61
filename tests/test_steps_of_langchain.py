"""Steps of LangChain's in a chain of ours: they receive values of LangChain's classes, in every kind of call."""

import asyncio
from collections.abc import AsyncIterator, Iterator
from typing import Any

import pytest
from langchain_core.documents import Document as TheirDocument
from langchain_core.language_models import FakeListChatModel as TheirChat
from langchain_core.language_models import FakeStreamingListLLM as TheirLLM
from langchain_core.messages import BaseMessage as TheirMessage
from langchain_core.prompts import ChatPromptTemplate as TheirPrompt
from langchain_core.runnables import RunnableGenerator as TheirGenerator
from langchain_core.runnables import RunnableLambda as TheirLambda

from millstream.documents import Document
from millstream.messages import AIMessageChunk, HumanMessage
from millstream.output_parsers import StrOutputParser
from millstream.prompts import ChatPromptTemplate, PromptTemplate
from millstream.runnables import RunnableLambda

CHAINS: list[Any] = [
    lambda: ChatPromptTemplate.from_template("{text}") | TheirChat(responses=["some words"]) | StrOutputParser(),
    lambda: PromptTemplate.from_template("{text}") | TheirLLM(responses=["some words"]) | StrOutputParser(),
    lambda: (
        RunnableLambda(lambda given: [HumanMessage(given["text"])])
        | TheirChat(responses=["some words"])
        | StrOutputParser()
    ),
    lambda: (
        RunnableLambda(lambda given: {"old": [HumanMessage(given["text"])]})
        | TheirPrompt.from_messages([("placeholder", "{old}")])
        | TheirChat(responses=["some words"])
        | StrOutputParser()
    ),
]


async def collect(chunks: AsyncIterator[Any]) -> list[Any]:
    return [chunk async for chunk in chunks]


@pytest.mark.parametrize("make", CHAINS)
def test_a_model_of_langchains_takes_what_a_step_of_ours_returns(make: Any) -> None:
    value = {"text": "a"}
    assert make().invoke(value) == "some words"
    assert asyncio.run(make().ainvoke(value)) == "some words"
    assert make().batch([value, value]) == ["some words"] * 2
    assert asyncio.run(make().abatch([value, value])) == ["some words"] * 2
    assert "".join(make().stream(value)) == "some words"
    assert "".join(asyncio.run(collect(make().astream(value)))) == "some words"
    events = asyncio.run(collect(make().astream_events(value, version="v2")))
    kinds = [event["event"].rpartition("_")[2] for event in events if event["name"].startswith("Fake")]
    assert (kinds[0], kinds[-1]) == ("start", "end")
    assert events[-1]["data"] == {"output": "some words"}


def test_chunks_and_documents_become_langchains() -> None:
    seen: list[Any] = []

    def pass_on(chunks: Iterator[Any]) -> Iterator[Any]:
        for chunk in chunks:
            seen.append(chunk)
            yield chunk

    async def apass_on(chunks: AsyncIterator[Any]) -> AsyncIterator[Any]:
        async for chunk in chunks:
            seen.append(chunk)
            yield chunk

    class Chunks(RunnableLambda[Any, Any]):
        def transform(self, input: Any, config: Any = None, **kwargs: Any) -> Any:
            return iter((AIMessageChunk("a"), AIMessageChunk("b")))

    chain = Chunks(lambda _: None) | TheirGenerator(pass_on, apass_on)
    assert [chunk.content for chunk in chain.stream(1)] == ["a", "b"]
    assert all(isinstance(chunk, TheirMessage) for chunk in seen)
    documents = RunnableLambda(lambda text: [Document(page_content=text)]) | TheirLambda(lambda found: found)
    assert documents.invoke("a") == [TheirDocument(page_content="a")]
    assert asyncio.run(collect(documents.astream("a"))) == [[TheirDocument(page_content="a")]]


def test_leaving_early_closes_the_producer_behind_a_step_of_langchains() -> None:
    ends: list[str] = []

    def produce(text: str) -> Iterator[str]:
        try:
            yield from text
        finally:
            ends.append("closed")

    def pass_on(chunks: Iterator[str]) -> Iterator[str]:
        yield from chunks

    with (RunnableLambda(produce) | TheirGenerator(pass_on)).stream("abc") as chunks:
        assert next(chunks) == "a"
    assert ends == ["closed"]

"""Right lines about the models and parsers of ``millstream.integrations.langchain``."""

from typing import assert_type

from langchain_core.messages import AIMessage, AIMessageChunk
from langchain_core.prompts import PromptTemplate
from langchain_core.runnables import Runnable as TheirRunnable

import millstream
from millstream.integrations.langchain import (
    AzureChatOpenAI,
    AzureOpenAI,
    ChatOpenAI,
    OpenAI,
    StrOutputParser,
    from_langchain,
    to_langchain,
)
from millstream.runnables import Runnable


async def read(model: ChatOpenAI, azure: AzureChatOpenAI) -> None:
    for chunk in model.stream("p"):
        assert_type(chunk, AIMessageChunk)
    with azure.stream([("human", "h")], stop=["a"]) as stream:
        assert_type(next(stream), AIMessageChunk)
    async for chunk in model.astream("p", {"tags": ["t"]}, temperature=0):
        assert_type(chunk, AIMessageChunk)
    async with azure.astream("p") as astream:
        assert_type(await anext(astream), AIMessageChunk)
    assert_type(model.invoke("p"), AIMessage)
    assert_type(await azure.ainvoke("p"), AIMessage)


async def read_texts(azure: AzureOpenAI) -> None:
    model = OpenAI(model="m", temperature=0)
    for text in model.stream("p", stop=["a"]):
        assert_type(text, str)
    async with azure.astream("p") as stream:
        assert_type(await anext(stream), str)
    assert_type(model.invoke("p"), str)


async def parse(model: ChatOpenAI) -> None:
    parser = StrOutputParser()
    assert_type(parser.invoke("a"), str)
    chain = PromptTemplate.from_template("{text}") | model | parser
    for text in chain.stream({"text": "p"}):
        assert_type(text, str)
    assert_type(await chain.ainvoke({"text": "p"}), str)


def convert(model: millstream.ChatOpenAI, text_model: millstream.OpenAI) -> None:
    converted = to_langchain(model)
    for chunk in converted.stream("p"):
        assert_type(chunk, AIMessageChunk)
    assert_type(converted.invoke("p"), AIMessage)
    assert_type(to_langchain(text_model).invoke("p"), str)
    assert_type(from_langchain(converted), millstream.BaseChatModel)
    theirs: TheirRunnable[object, object] = to_langchain(millstream.OpenAI(model="m") | str.upper)
    ours: Runnable[object, object] = from_langchain(theirs)
    assert_type(ours.invoke("p"), object)

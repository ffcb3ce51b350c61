"""Right lines about the models of ``millstream.integrations.langchain``."""

from typing import assert_type

from langchain_core.messages import AIMessage, AIMessageChunk

from millstream.integrations.langchain import AzureChatOpenAI, ChatOpenAI


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

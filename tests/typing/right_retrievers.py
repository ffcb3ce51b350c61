"""What type checkers infer of documents, retrievers, caches and callbacks: every line here is right."""

from collections.abc import Sequence
from typing import Any, assert_type

from millstream import OpenAI
from millstream.caches import InMemoryCache
from millstream.callbacks import (
    AsyncCallbackManager,
    AsyncCallbackManagerForRetrieverRun,
    BaseCallbackHandler,
    BaseCallbackManager,
    CallbackManager,
    CallbackManagerForRetrieverRun,
    CallbackManagerForToolRun,
    adispatch_custom_event,
    dispatch_custom_event,
    get_usage_metadata_callback,
)
from millstream.callbacks.manager import atrace_as_chain_group, trace_as_chain_group
from millstream.documents import BaseDocumentCompressor, Document
from millstream.documents.base import Blob
from millstream.messages.usage import UsageMetadata
from millstream.retrievers import BaseRetriever, RetrieverLike
from millstream.runnables import RunnableLambda


class First(BaseRetriever):
    documents: list[Document]
    count: int = 1

    def _get_relevant_documents(self, query: str, *, run_manager: CallbackManagerForRetrieverRun) -> list[Document]:
        run_manager.on_text(query)
        assert_type(run_manager.get_child(), BaseCallbackManager)
        return self.documents[: self.count]

    async def _aget_relevant_documents(
        self, query: str, *, run_manager: AsyncCallbackManagerForRetrieverRun
    ) -> list[Document]:
        await run_manager.on_text(query)
        assert_type(run_manager.get_child(), BaseCallbackManager)
        assert_type(run_manager.get_sync(), CallbackManagerForRetrieverRun)
        return self.documents[: self.count]


class Shorter(BaseDocumentCompressor):
    size: int = 100

    def compress_documents(self, documents: Sequence[Document], query: str, callbacks: Any = None) -> list[Document]:
        return [Document(document.page_content[: self.size], metadata=document.metadata) for document in documents]


class Counting(BaseCallbackHandler):
    def on_custom_event(self, name: str, data: Any, **kwargs: Any) -> None:
        print(name, data)


def found() -> None:
    retriever = First(documents=[Document("a", id="1", metadata={"source": "s"})], count=2)
    assert_type(retriever.invoke("q"), list[Document])
    assert_type(retriever.batch(["q"]), list[list[Document]])
    assert_type(retriever.invoke("q")[0].page_content, str)
    assert_type(retriever.invoke("q")[0].metadata, dict[Any, Any])
    assert_type(Shorter().compress_documents(retriever.invoke("q"), "q"), list[Document])
    like: RetrieverLike = retriever
    assert_type(like.invoke("q"), list[Document])
    chain = retriever | RunnableLambda(lambda documents: len(documents))
    chain.invoke("q", {"callbacks": [Counting()]})
    assert_type(Blob.from_data("a").as_bytes(), bytes)


async def afound(retriever: First) -> None:
    assert_type(await retriever.ainvoke("q"), list[Document])
    await adispatch_custom_event("name", {"data": 1})


def called(llm: OpenAI) -> None:
    dispatch_custom_event("name", {"data": 1}, config={"tags": ["t"]})
    with get_usage_metadata_callback() as usage:
        llm.invoke("p")
    assert_type(usage.usage_metadata, dict[str, UsageMetadata])
    with trace_as_chain_group("name", CallbackManager([Counting()]), inputs={"a": 1}) as group:
        llm.invoke("p", {"callbacks": group})
        group.on_chain_end({"b": 2})
    run = CallbackManager([]).on_tool_start({"name": "t"}, "input", inputs={"a": 1})
    assert_type(run, CallbackManagerForToolRun)
    run.on_tool_end("output")


async def acalled(llm: OpenAI) -> None:
    async with atrace_as_chain_group("name", AsyncCallbackManager([Counting()])) as group:
        await llm.ainvoke("p", {"callbacks": group})
        await group.on_chain_end({"b": 2})


def cached() -> None:
    llm = OpenAI(model="m", cache=InMemoryCache(maxsize=10))
    assert_type(llm.invoke("p"), str)
    assert_type(llm.get_num_tokens("p"), int)

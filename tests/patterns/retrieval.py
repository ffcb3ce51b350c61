"""Retrievers, documents and examples."""

import asyncio
from operator import itemgetter

from langchain_core.documents import BaseDocumentTransformer, Document
from langchain_core.documents.base import Blob
from langchain_core.example_selectors import LengthBasedExampleSelector
from langchain_core.example_selectors.base import BaseExampleSelector
from langchain_core.language_models.fake_chat_models import (
    FakeListChatModel,
)
from langchain_core.output_parsers import StrOutputParser
from langchain_core.prompts import (
    ChatPromptTemplate,
    FewShotChatMessagePromptTemplate,
    FewShotPromptTemplate,
    PromptTemplate,
    format_document,
)
from langchain_core.retrievers import BaseRetriever
from langchain_core.runnables import (
    RunnableParallel,
    RunnablePassthrough,
)
from langchain_core.tools import create_retriever_tool

from patterns import outcome


def model(*responses):
    return FakeListChatModel(responses=list(responses))


def retriever_as_tool(show):
    class R(BaseRetriever):
        def _get_relevant_documents(self, query, *, run_manager):
            return [
                Document(page_content=f"{query} 1", metadata={"src": "a"}),
                Document(page_content=f"{query} 2", metadata={"src": "b"}),
            ]

    t = create_retriever_tool(
        R(),
        "search",
        "Search state of the union.",
        document_prompt=PromptTemplate.from_template("{src}: {page_content}"),
        document_separator="--",
    )
    show(t.invoke({"query": "q"}), t.args, t.name)
    show(asyncio.run(t.ainvoke({"query": "z"})))
    t = create_retriever_tool(R(), "s", "d", response_format="content_and_artifact")
    m = t.invoke({"type": "tool_call", "id": "1", "name": "s", "args": {"query": "q"}})
    show(m.content, m.artifact)


def answer_with_sources(show):
    class R(BaseRetriever):
        def _get_relevant_documents(self, query, *, run_manager):
            return [Document(page_content="doc " + query, metadata={"source": "s1"}, id="7")]

    def format_docs(docs):
        return "\n\n".join(doc.page_content for doc in docs)

    prompt = ChatPromptTemplate.from_template("{context} {question}")
    from_docs = (
        RunnablePassthrough.assign(context=(lambda x: format_docs(x["context"])))
        | prompt
        | model("ans")
        | StrOutputParser()
    )
    withs = RunnableParallel({"context": R(), "question": RunnablePassthrough()}).assign(answer=from_docs)
    r = withs.invoke("What")
    show(sorted(r), r["answer"], r["context"])
    output = {}
    for chunk in withs.stream("What"):
        for key in chunk:
            output[key] = chunk[key] if key not in output else output[key] + chunk[key]
    show(output["answer"], output["context"], output["question"])


def several_queries(show):
    class R(BaseRetriever):
        k: int = 2

        def _get_relevant_documents(self, query: str, *, run_manager) -> list[Document]:
            return [Document(page_content=f"{query}-{i}") for i in range(self.k)]

    gen = (
        ChatPromptTemplate.from_template("versions of {question}")
        | model("q1\nq2")
        | StrOutputParser()
        | (lambda x: x.split("\n"))
    )

    def unique(documents):
        flat = [d.page_content for sub in documents for d in sub]
        return sorted(set(flat))

    c = gen | R().map() | unique
    show(c.invoke({"question": "q"}))
    final = (
        {"context": c, "question": itemgetter("question")}
        | ChatPromptTemplate.from_template("{context} {question}")
        | model("A")
        | StrOutputParser()
    )
    show(final.invoke({"question": "q"}))
    show(asyncio.run(final.ainvoke({"question": "q"})))


def selected_examples(show):
    ex = [
        {"input": "happy", "output": "sad"},
        {"input": "tall", "output": "short"},
        {"input": "sunny", "output": "gloomy"},
    ]
    ep = PromptTemplate(input_variables=["input", "output"], template="Input: {input}\nOutput: {output}")
    sel = LengthBasedExampleSelector(examples=ex, example_prompt=ep, max_length=14)
    d = FewShotPromptTemplate(
        example_selector=sel,
        example_prompt=ep,
        prefix="Give the antonym",
        suffix="Input: {adjective}\nOutput:",
        input_variables=["adjective"],
    )
    show(d.format(adjective="big"))
    show(d.format(adjective="big and huge and massive and large and gigantic"))
    sel.add_example({"input": "a", "output": "b"})
    show(len(sel.examples))

    class Custom(BaseExampleSelector):
        def __init__(self, examples):
            self.examples = examples

        def add_example(self, example):
            self.examples.append(example)

        def select_examples(self, input_variables):
            return [min(self.examples, key=lambda e: abs(len(e["input"]) - len(input_variables["input"])))]

    s = Custom(list(ex))
    p_ = FewShotChatMessagePromptTemplate(
        input_variables=["input"],
        example_selector=s,
        example_prompt=ChatPromptTemplate.from_messages([("human", "{input}"), ("ai", "{output}")]),
    )
    final = ChatPromptTemplate.from_messages([("system", "wizard"), p_, ("human", "{input}")])
    show(final.invoke({"input": "what"}).messages)
    show((final | model("z")).invoke({"input": "x"}).content)


def documents(show):
    d = Document(page_content="x", metadata={"a": 1}, id="1")
    show(d, d == Document("x", metadata={"a": 1}, id="1"))
    show(d)
    b = Blob.from_data("hello", mime_type="text/plain")
    show(b.as_string(), b.as_bytes())
    show(outcome(lambda: Document())[0])
    show(format_document(d, PromptTemplate.from_template("{page_content}-{a}")))
    show(outcome(lambda: format_document(d, PromptTemplate.from_template("{zz}"))))

    class T(BaseDocumentTransformer):
        def transform_documents(self, documents, **kw):
            return [Document(x.page_content.upper(), metadata=x.metadata) for x in documents]

    show(T().transform_documents([d]))
    show(asyncio.run(T().atransform_documents([d])))

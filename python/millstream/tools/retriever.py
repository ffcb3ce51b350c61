"""A retriever as a tool."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Literal

from .._late import lazy_names
from ..prompts.base import BasePromptTemplate, aformat_document, format_document
from ..prompts.prompt import PromptTemplate
from .structured import StructuredTool

if TYPE_CHECKING:
    from ..documents import Document
    from ..retrievers import BaseRetriever
    from .retriever_input import RetrieverInput

__all__ = ("RetrieverInput", "create_retriever_tool")

__getattr__ = lazy_names(globals(), {"RetrieverInput": "millstream.tools.retriever_input"})


def create_retriever_tool(
    retriever: BaseRetriever,
    name: str,
    description: str,
    *,
    document_prompt: BasePromptTemplate[str] | None = None,
    document_separator: str = "\n\n",
    response_format: Literal["content", "content_and_artifact"] = "content",
) -> StructuredTool:
    """Return a tool that returns the documents for a query as one text.

    ``document_prompt`` writes a document, by default its content, and ``document_separator`` stands between two. With
    ``response_format="content_and_artifact"`` the documents are the artifact.
    """
    from .retriever_input import RetrieverInput

    prompt = document_prompt or PromptTemplate.from_template("{page_content}")

    def result(texts: list[str], documents: list[Document]) -> str | tuple[str, list[Document]]:
        text = document_separator.join(texts)
        return (text, documents) if response_format == "content_and_artifact" else text

    def func(query: str, callbacks: Any = None) -> Any:
        documents = retriever.invoke(query, {"callbacks": callbacks})
        return result([format_document(one, prompt) for one in documents], documents)

    async def afunc(query: str, callbacks: Any = None) -> Any:
        documents = await retriever.ainvoke(query, {"callbacks": callbacks})
        return result([await aformat_document(one, prompt) for one in documents], documents)

    return StructuredTool(
        name=name,
        description=description,
        func=func,
        coroutine=afunc,
        args_schema=RetrieverInput,
        response_format=response_format,
    )

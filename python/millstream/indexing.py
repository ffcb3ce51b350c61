"""Indexes of documents are LangChain's alone; importing this module says so."""

raise ModuleNotFoundError(
    "Millstream has no indexes of documents: import langchain_core.indexing",
    name=__name__,
)

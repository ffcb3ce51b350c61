"""Queries for vector stores are LangChain's alone; importing this module says so."""

raise ModuleNotFoundError(
    "Millstream has no queries for vector stores: import langchain_core.structured_query",
    name=__name__,
)

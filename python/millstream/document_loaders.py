"""Loaders of documents are LangChain's alone; importing this module says so."""

raise ModuleNotFoundError(
    "Millstream has no loaders of documents: import langchain_core.document_loaders, whose documents work here",
    name=__name__,
)

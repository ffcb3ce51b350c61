"""Vector stores are LangChain's alone; importing this module says so."""

raise ModuleNotFoundError(
    "Millstream has no vector stores: import langchain_core.vectorstores, whose retrievers work in its chains",
    name=__name__,
)

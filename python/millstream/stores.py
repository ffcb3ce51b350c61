"""Stores of keys and values are LangChain's alone; importing this module says so."""

raise ModuleNotFoundError(
    "Millstream has no stores of keys and values: import langchain_core.stores",
    name=__name__,
)

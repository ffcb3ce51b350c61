"""Embeddings are LangChain's alone; importing this module says so."""

raise ModuleNotFoundError(
    "Millstream has no embeddings: import langchain_core.embeddings, which work beside its models",
    name=__name__,
)

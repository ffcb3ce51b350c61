"""Tracers are LangChain's alone; importing this module says so."""

raise ModuleNotFoundError(
    "Millstream has no tracers: import langchain_core.tracers, whose handlers are called for its runs as well",
    name=__name__,
)

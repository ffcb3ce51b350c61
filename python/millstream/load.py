"""Objects as JSON are LangChain's alone; importing this module says so."""

raise ModuleNotFoundError(
    "Millstream does not write objects as JSON: pickle them, or import langchain_core.load for those of LangChain",
    name=__name__,
)

"""The modules of LangChain's that Millstream has no part in; importing one raises an error that says so in one line.

So does the import of a name from the package that one of its modules has.

A search-and-replace of ``langchain_core`` leaves imports of them behind. Python asks the finders of a package's
``__path__`` for a module that is not in its folder; :func:`~millstream._late.refuse_imports` has an entry in that path
for a finder that calls :func:`refuse`.
"""

__all__ = ("MODULES", "NAMES_OF_OPENAI", "explanation", "refuse")

MODULES = {
    "chat_loaders": "has no loaders of chats: import langchain_core.chat_loaders",
    "chat_sessions": "has no loaders of chats: import langchain_core.chat_sessions",
    "cross_encoders": "has no cross encoders: import langchain_core.cross_encoders",
    "document_loaders": "has no loaders of documents: import langchain_core.document_loaders",
    "embeddings": "has no embeddings: import langchain_core.embeddings, which work beside its models",
    "indexing": "has no indexes of documents: import langchain_core.indexing",
    "load": "does not write objects as JSON: pickle them, or import langchain_core.load for those of LangChain",
    "stores": "has no stores of keys and values: import langchain_core.stores",
    "structured_query": "has no queries for vector stores: import langchain_core.structured_query",
    "tracers": (
        "has no tracers: import langchain_core.tracers, whose handlers are called for its runs as well; the classes of"
        " astream_log are in millstream.events.run_log"
    ),
    "vectorstores": "has no vector stores: import langchain_core.vectorstores, whose retrievers work in its chains",
}
"""The message for each module, without its first word."""

_EMBEDDINGS = "has no embeddings: import them from langchain_openai; they work beside its models"

NAMES_OF_OPENAI = {
    "llms": "has its completion models at the top: from millstream import OpenAI",
    "AzureOpenAI": "has no completion model for Azure: import it from langchain_openai, or pass OpenAI a base_url",
    "AzureOpenAIEmbeddings": _EMBEDDINGS,
    "OpenAIEmbeddings": _EMBEDDINGS,
    "custom_tool": "has langchain_openai's custom tools in millstream.tools: from millstream.tools import custom_tool",
}
"""The message for each name of ``langchain_openai`` that is not here, without its first word."""


def explanation(name: str) -> str | None:
    """Return the message for ``name`` in the package; ``None`` if it is in neither table."""
    text = MODULES.get(name) or NAMES_OF_OPENAI.get(name)
    return f"Millstream {text}" if text else None


# The modules whose names might be looked for in the package itself.
_HOMES = (
    *("messages", "prompts", "output_parsers", "tools", "runnables", "callbacks", "errors", "language_models"),
    *("documents", "outputs", "retrievers", "caches", "chat_history", "rate_limiters", "server", "testing"),
)


def _find_home(name: str) -> str | None:
    """Return the message for a name that a module of the package has; ``None`` if none of them has it."""
    from importlib import import_module

    for module in _HOMES if name.isidentifier() and not name.startswith("_") else ():
        if name in import_module(f"millstream.{module}").__all__:
            return f"{name} is in millstream.{module}: from millstream.{module} import {name}"
    return None


def refuse(fullname: str) -> None:
    """Raise :class:`ModuleNotFoundError` if ``fullname`` is a module of LangChain's, or a name of a module here."""
    name = fullname.partition(".")[2]
    if (text := explanation(name) or _find_home(name)) is not None:
        # Without the module's name: ``from millstream import ...`` would go on, and lose the message.
        raise ModuleNotFoundError(text)

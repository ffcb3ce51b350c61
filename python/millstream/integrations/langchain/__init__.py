"""LangChain's own models and parsers, with this package's streams: change the import, and keep the app.

The classes are subclasses of those of ``langchain-openai``, ``langchain-anthropic``, ``langchain-google-genai``,
``langchain-ollama`` and ``langchain-core``.
:func:`to_langchain` and :func:`from_langchain` convert Runnables and values between the two libraries.
"""

from typing import TYPE_CHECKING, Any

from ..._late import guard_import, lazy_names, refuse_imports

if TYPE_CHECKING:
    from .anthropic_models import ChatAnthropic
    from .chat_models import AzureChatOpenAI, ChatOpenAI
    from .google_models import ChatGoogleGenerativeAI
    from .llms import AzureOpenAI, OpenAI
    from .ollama_models import ChatOllama
    from .output_parsers import JsonOutputParser, StrOutputParser
    from .runnables import from_langchain, to_langchain

__all__ = (
    "AzureChatOpenAI",
    "AzureOpenAI",
    "ChatAnthropic",
    "ChatGoogleGenerativeAI",
    "ChatOllama",
    "ChatOpenAI",
    "JsonOutputParser",
    "OpenAI",
    "StrOutputParser",
    "from_langchain",
    "to_langchain",
)

_MODULES = {
    "AzureChatOpenAI": ".chat_models",
    "AzureOpenAI": ".llms",
    "ChatAnthropic": ".anthropic_models",
    "ChatGoogleGenerativeAI": ".google_models",
    "ChatOllama": ".ollama_models",
    "ChatOpenAI": ".chat_models",
    "JsonOutputParser": ".output_parsers",
    "OpenAI": ".llms",
    "StrOutputParser": ".output_parsers",
    "from_langchain": ".runnables",
    "to_langchain": ".runnables",
}
_CORE_MODELS = dict.fromkeys(
    ("AzureChatOpenAI", "ChatAnthropic", "ChatGoogleGenerativeAI", "ChatOllama", "ChatOpenAI", "OpenAI"), ".core_models"
)
"""The names for which Millstream's models, converted, are imported where the provider's package of LangChain is not."""
_PACKAGES = {
    "langchain_openai": "langchain-openai",
    "openai": "langchain-openai",
    "langchain_anthropic": "langchain-anthropic",
    "anthropic": "langchain-anthropic",
    "langchain_google_genai": "langchain-google-genai",
    "google": "langchain-google-genai",
    "langchain_ollama": "langchain-ollama",
    "ollama": "langchain-ollama",
}
"""For each package that a model needs, the one to install."""

_find = lazy_names(globals(), _MODULES)
_find_of_core = lazy_names(globals(), _CORE_MODELS)


def __getattr__(name: str) -> Any:
    """Import a name when it is first asked for; where a package is missing, say which one to install."""
    if name not in _MODULES and (text := _explain(name)) is not None:
        raise AttributeError(text)
    try:
        return _find(name)
    except ModuleNotFoundError as error:
        return _find_without_package(name, error)
    except ImportError as error:
        library = (error.name or "").partition(".")[0]
        if library != "langchain_core" and library not in _PACKAGES:
            raise
        raise ImportError(
            f"millstream.integrations.langchain.{name} does not support this version of {library.replace('_', '-')}:"
            " pip install --upgrade 'millstream[langchain]'"
        ) from error


def _find_without_package(name: str, error: ModuleNotFoundError) -> Any:
    """Return a model of Millstream's, converted, where its provider's package of LangChain is missing."""
    missing = (error.name or "").partition(".")[0]
    if missing in _PACKAGES and name in _CORE_MODELS:
        try:
            return _find_of_core(name)
        except ModuleNotFoundError as of_core:
            error, missing = of_core, (of_core.name or "").partition(".")[0]
    if missing == "langchain_core":
        raise ImportError(
            "millstream.integrations.langchain needs LangChain: pip install 'millstream[langchain]'",
            name="langchain_core",
        ) from error
    if missing not in _PACKAGES:
        raise error
    raise ImportError(
        f"millstream.integrations.langchain.{name} needs {_PACKAGES[missing]}: pip install {_PACKAGES[missing]}"
    ) from error


_HOSTS = (
    *("langchain_openai", "langchain_anthropic", "langchain_google_genai", "langchain_ollama"),
    "langchain_core.output_parsers",
)


def _explain(name: str) -> str | None:
    """Return where a name of LangChain's is that an app asks this module for by mistake; ``None`` for other names."""
    for host in _HOSTS if name[:1].isupper() else ():
        try:
            names = guard_import(host).__all__
        except (ImportError, AttributeError):
            continue
        if name in names:
            return f"{__name__} has no {name}, which stays LangChain's: from {host} import {name}"
    return None


def _refuse(fullname: str) -> None:
    if (text := _explain(fullname.rpartition(".")[2])) is not None:
        # Without the module's name: ``from … import …`` would go on, and lose the message.
        raise ModuleNotFoundError(text)


refuse_imports(globals(), _refuse)

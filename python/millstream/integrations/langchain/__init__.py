"""LangChain's own models and parsers, with this package's streams: change the import, and keep the app.

The classes are subclasses of those of ``langchain-openai`` and ``langchain-core`` with the same names.
:func:`to_langchain` and :func:`from_langchain` convert Runnables and values between the two libraries.
"""

from typing import TYPE_CHECKING

from ..._late import lazy_names

if TYPE_CHECKING:
    from .chat_models import AzureChatOpenAI, ChatOpenAI
    from .llms import AzureOpenAI, OpenAI
    from .output_parsers import JsonOutputParser, StrOutputParser
    from .runnables import from_langchain, to_langchain

__all__ = (
    "AzureChatOpenAI",
    "AzureOpenAI",
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
    "ChatOpenAI": ".chat_models",
    "JsonOutputParser": ".output_parsers",
    "OpenAI": ".llms",
    "StrOutputParser": ".output_parsers",
    "from_langchain": ".runnables",
    "to_langchain": ".runnables",
}
__getattr__ = lazy_names(globals(), _MODULES)

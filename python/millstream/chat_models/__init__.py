"""LangChain's path of ``init_chat_model``, and that of langchain-openai's chat models."""

from typing import TYPE_CHECKING

from .._late import lazy_names

if TYPE_CHECKING:
    from ..language_models.chat_models import BaseChatModel
    from ..providers.init_chat_model import init_chat_model
    from ..providers.openai.azure import AzureChatOpenAI
    from ..providers.openai.chat import ChatOpenAI

__all__ = ("AzureChatOpenAI", "BaseChatModel", "ChatOpenAI", "init_chat_model")

__getattr__ = lazy_names(
    globals(),
    {
        "AzureChatOpenAI": "millstream.providers.openai.azure",
        "BaseChatModel": "millstream.language_models.chat_models",
        "ChatOpenAI": "millstream.providers.openai.chat",
        "init_chat_model": "millstream.providers.init_chat_model",
    },
)

"""LangChain's path of ``init_chat_model``, and that of langchain-openai's base class."""

from ..providers.init_chat_model import init_chat_model
from ..providers.openai.base_chat import BaseChatOpenAI
from ..providers.openai.chat import ChatOpenAI

__all__ = ("BaseChatOpenAI", "ChatOpenAI", "init_chat_model")

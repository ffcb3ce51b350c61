"""The models where langchain-core is installed without the provider's package of LangChain: Millstream's, converted.

They take the arguments of Millstream's classes with the same names, and raise its errors, since the SDK's
are not there. With langchain-openai they are subclasses of its classes instead: see ``chat_models`` and ``llms``.
"""

from __future__ import annotations

from typing import Any

from ...providers.anthropic.chat import ChatAnthropic as MillstreamChatAnthropic
from ...providers.google.chat import ChatGoogleGenerativeAI as MillstreamChatGoogleGenerativeAI
from ...providers.ollama.chat import ChatOllama as MillstreamChatOllama
from ...providers.openai.azure import AzureChatOpenAI as MillstreamAzureChatOpenAI
from ...providers.openai.chat import ChatOpenAI as MillstreamChatOpenAI
from ...providers.openai.completions import OpenAI as MillstreamOpenAI
from .models_to_langchain import MillstreamChatModel, MillstreamLLM

__all__ = ("AzureChatOpenAI", "ChatAnthropic", "ChatGoogleGenerativeAI", "ChatOllama", "ChatOpenAI", "OpenAI")


class ChatOpenAI(MillstreamChatModel):
    """A chat model of LangChain's around :class:`millstream.ChatOpenAI`, whose arguments it takes."""

    def __init__(self, **arguments: Any) -> None:
        super().__init__(**_take_model(MillstreamChatOpenAI, arguments))


class AzureChatOpenAI(MillstreamChatModel):
    """A chat model of LangChain's around :class:`millstream.AzureChatOpenAI`, whose arguments it takes."""

    def __init__(self, **arguments: Any) -> None:
        super().__init__(**_take_model(MillstreamAzureChatOpenAI, arguments))


class ChatAnthropic(MillstreamChatModel):
    """A chat model of LangChain's around :class:`millstream.ChatAnthropic`, whose arguments it takes."""

    def __init__(self, **arguments: Any) -> None:
        super().__init__(**_take_model(MillstreamChatAnthropic, arguments))


class ChatGoogleGenerativeAI(MillstreamChatModel):
    """A chat model of LangChain's around :class:`millstream.ChatGoogleGenerativeAI`, whose arguments it takes."""

    def __init__(self, **arguments: Any) -> None:
        super().__init__(**_take_model(MillstreamChatGoogleGenerativeAI, arguments))


class ChatOllama(MillstreamChatModel):
    """A chat model of LangChain's around :class:`millstream.ChatOllama`, whose arguments it takes."""

    def __init__(self, **arguments: Any) -> None:
        super().__init__(**_take_model(MillstreamChatOllama, arguments))


class OpenAI(MillstreamLLM):
    """A completion model of LangChain's around :class:`millstream.OpenAI`, whose arguments it takes."""

    def __init__(self, **arguments: Any) -> None:
        super().__init__(**_take_model(MillstreamOpenAI, arguments))


def _take_model(model_class: Any, arguments: dict[str, Any]) -> dict[str, Any]:
    """Return the fields of a model made of ``arguments``, or of a copy, which has a model already."""
    return arguments if "runnable" in arguments else {"runnable": model_class(**arguments)}

"""The bases of models, and fakes for tests."""

from typing import TYPE_CHECKING, Any

from .base import BaseLanguageModel
from .fields import SecretStr, field
from .llms import LLM, BaseLLM
from .prompt_text import LanguageModelInput

if TYPE_CHECKING:
    from .chat_models import BaseChatModel, SimpleChatModel
    from .fake import FakeListLLM, FakeListLLMError, FakeStreamingListLLM
    from .fake_chat_models import (
        FakeChatModel,
        FakeListChatModel,
        FakeListChatModelError,
        FakeMessagesListChatModel,
        GenericFakeChatModel,
        ParrotFakeChatModel,
    )

__all__ = (
    "LLM",
    "BaseChatModel",
    "BaseLLM",
    "BaseLanguageModel",
    "FakeChatModel",
    "FakeListChatModel",
    "FakeListChatModelError",
    "FakeListLLM",
    "FakeListLLMError",
    "FakeMessagesListChatModel",
    "FakeStreamingListLLM",
    "GenericFakeChatModel",
    "LanguageModelInput",
    "ParrotFakeChatModel",
    "SecretStr",
    "SimpleChatModel",
    "field",
)


def __getattr__(name: str) -> Any:
    """Import chat models and fakes when they are asked for: completion models do without messages."""
    if name not in __all__:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    import importlib

    home = "chat_models" if name in ("BaseChatModel", "SimpleChatModel") else "fake_chat_models"
    home = "fake" if "LLM" in name else home
    return getattr(importlib.import_module(f".{home}", __name__), name)

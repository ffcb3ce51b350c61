"""The base classes of models, and fake models for tests."""

from typing import TYPE_CHECKING

from .._fields import SecretStr, field
from .._late import lazy_names
from .base import BaseLanguageModel
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


__getattr__ = lazy_names(
    globals(),
    {
        **dict.fromkeys(("BaseChatModel", "SimpleChatModel"), ".chat_models"),
        **dict.fromkeys(("FakeListLLM", "FakeListLLMError", "FakeStreamingListLLM"), ".fake"),
        "FakeChatModel": ".fake_chat_models",
        "FakeListChatModel": ".fake_chat_models",
        "FakeListChatModelError": ".fake_chat_models",
        "FakeMessagesListChatModel": ".fake_chat_models",
        "GenericFakeChatModel": ".fake_chat_models",
        "ParrotFakeChatModel": ".fake_chat_models",
    },
)

"""The base classes of models, and fake models for tests."""

from typing import TYPE_CHECKING

from .._fields import SecretStr as SecretStr
from .._fields import field as field
from .._late import lazy_names
from .base import BaseLanguageModel
from .llms import LLM, BaseLLM
from .prompt_text import LanguageModelInput

if TYPE_CHECKING:
    from ..messages.openai_blocks import is_openai_data_block
    from .chat_models import BaseChatModel, SimpleChatModel
    from .fake import FakeListLLM, FakeStreamingListLLM
    from .fake import FakeListLLMError as FakeListLLMError
    from .fake_chat_models import FakeChatModel as FakeChatModel
    from .fake_chat_models import (
        FakeListChatModel,
        FakeMessagesListChatModel,
        GenericFakeChatModel,
        ParrotFakeChatModel,
    )
    from .fake_chat_models import FakeListChatModelError as FakeListChatModelError
    from .interfaces import LangSmithParams, LanguageModelLike, LanguageModelOutput
    from .model_profile import ModelProfile, ModelProfileRegistry
    from .tokens import get_tokenizer

# LangChain's; the package has a few more names.
__all__ = (
    "LLM",
    "BaseChatModel",
    "BaseLLM",
    "BaseLanguageModel",
    "FakeListChatModel",
    "FakeListLLM",
    "FakeMessagesListChatModel",
    "FakeStreamingListLLM",
    "GenericFakeChatModel",
    "LangSmithParams",
    "LanguageModelInput",
    "LanguageModelLike",
    "LanguageModelOutput",
    "ModelProfile",
    "ModelProfileRegistry",
    "ParrotFakeChatModel",
    "SimpleChatModel",
    "get_tokenizer",
    "is_openai_data_block",
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
        **dict.fromkeys(("LangSmithParams", "LanguageModelLike", "LanguageModelOutput"), ".interfaces"),
        **dict.fromkeys(("ModelProfile", "ModelProfileRegistry"), ".model_profile"),
        "get_tokenizer": ".tokens",
        "is_openai_data_block": "..messages.openai_blocks",
    },
)

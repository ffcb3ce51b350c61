"""Handlers and the base class of managers, under LangChain's import path."""

from .async_handlers import AsyncCallbackHandler
from .base_manager import BaseCallbackManager
from .handlers import (
    BaseCallbackHandler,
    CallbackManagerMixin,
    ChainManagerMixin,
    LLMManagerMixin,
    RetrieverManagerMixin,
    RunManagerMixin,
    ToolManagerMixin,
)

__all__ = (
    "AsyncCallbackHandler",
    "BaseCallbackHandler",
    "BaseCallbackManager",
    "CallbackManagerMixin",
    "Callbacks",
    "ChainManagerMixin",
    "LLMManagerMixin",
    "RetrieverManagerMixin",
    "RunManagerMixin",
    "ToolManagerMixin",
)

Callbacks = list[BaseCallbackHandler] | BaseCallbackManager | None

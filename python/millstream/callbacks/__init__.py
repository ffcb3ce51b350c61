"""Callbacks: handlers that hear of runs, and the managers that tell them."""

from .base import (
    AsyncCallbackHandler,
    BaseCallbackHandler,
    BaseCallbackManager,
    CallbackManagerMixin,
    Callbacks,
    ChainManagerMixin,
    LLMManagerMixin,
    RetrieverManagerMixin,
    RunManagerMixin,
    ToolManagerMixin,
)
from .manager import (
    AsyncCallbackManager,
    AsyncCallbackManagerForLLMRun,
    AsyncRunManager,
    BaseRunManager,
    CallbackManager,
    CallbackManagerForLLMRun,
    RunManager,
)
from .streaming_stdout import StreamingStdOutCallbackHandler

__all__ = (
    "AsyncCallbackHandler",
    "AsyncCallbackManager",
    "AsyncCallbackManagerForLLMRun",
    "AsyncRunManager",
    "BaseCallbackHandler",
    "BaseCallbackManager",
    "BaseRunManager",
    "CallbackManager",
    "CallbackManagerForLLMRun",
    "CallbackManagerMixin",
    "Callbacks",
    "ChainManagerMixin",
    "LLMManagerMixin",
    "RetrieverManagerMixin",
    "RunManager",
    "RunManagerMixin",
    "StreamingStdOutCallbackHandler",
    "ToolManagerMixin",
)

"""Managers of runs and of callbacks, under LangChain's import path."""

from typing import TYPE_CHECKING

from .._context import register_configure_hook
from .._late import lazy_names
from ..globals import get_debug as _get_debug  # noqa: F401

if TYPE_CHECKING:
    from .base import (
        BaseCallbackHandler,
        BaseCallbackManager,
        Callbacks,
        ChainManagerMixin,
        LLMManagerMixin,
        RetrieverManagerMixin,
        RunManagerMixin,
        ToolManagerMixin,
    )
    from .chain_group import (
        AsyncCallbackManagerForChainGroup,
        CallbackManagerForChainGroup,
        atrace_as_chain_group,
        trace_as_chain_group,
    )
    from .chain_run_manager import AsyncCallbackManagerForChainRun, CallbackManagerForChainRun
    from .custom_events import adispatch_custom_event, dispatch_custom_event
    from .dispatch import ahandle_event, handle_event
    from .llm_run_manager import AsyncCallbackManagerForLLMRun, CallbackManagerForLLMRun
    from .managers import AsyncCallbackManager, CallbackManager
    from .retriever_run_manager import AsyncCallbackManagerForRetrieverRun, CallbackManagerForRetrieverRun
    from .run_manager import AsyncParentRunManager, AsyncRunManager, BaseRunManager, ParentRunManager, RunManager
    from .stdout import StdOutCallbackHandler
    from .tool_run_manager import AsyncCallbackManagerForToolRun, CallbackManagerForToolRun

__all__ = (
    "AsyncCallbackManager",
    "AsyncCallbackManagerForChainGroup",
    "AsyncCallbackManagerForChainRun",
    "AsyncCallbackManagerForLLMRun",
    "AsyncCallbackManagerForRetrieverRun",
    "AsyncCallbackManagerForToolRun",
    "AsyncParentRunManager",
    "AsyncRunManager",
    "BaseCallbackHandler",
    "BaseCallbackManager",
    "BaseRunManager",
    "CallbackManager",
    "CallbackManagerForChainGroup",
    "CallbackManagerForChainRun",
    "CallbackManagerForLLMRun",
    "CallbackManagerForRetrieverRun",
    "CallbackManagerForToolRun",
    "Callbacks",
    "ChainManagerMixin",
    "LLMManagerMixin",
    "ParentRunManager",
    "RetrieverManagerMixin",
    "RunManager",
    "RunManagerMixin",
    "StdOutCallbackHandler",
    "ToolManagerMixin",
    "adispatch_custom_event",
    "ahandle_event",
    "atrace_as_chain_group",
    "dispatch_custom_event",
    "handle_event",
    "register_configure_hook",
    "trace_as_chain_group",
)

__getattr__ = lazy_names(
    globals(),
    {
        "BaseCallbackHandler": "millstream.callbacks.base",
        "BaseCallbackManager": "millstream.callbacks.base",
        "Callbacks": "millstream.callbacks.base",
        "ChainManagerMixin": "millstream.callbacks.base",
        "LLMManagerMixin": "millstream.callbacks.base",
        "RetrieverManagerMixin": "millstream.callbacks.base",
        "RunManagerMixin": "millstream.callbacks.base",
        "ToolManagerMixin": "millstream.callbacks.base",
        "StdOutCallbackHandler": "millstream.callbacks.stdout",
        "AsyncCallbackManager": "millstream.callbacks.managers",
        "AsyncCallbackManagerForChainGroup": "millstream.callbacks.chain_group",
        "AsyncCallbackManagerForChainRun": "millstream.callbacks.chain_run_manager",
        "AsyncCallbackManagerForLLMRun": "millstream.callbacks.llm_run_manager",
        "AsyncCallbackManagerForRetrieverRun": "millstream.callbacks.retriever_run_manager",
        "AsyncCallbackManagerForToolRun": "millstream.callbacks.tool_run_manager",
        "AsyncParentRunManager": "millstream.callbacks.run_manager",
        "AsyncRunManager": "millstream.callbacks.run_manager",
        "BaseRunManager": "millstream.callbacks.run_manager",
        "CallbackManager": "millstream.callbacks.managers",
        "CallbackManagerForChainGroup": "millstream.callbacks.chain_group",
        "CallbackManagerForChainRun": "millstream.callbacks.chain_run_manager",
        "CallbackManagerForLLMRun": "millstream.callbacks.llm_run_manager",
        "CallbackManagerForRetrieverRun": "millstream.callbacks.retriever_run_manager",
        "CallbackManagerForToolRun": "millstream.callbacks.tool_run_manager",
        "ParentRunManager": "millstream.callbacks.run_manager",
        "RunManager": "millstream.callbacks.run_manager",
        "_ahandle_event_for_handler": "millstream.callbacks.dispatch",
        "adispatch_custom_event": "millstream.callbacks.custom_events",
        "ahandle_event": "millstream.callbacks.dispatch",
        "atrace_as_chain_group": "millstream.callbacks.chain_group",
        "dispatch_custom_event": "millstream.callbacks.custom_events",
        "handle_event": "millstream.callbacks.dispatch",
        "trace_as_chain_group": "millstream.callbacks.chain_group",
    },
)

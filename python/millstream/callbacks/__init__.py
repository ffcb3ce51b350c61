"""Callbacks: handlers, whose methods are called during runs, and the managers that call them."""

from typing import TYPE_CHECKING

from .._late import lazy_names

if TYPE_CHECKING:
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
    from .chain_group import AsyncCallbackManagerForChainGroup, CallbackManagerForChainGroup
    from .chain_run_manager import AsyncCallbackManagerForChainRun, CallbackManagerForChainRun
    from .costs import CostCallbackHandler, get_cost_callback
    from .custom_events import adispatch_custom_event, dispatch_custom_event
    from .file import FileCallbackHandler
    from .llm_run_manager import AsyncCallbackManagerForLLMRun, CallbackManagerForLLMRun
    from .managers import AsyncCallbackManager, CallbackManager
    from .prices import ModelPrices, compute_cost
    from .progress import BatchProgress
    from .progress_report import ProgressReport
    from .retriever_run_manager import AsyncCallbackManagerForRetrieverRun, CallbackManagerForRetrieverRun
    from .run_manager import AsyncParentRunManager, AsyncRunManager, BaseRunManager, ParentRunManager, RunManager
    from .stdout import StdOutCallbackHandler
    from .streaming_stdout import StreamingStdOutCallbackHandler
    from .tool_run_manager import AsyncCallbackManagerForToolRun, CallbackManagerForToolRun
    from .usage import UsageMetadataCallbackHandler, get_usage_metadata_callback

__all__ = (
    "AsyncCallbackHandler",
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
    "BatchProgress",
    "CallbackManager",
    "CallbackManagerForChainGroup",
    "CallbackManagerForChainRun",
    "CallbackManagerForLLMRun",
    "CallbackManagerForRetrieverRun",
    "CallbackManagerForToolRun",
    "CallbackManagerMixin",
    "Callbacks",
    "ChainManagerMixin",
    "CostCallbackHandler",
    "FileCallbackHandler",
    "LLMManagerMixin",
    "ModelPrices",
    "ParentRunManager",
    "ProgressReport",
    "RetrieverManagerMixin",
    "RunManager",
    "RunManagerMixin",
    "StdOutCallbackHandler",
    "StreamingStdOutCallbackHandler",
    "ToolManagerMixin",
    "UsageMetadataCallbackHandler",
    "adispatch_custom_event",
    "compute_cost",
    "dispatch_custom_event",
    "get_cost_callback",
    "get_usage_metadata_callback",
)

__getattr__ = lazy_names(
    globals(),
    {
        "AsyncCallbackHandler": ".base",
        "AsyncCallbackManager": ".managers",
        "AsyncCallbackManagerForChainGroup": ".chain_group",
        "AsyncCallbackManagerForChainRun": ".chain_run_manager",
        "AsyncCallbackManagerForLLMRun": ".llm_run_manager",
        "AsyncCallbackManagerForRetrieverRun": ".retriever_run_manager",
        "AsyncCallbackManagerForToolRun": ".tool_run_manager",
        "AsyncParentRunManager": ".run_manager",
        "AsyncRunManager": ".run_manager",
        "BaseCallbackHandler": ".base",
        "BaseCallbackManager": ".base",
        "BaseRunManager": ".run_manager",
        "BatchProgress": ".progress",
        "CallbackManager": ".managers",
        "CallbackManagerForChainGroup": ".chain_group",
        "CallbackManagerForChainRun": ".chain_run_manager",
        "CallbackManagerForLLMRun": ".llm_run_manager",
        "CallbackManagerForRetrieverRun": ".retriever_run_manager",
        "CallbackManagerForToolRun": ".tool_run_manager",
        "CallbackManagerMixin": ".base",
        "Callbacks": ".base",
        "ChainManagerMixin": ".base",
        "CostCallbackHandler": ".costs",
        "FileCallbackHandler": ".file",
        "LLMManagerMixin": ".base",
        "ModelPrices": ".prices",
        "ParentRunManager": ".run_manager",
        "ProgressReport": ".progress_report",
        "RetrieverManagerMixin": ".base",
        "RunManager": ".run_manager",
        "RunManagerMixin": ".base",
        "StdOutCallbackHandler": ".stdout",
        "StreamingStdOutCallbackHandler": ".streaming_stdout",
        "ToolManagerMixin": ".base",
        "UsageMetadataCallbackHandler": ".usage",
        "adispatch_custom_event": ".custom_events",
        "compute_cost": ".prices",
        "dispatch_custom_event": ".custom_events",
        "get_cost_callback": ".costs",
        "get_usage_metadata_callback": ".usage",
    },
)

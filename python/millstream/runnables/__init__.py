"""What can be invoked, batched and streamed."""

from .base import Runnable, RunnableBinding
from .config import RunnableConfig, ensure_config, get_config_list, patch_config
from .stream import AsyncStream, Stream

__all__ = (
    "AsyncStream",
    "Runnable",
    "RunnableBinding",
    "RunnableConfig",
    "Stream",
    "ensure_config",
    "get_config_list",
    "patch_config",
)

"""What can be invoked, batched, streamed and composed."""

from typing import TYPE_CHECKING, Any

from .base import Runnable
from .config import RunnableConfig, ensure_config, get_config_list, patch_config
from .stream import AsyncStream, Stream

if TYPE_CHECKING:
    from .base import run_in_executor
    from .binding import RunnableBinding
    from .functions import RunnableLambda, chain
    from .sequence import RunnableSequence
    from .serializable import RunnableSerializable

__all__ = (
    "AsyncStream",
    "Runnable",
    "RunnableBinding",
    "RunnableConfig",
    "RunnableLambda",
    "RunnableSequence",
    "RunnableSerializable",
    "Stream",
    "chain",
    "ensure_config",
    "get_config_list",
    "patch_config",
    "run_in_executor",
)

_HOMES = {
    "RunnableBinding": "binding",
    "RunnableLambda": "functions",
    "RunnableSequence": "sequence",
    "RunnableSerializable": "serializable",
    "chain": "functions",
    "run_in_executor": "base",
}


def __getattr__(name: str) -> Any:
    """Import what is composed of Runnables when it is asked for: a model alone needs none of it."""
    if name in _HOMES:
        from importlib import import_module

        return getattr(import_module(f"{__name__}.{_HOMES[name]}"), name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")

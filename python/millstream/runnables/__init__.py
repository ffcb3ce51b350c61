"""What can be invoked, batched, streamed and composed."""

from typing import TYPE_CHECKING

from .._context import run_in_executor
from .._late import lazy_names
from ..streaming.stream import AsyncStream, Stream
from .config import RunnableConfig, ensure_config, get_config_list, patch_config
from .runnable import Runnable

if TYPE_CHECKING:
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

# A model alone needs none of what is composed of Runnables.
__getattr__ = lazy_names(
    globals(),
    {
        "RunnableBinding": ".binding",
        "RunnableLambda": ".functions",
        "RunnableSequence": ".sequence",
        "RunnableSerializable": ".serializable",
        "chain": ".functions",
    },
)

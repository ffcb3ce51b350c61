"""What can be invoked, batched, streamed and composed."""

from typing import TYPE_CHECKING

from .._context import run_in_executor
from .._late import lazy_names
from ..streaming.stream import AsyncStream as AsyncStream
from ..streaming.stream import Stream as Stream
from .config import RunnableConfig, ensure_config, get_config_list, patch_config
from .runnable import Runnable

if TYPE_CHECKING:
    from ..streaming.accumulate import AddableDict, aadd, add
    from .binding import RunnableBinding
    from .branch import RunnableBranch
    from .config_specs import (
        ConfigurableField,
        ConfigurableFieldMultiOption,
        ConfigurableFieldSingleOption,
        ConfigurableFieldSpec,
    )
    from .fallbacks import RunnableWithFallbacks
    from .functions import RunnableLambda, chain
    from .generator import RunnableGenerator
    from .history import RunnableWithMessageHistory
    from .parallel import RunnableMap, RunnableParallel
    from .passthrough import RunnableAssign, RunnablePassthrough, RunnablePick
    from .router import RouterInput, RouterRunnable
    from .sequence import RunnableSequence
    from .serializable import RunnableSerializable

__all__ = (
    "AddableDict",
    "ConfigurableField",
    "ConfigurableFieldMultiOption",
    "ConfigurableFieldSingleOption",
    "ConfigurableFieldSpec",
    "RouterInput",
    "RouterRunnable",
    "Runnable",
    "RunnableAssign",
    "RunnableBinding",
    "RunnableBranch",
    "RunnableConfig",
    "RunnableGenerator",
    "RunnableLambda",
    "RunnableMap",
    "RunnableParallel",
    "RunnablePassthrough",
    "RunnablePick",
    "RunnableSequence",
    "RunnableSerializable",
    "RunnableWithFallbacks",
    "RunnableWithMessageHistory",
    "aadd",
    "add",
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
        "AddableDict": "millstream.streaming.accumulate",
        "ConfigurableField": ".config_specs",
        "ConfigurableFieldMultiOption": ".config_specs",
        "ConfigurableFieldSingleOption": ".config_specs",
        "ConfigurableFieldSpec": ".config_specs",
        "RouterInput": ".router",
        "RouterRunnable": ".router",
        "RunnableAssign": ".passthrough",
        "RunnableBinding": ".binding",
        "RunnableBranch": ".branch",
        "RunnableGenerator": ".generator",
        "RunnableLambda": ".functions",
        "RunnableMap": ".parallel",
        "RunnableParallel": ".parallel",
        "RunnablePassthrough": ".passthrough",
        "RunnablePick": ".passthrough",
        "RunnableSequence": ".sequence",
        "RunnableSerializable": ".serializable",
        "aadd": "millstream.streaming.accumulate",
        "add": "millstream.streaming.accumulate",
        "RunnableWithMessageHistory": ".history",
        "RunnableWithFallbacks": ".fallbacks",
        "chain": ".functions",
    },
)

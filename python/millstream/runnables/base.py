"""The path that LangChain has for Runnables; nothing in this package imports it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from .._context import run_in_executor
from .._late import lazy_names
from .runnable import Input, Output, Runnable

if TYPE_CHECKING:
    from .binding import RunnableBinding
    from .functions import RunnableLambda, coerce_to_runnable
    from .sequence import RunnableSequence
    from .serializable import RunnableSerializable

__all__ = (
    "Input",
    "Output",
    "Runnable",
    "RunnableBinding",
    "RunnableLambda",
    "RunnableSequence",
    "RunnableSerializable",
    "coerce_to_runnable",
    "run_in_executor",
)

__getattr__ = lazy_names(
    globals(),
    {
        "RunnableBinding": "millstream.runnables.binding",
        "RunnableLambda": "millstream.runnables.functions",
        "RunnableSequence": "millstream.runnables.sequence",
        "RunnableSerializable": "millstream.runnables.serializable",
        "coerce_to_runnable": "millstream.runnables.functions",
    },
)

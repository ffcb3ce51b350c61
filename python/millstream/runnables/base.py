"""The path that LangChain has for Runnables; nothing in this package imports it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from .._context import run_in_executor
from .._late import lazy_names
from .runnable import Input, Output, Runnable

if TYPE_CHECKING:
    from .binding import RunnableBinding, RunnableBindingBase
    from .coercion import RunnableLike, coerce_to_runnable
    from .each import RunnableEach, RunnableEachBase
    from .functions import RunnableLambda, chain
    from .generator import RunnableGenerator
    from .parallel import RunnableMap, RunnableParallel
    from .sequence import RunnableSequence
    from .serializable import RunnableSerializable

__all__ = (
    "Input",
    "Output",
    "Runnable",
    "RunnableBinding",
    "RunnableBindingBase",
    "RunnableEach",
    "RunnableEachBase",
    "RunnableGenerator",
    "RunnableLambda",
    "RunnableLike",
    "RunnableMap",
    "RunnableParallel",
    "RunnableSequence",
    "RunnableSerializable",
    "chain",
    "coerce_to_runnable",
    "run_in_executor",
)

__getattr__ = lazy_names(
    globals(),
    {
        "RunnableBinding": "millstream.runnables.binding",
        "RunnableBindingBase": "millstream.runnables.binding",
        "RunnableEach": "millstream.runnables.each",
        "RunnableEachBase": "millstream.runnables.each",
        "RunnableGenerator": "millstream.runnables.generator",
        "RunnableLambda": "millstream.runnables.functions",
        "RunnableLike": "millstream.runnables.coercion",
        "RunnableMap": "millstream.runnables.parallel",
        "RunnableParallel": "millstream.runnables.parallel",
        "RunnableSequence": "millstream.runnables.sequence",
        "RunnableSerializable": "millstream.runnables.serializable",
        "chain": "millstream.runnables.functions",
        "coerce_to_runnable": "millstream.runnables.coercion",
    },
)

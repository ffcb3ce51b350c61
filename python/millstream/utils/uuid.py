"""LangChain's path for the ids of runs."""

from typing import TYPE_CHECKING

from .._late import lazy_names

if TYPE_CHECKING:
    from .._uuid7 import uuid7

__all__ = ("uuid7",)

__getattr__ = lazy_names(
    globals(),
    {
        "uuid7": "millstream._uuid7",
    },
)

"""LangChain's path for printing in colors."""

from typing import TYPE_CHECKING

from .._late import lazy_names

if TYPE_CHECKING:
    from ..callbacks.printing import print_text

__all__ = ("print_text",)

__getattr__ = lazy_names(
    globals(),
    {
        "print_text": "millstream.callbacks.printing",
    },
)

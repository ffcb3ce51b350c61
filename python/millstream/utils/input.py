"""LangChain's path for printing in colors."""

from typing import TYPE_CHECKING

from .._late import lazy_names

if TYPE_CHECKING:
    from ..callbacks.printing import get_bolded_text, get_color_mapping, get_colored_text, print_text

__all__ = ("get_bolded_text", "get_color_mapping", "get_colored_text", "print_text")

__getattr__ = lazy_names(globals(), dict.fromkeys(__all__, "millstream.callbacks.printing"))

"""LangChain's path for the formatter of templates."""

from typing import TYPE_CHECKING

from .._late import lazy_names

if TYPE_CHECKING:
    from ..prompts.templates import StrictFormatter, formatter

__all__ = (
    "StrictFormatter",
    "formatter",
)

__getattr__ = lazy_names(
    globals(),
    {
        "StrictFormatter": "millstream.prompts.templates",
        "formatter": "millstream.prompts.templates",
    },
)

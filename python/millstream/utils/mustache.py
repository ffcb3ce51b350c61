"""LangChain's path for mustache templates."""

from typing import TYPE_CHECKING

from .._late import lazy_names

if TYPE_CHECKING:
    from ..prompts.mustache import ChevronError, render, tokenize

__all__ = (
    "ChevronError",
    "render",
    "tokenize",
)

__getattr__ = lazy_names(
    globals(),
    {
        "ChevronError": "millstream.prompts.mustache",
        "render": "millstream.prompts.mustache",
        "tokenize": "millstream.prompts.mustache",
    },
)

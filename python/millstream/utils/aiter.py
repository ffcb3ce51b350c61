"""LangChain's path for batches of items in async code."""

from contextlib import aclosing
from typing import TYPE_CHECKING

from .._late import lazy_names

if TYPE_CHECKING:
    from .._iteration import abatch_iterate

__all__ = ("abatch_iterate", "aclosing")

__getattr__ = lazy_names(globals(), {"abatch_iterate": "millstream._iteration"})

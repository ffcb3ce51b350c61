"""LangChain's path for batches of items."""

from typing import TYPE_CHECKING

from .._late import lazy_names

if TYPE_CHECKING:
    from .._iteration import batch_iterate

__all__ = ("batch_iterate",)

__getattr__ = lazy_names(globals(), dict.fromkeys(__all__, "millstream._iteration"))

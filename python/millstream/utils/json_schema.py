"""LangChain's path for the references of JSON schemas."""

from typing import TYPE_CHECKING

from .._late import lazy_names

if TYPE_CHECKING:
    from ..function_calling.references import dereference_refs

__all__ = ("dereference_refs",)

__getattr__ = lazy_names(globals(), dict.fromkeys(__all__, "millstream.function_calling.references"))

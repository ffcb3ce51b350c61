"""LangChain's path for validators of pydantic."""

from typing import TYPE_CHECKING

from .._late import lazy_names

if TYPE_CHECKING:
    from .._arguments import pre_init

__all__ = ("pre_init",)

__getattr__ = lazy_names(globals(), dict.fromkeys(__all__, "millstream._arguments"))

"""Models of Ollama's servers."""

from typing import TYPE_CHECKING

from ..._late import lazy_names

if TYPE_CHECKING:
    from .chat import ChatOllama

__all__ = ("ChatOllama",)

__getattr__ = lazy_names(globals(), {"ChatOllama": ".chat"})

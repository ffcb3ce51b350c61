"""What one call of a chat model brought, under the path that LangChain uses."""

from .chat_generation import ChatResult

__all__ = ("ChatResult",)

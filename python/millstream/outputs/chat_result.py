"""``ChatResult`` under LangChain's import path."""

from .chat_generation import ChatResult

__all__ = ("ChatResult",)

"""LangChain's path for functions over the messages of models."""

from ..messages.normalizing import normalize_messages as _normalize_messages
from ..messages.openai_blocks import is_openai_data_block

__all__ = ("_normalize_messages", "is_openai_data_block")

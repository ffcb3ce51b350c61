"""The bases of models."""

from .fields import SecretStr, field
from .llms import LLM, BaseLLM

__all__ = ("LLM", "BaseLLM", "SecretStr", "field")

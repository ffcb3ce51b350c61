"""Exceptions under LangChain's import path; ``errors`` defines them."""

from .errors import OutputParserException

__all__ = ("OutputParserException",)

"""Exceptions under the path that LangChain has for them; all of them are in ``errors``."""

from .errors import OutputParserException

__all__ = ("OutputParserException",)

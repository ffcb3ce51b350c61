"""The parser of JSON that streams, in langchain-core."""

from langchain_core.output_parsers import JsonOutputParser

__all__ = ("JsonOutputParser",)

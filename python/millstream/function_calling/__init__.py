"""Converts functions, classes, typed dicts and dicts to OpenAI's tools and schemas."""

from .conversion import convert_to_json_schema, convert_to_openai_function, convert_to_openai_tool
from .formats import convert_to_response_format

__all__ = (
    "convert_to_json_schema",
    "convert_to_openai_function",
    "convert_to_openai_tool",
    "convert_to_response_format",
)

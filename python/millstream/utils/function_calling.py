"""LangChain's path for conversions of tools and schemas."""

from typing import TYPE_CHECKING

from .._late import lazy_names

if TYPE_CHECKING:
    from ..function_calling.conversion import (
        FunctionDescription,
        ToolDescription,
        convert_to_json_schema,
        convert_to_openai_function,
        convert_to_openai_tool,
    )
    from ..messages.tool_examples import tool_example_to_messages

__all__ = (
    "FunctionDescription",
    "ToolDescription",
    "convert_to_json_schema",
    "convert_to_openai_function",
    "convert_to_openai_tool",
    "tool_example_to_messages",
)

__getattr__ = lazy_names(
    globals(),
    {
        "FunctionDescription": "millstream.function_calling.conversion",
        "ToolDescription": "millstream.function_calling.conversion",
        "convert_to_json_schema": "millstream.function_calling.conversion",
        "convert_to_openai_function": "millstream.function_calling.conversion",
        "convert_to_openai_tool": "millstream.function_calling.conversion",
        "tool_example_to_messages": "millstream.messages.tool_examples",
    },
)

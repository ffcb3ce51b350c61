"""Functions that a model may call."""

from typing import TYPE_CHECKING

from .._late import lazy_names

if TYPE_CHECKING:
    from .base import (
        FILTERED_ARGS,
        ArgsSchema,
        BaseTool,
        BaseToolkit,
        InjectedToolArg,
        InjectedToolCallId,
        SchemaAnnotationError,
        ToolException,
        create_schema_from_function,
    )
    from .convert import convert_runnable_to_tool, tool
    from .custom import custom_tool
    from .render import ToolsRenderer, render_text_description, render_text_description_and_args
    from .retriever import RetrieverInput, create_retriever_tool
    from .simple import Tool
    from .structured import StructuredTool

__all__ = (
    "FILTERED_ARGS",
    "ArgsSchema",
    "BaseTool",
    "BaseToolkit",
    "InjectedToolArg",
    "InjectedToolCallId",
    "RetrieverInput",
    "SchemaAnnotationError",
    "StructuredTool",
    "Tool",
    "ToolException",
    "ToolsRenderer",
    "convert_runnable_to_tool",
    "create_retriever_tool",
    "create_schema_from_function",
    "custom_tool",
    "render_text_description",
    "render_text_description_and_args",
    "tool",
)

__getattr__ = lazy_names(
    globals(),
    {
        "FILTERED_ARGS": ".base",
        "ArgsSchema": ".base",
        "BaseTool": ".base",
        "BaseToolkit": ".base",
        "InjectedToolArg": ".base",
        "InjectedToolCallId": ".base",
        "RetrieverInput": ".retriever",
        "SchemaAnnotationError": ".base",
        "StructuredTool": ".structured",
        "Tool": ".simple",
        "ToolException": ".base",
        "ToolsRenderer": ".render",
        "_get_runnable_config_param": ".base",
        "convert_runnable_to_tool": ".convert",
        "custom_tool": ".custom",
        "create_retriever_tool": ".retriever",
        "create_schema_from_function": ".base",
        "render_text_description": ".render",
        "render_text_description_and_args": ".render",
        "tool": ".convert",
    },
)

"""Structured output: a model whose answer has to fit a schema, piped to a parser."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from ..runnables.runnable import Runnable

__all__ = ("bind_schema_as_tool", "pipe_to_parser")


def pipe_to_parser(bound: Runnable[Any, Any], parser: Any, *, include_raw: bool) -> Runnable[Any, Any]:
    """Return ``bound`` piped to ``parser``; with ``include_raw`` the output also contains the message."""
    from ..output_parsers.structured import RawAndParsed, StructuredOutput

    return bound.pipe(RawAndParsed(parser) if include_raw else StructuredOutput(parser))


def bind_schema_as_tool(
    bind_tools: Callable[..., Runnable[Any, Any]], schema: Any, *, include_raw: bool, **kwargs: Any
) -> Runnable[Any, Any]:
    """Return the model with ``schema`` bound as the tool that it has to call, piped to a parser of that call."""
    for known in ("method", "strict"):
        kwargs.pop(known, None)
    if kwargs:
        raise ValueError(f"Received unsupported arguments {kwargs}")
    from .._model_classes import is_model_class
    from ..function_calling import convert_to_openai_tool
    from ..output_parsers.openai_tools import JsonOutputKeyToolsParser, PydanticToolsParser

    format = {"kwargs": {"method": "function_calling"}, "schema": schema}
    bound = bind_tools([schema], tool_choice="any", ls_structured_output_format=format)
    parser: Any
    if is_model_class(schema):
        parser = PydanticToolsParser(tools=[schema], first_tool_only=True)
    else:
        name = convert_to_openai_tool(schema)["function"]["name"]
        parser = JsonOutputKeyToolsParser(key_name=name, first_tool_only=True)
    return pipe_to_parser(bound, parser, include_raw=include_raw)

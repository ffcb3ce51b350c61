"""Structured output: a model whose answer has to fit a schema, piped to a parser."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any, Protocol

if TYPE_CHECKING:
    from ..runnables.runnable import Runnable

__all__ = ("StructuredModel", "bind_schema_as_tool", "call_parser", "pipe_to_parser", "text_parser")


class StructuredModel(Protocol):
    """The interface of a chat model that structured output uses."""

    def bind(self, **kwargs: Any) -> Runnable[Any, Any]:
        """Return the model with ``kwargs`` in every call."""

    def bind_tools(self, tools: Sequence[Any], **kwargs: Any) -> Runnable[Any, Any]:
        """Return the model with tools that it may call."""


def pipe_to_parser(bound: Runnable[Any, Any], parser: Any, *, include_raw: bool) -> Runnable[Any, Any]:
    """Return ``bound`` piped to ``parser``; with ``include_raw`` the output also contains the message."""
    from ..output_parsers.structured import RawAndParsed, StructuredOutput

    return bound.pipe(RawAndParsed(parser) if include_raw else StructuredOutput(parser))


def call_parser(schema: Any, name: str) -> Any:
    """Return the parser of the first call of the tool ``name``, whose arguments fit ``schema``."""
    from .._model_classes import is_model_class
    from ..output_parsers.openai_tools import JsonOutputKeyToolsParser, PydanticToolsParser

    if is_model_class(schema):
        return PydanticToolsParser(tools=[schema], first_tool_only=True)
    return JsonOutputKeyToolsParser(key_name=name, first_tool_only=True)


def text_parser(schema: Any) -> Any:
    """Return the parser of a text that is JSON and fits ``schema``; without a pydantic class the output is a dict."""
    from .._model_classes import is_model_class
    from ..output_parsers import JsonOutputParser
    from ..output_parsers.pydantic import PydanticOutputParser

    return PydanticOutputParser(pydantic_object=schema) if is_model_class(schema) else JsonOutputParser()


def bind_schema_as_tool(
    bind_tools: Callable[..., Runnable[Any, Any]], schema: Any, *, include_raw: bool, **kwargs: Any
) -> Runnable[Any, Any]:
    """Return the model with ``schema`` bound as the tool that it has to call, piped to a parser of that call."""
    for known in ("method", "strict"):
        kwargs.pop(known, None)
    if kwargs:
        raise ValueError(f"Received unsupported arguments {kwargs}")
    from ..function_calling import convert_to_openai_tool

    format = {"kwargs": {"method": "function_calling"}, "schema": schema}
    bound = bind_tools([schema], tool_choice="any", ls_structured_output_format=format)
    name = convert_to_openai_tool(schema)["function"]["name"]
    return pipe_to_parser(bound, call_parser(schema, name), include_raw=include_raw)

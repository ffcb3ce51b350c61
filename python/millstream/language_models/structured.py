"""Structured output: what a model has to answer in the form of a schema."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from ..runnables.runnable import Runnable
    from .chat_models import BaseChatModel

__all__ = ("by_any_tool", "shown_format", "with_parser")


def shown_format(asked: Mapping[str, Any] | None) -> dict[str, Any]:
    """Return what handlers are told of the schema that ``asked`` holds; nothing, where it cannot be read."""
    if not asked:
        return {}
    from ..function_calling import convert_to_json_schema

    try:
        schema = convert_to_json_schema(asked["schema"])
    except ValueError:
        return {}
    return {"ls_structured_output_format": {"kwargs": asked.get("kwargs", {}), "schema": schema}}


def with_parser(bound: Runnable[Any, Any], parser: Any, *, include_raw: bool) -> Runnable[Any, Any]:
    """Return ``bound`` with what reads its answers by ``parser``; with ``include_raw`` it hands the message on, too."""
    from ..output_parsers.structured import RawAndParsed, StructuredOutput

    return bound.pipe(RawAndParsed(parser) if include_raw else StructuredOutput(parser))


def by_any_tool(model: BaseChatModel, schema: Any, *, include_raw: bool, **kwargs: Any) -> Runnable[Any, Any]:
    """Return ``model`` with ``schema`` as the tool that it has to call, and what reads the call."""
    for known in ("method", "strict"):
        kwargs.pop(known, None)
    if kwargs:
        raise ValueError(f"Received unsupported arguments {kwargs}")
    from .._model_classes import is_model_class
    from ..function_calling import convert_to_openai_tool
    from ..output_parsers.openai_tools import JsonOutputKeyToolsParser, PydanticToolsParser
    from .chat_models import BaseChatModel

    if type(model).bind_tools is BaseChatModel.bind_tools:
        raise NotImplementedError("with_structured_output is not implemented for this model.")
    told = {"kwargs": {"method": "function_calling"}, "schema": schema}
    bound = model.bind_tools([schema], tool_choice="any", ls_structured_output_format=told)
    parser: Any
    if is_model_class(schema):
        parser = PydanticToolsParser(tools=[schema], first_tool_only=True)
    else:
        name = convert_to_openai_tool(schema)["function"]["name"]
        parser = JsonOutputKeyToolsParser(key_name=name, first_tool_only=True)
    return with_parser(bound, parser, include_raw=include_raw)

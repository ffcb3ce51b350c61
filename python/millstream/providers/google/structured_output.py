"""Structured output of Gemini: the parameters that request a schema, and the parser of the answer."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from ..._model_classes import is_model_class, schema_of_model
from ...function_calling import convert_to_json_schema, convert_to_openai_tool
from ...function_calling.annotations import is_typed_dict
from ...language_models.structured_output import StructuredModel, call_parser, pipe_to_parser, text_parser

if TYPE_CHECKING:
    from ...runnables.runnable import Runnable

__all__ = ("build_structured_model",)

_METHODS = ("json_schema", "json_mode", "function_calling")


def build_structured_model(
    model: StructuredModel,
    schema: Any,
    *,
    method: str | None,
    include_raw: bool,
    kwargs: Mapping[str, Any],
) -> Runnable[Any, Any]:
    """Return ``model``, bound to the parameters that request ``schema`` and piped to the parser of its answers."""
    if unknown := {name: value for name, value in kwargs.items() if name != "strict"}:
        raise ValueError(f"Received unsupported arguments {unknown}")
    if method is None:
        method = "function_calling"
    if method not in _METHODS:
        raise ValueError(f"method must be one of {', '.join(_METHODS)}, not {method!r}")
    bind = _bind_tool if method == "function_calling" else _bind_schema
    bound, parser = bind(model, schema, method)
    return pipe_to_parser(bound, parser, include_raw=include_raw)


def _bind_schema(model: StructuredModel, schema: Any, method: str) -> tuple[Any, Any]:
    if is_model_class(schema):
        sent, shown = schema_of_model(schema), convert_to_json_schema(schema)
    elif is_typed_dict(schema):
        sent = shown = convert_to_json_schema(schema)
    elif isinstance(schema, Mapping):
        sent = dict(schema)
        shown = convert_to_json_schema(schema) if "title" in schema else sent
    else:
        raise ValueError(f"Unsupported schema type {type(schema)}")
    bound = model.bind(
        response_mime_type="application/json",
        response_json_schema=sent,
        ls_structured_output_format={"kwargs": {"method": method}, "schema": shown},
    )
    return bound, text_parser(schema)


def _bind_tool(model: StructuredModel, schema: Any, method: str) -> tuple[Any, Any]:
    tool = convert_to_openai_tool(schema)
    name = tool["function"]["name"]
    format = {"kwargs": {"method": method}, "schema": tool}
    bound = model.bind_tools([schema], tool_choice=name, ls_structured_output_format=format)
    return bound, call_parser(schema, name)

"""Structured output of Ollama's models: the parameters that request a schema, and the parser of the answer."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, is_typeddict

from ..._model_classes import is_first_version, is_model_class
from ...function_calling import convert_to_json_schema, convert_to_openai_tool
from ...language_models.structured_output import StructuredModel, call_parser, pipe_to_parser, text_parser

if TYPE_CHECKING:
    from ...runnables.runnable import Runnable

__all__ = ("build_structured_model",)

_METHODS = ("function_calling", "json_schema", "json_mode")


def build_structured_model(
    model: StructuredModel, schema: Any, *, method: str, include_raw: bool, kwargs: Mapping[str, Any]
) -> Runnable[Any, Any]:
    """Return ``model``, bound to the parameters that request ``schema`` and piped to the parser of its answers."""
    if unsupported := {name: value for name, value in kwargs.items() if name != "strict"}:
        raise ValueError(f"Received unsupported arguments {unsupported}")
    if method not in _METHODS:
        raise ValueError(
            "Unrecognized method argument. Expected one of 'function_calling', 'json_schema', or 'json_mode'. "
            f"Received: '{method}'"
        )
    if method != "json_mode" and schema is None:
        raise ValueError("schema must be specified when method is not 'json_mode'. Received None.")
    if method == "function_calling":
        bound, parser = _bind_tool(model, schema)
    else:
        format = "json" if method == "json_mode" else _build_format(schema)
        described = schema if method == "json_mode" or is_model_class(schema) else format
        bound = model.bind(
            format=format, ls_structured_output_format={"kwargs": {"method": method}, "schema": described}
        )
        parser = text_parser(schema)
    return pipe_to_parser(bound, parser, include_raw=include_raw)


def _bind_tool(model: StructuredModel, schema: Any) -> tuple[Any, Any]:
    tool = convert_to_openai_tool(schema)
    name = tool["function"]["name"]
    format = {"kwargs": {"method": "function_calling"}, "schema": tool}
    bound = model.bind_tools([schema], tool_choice=name, ls_structured_output_format=format)
    return bound, call_parser(schema, name)


def _build_format(schema: Any) -> Any:
    """Return the JSON schema that is sent as ``format``: for a dict, that dict."""
    if is_model_class(schema):
        return schema.schema() if is_first_version(schema) else schema.model_json_schema()
    if not is_typeddict(schema):
        return schema
    format = convert_to_json_schema(schema)
    if "required" not in format:
        format["required"] = list(format["properties"])
    return format

"""Converts tools to those of Ollama's chat endpoint."""

from collections.abc import Mapping, Sequence
from typing import Any

from ...function_calling import convert_to_openai_tool
from ..http.arguments import list_tools

__all__ = ("build_tools", "reduce_tool")

_TOOL_KEYS = ("type", "function")
_FUNCTION_KEYS = ("name", "description", "parameters")
_PARAMETERS_KEYS = ("type", "$defs", "items", "required", "properties")
# What the server reads of a parameter (`ToolProperty` in its `api/types.go`). The SDK drops the last three.
_PROPERTY_KEYS = ("type", "items", "description", "enum", "anyOf", "properties", "required")


def build_tools(tools: Sequence[Any]) -> list[dict[str, Any]]:
    """Return ``tools`` in OpenAI's form, which Ollama accepts."""
    return [convert_to_openai_tool(tool) for tool in list_tools(tools)]


def reduce_tool(tool: Any) -> dict[str, Any]:
    """Return ``tool`` with the fields that the endpoint has, as the SDK sends it; a function is converted."""
    if not isinstance(tool, Mapping):
        tool = convert_to_openai_tool(tool)
    reduced = {"type": "function", **_pick(tool, _TOOL_KEYS)}
    if isinstance(function := reduced.get("function"), Mapping):
        function = reduced["function"] = _pick(function, _FUNCTION_KEYS)
        if isinstance(parameters := function.get("parameters"), Mapping):
            function["parameters"] = {"type": "object", **_reduce(parameters, _PARAMETERS_KEYS)}
    return reduced


def _reduce(schema: Mapping[str, Any], keys: Sequence[str]) -> dict[str, Any]:
    """Return the ``keys`` of a schema, and the same of the schemas of its properties."""
    reduced = _pick(schema, keys)
    if isinstance(properties := reduced.get("properties"), Mapping):
        reduced["properties"] = {name: _reduce_property(property) for name, property in properties.items()}
    return reduced


def _reduce_property(schema: Any) -> Any:
    if not isinstance(schema, Mapping):
        return schema
    reduced = _reduce(schema, _PROPERTY_KEYS)
    if isinstance(choices := reduced.get("anyOf"), list):
        reduced["anyOf"] = [_reduce_property(choice) for choice in choices]
    return reduced


def _pick(values: Mapping[str, Any], keys: Sequence[str]) -> dict[str, Any]:
    return {key: values[key] for key in keys if values.get(key) is not None}

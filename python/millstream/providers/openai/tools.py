"""``build_tool_arguments``: the parameters of a request with tools, in OpenAI's form."""

from collections.abc import Mapping, Sequence
from typing import Any

from ...function_calling import convert_to_openai_tool
from ...function_calling.formats import json_schema_format
from ..http.arguments import list_tools

__all__ = ("build_tool_arguments",)

_BUILT_IN = (
    *("file_search", "web_search_preview", "web_search", "computer_use_preview", "code_interpreter", "mcp"),
    *("image_generation", "tool_search", "apply_patch"),
)


def build_tool_arguments(
    tools: Sequence[Any],
    *,
    tool_choice: object,
    strict: bool | None,
    response_format: object,
    needs_strict: bool = True,
) -> dict[str, Any]:
    """Return the parameters ``tools``, ``tool_choice`` and ``response_format`` of a request.

    With ``needs_strict``, the API accepts a response format only beside functions that are strict.
    """
    tools = list_tools(tools)
    if response_format and needs_strict and strict is not False:
        strict = True
    formatted = [_format_tool(tool, strict) for tool in tools]
    arguments: dict[str, Any] = {"tools": formatted}
    if tool_choice:
        names = [tool.get("function", tool).get("name") for tool in formatted]
        arguments["tool_choice"] = _convert_choice(tool_choice, names)
    if response_format:
        arguments["response_format"] = _convert_format(response_format, strict)
    return arguments


def _format_tool(tool: Any, strict: bool | None) -> dict[str, Any]:
    formatted = convert_to_openai_tool(tool, strict=strict)
    extras = getattr(tool, "extras", None)
    if isinstance(extras, Mapping):
        formatted |= {name: extras[name] for name in ("defer_loading", "async") if name in extras}
    return formatted


def _convert_choice(choice: object, names: Sequence[Any]) -> Any:
    if isinstance(choice, bool):
        return "required"
    if isinstance(choice, Mapping):
        return dict(choice)
    if not isinstance(choice, str):
        raise ValueError(f"Unrecognized tool_choice type. Expected str, bool or dict. Received: {choice}")
    if choice in names:
        return {"type": "function", "function": {"name": choice}}
    if choice in _BUILT_IN:
        return {"type": choice}
    # "any" is the name of other providers for it.
    return "required" if choice == "any" else choice


def _convert_format(format: object, strict: bool | None) -> Any:
    inner = format.get("json_schema") if isinstance(format, Mapping) and format.get("type") == "json_schema" else None
    if isinstance(inner, Mapping) and "schema" in inner:
        return json_schema_format(inner["schema"], strict=inner.get("strict"))
    return json_schema_format(format, strict=strict)

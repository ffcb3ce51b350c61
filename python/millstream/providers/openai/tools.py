"""The arguments of a call that brings tools: how OpenAI's interface wants them."""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from ...function_calling import convert_to_openai_tool
from ...function_calling.formats import json_schema_format

__all__ = ("tool_arguments",)

_BUILT_IN = (
    *("file_search", "web_search_preview", "web_search", "computer_use_preview", "code_interpreter", "mcp"),
    *("image_generation", "tool_search", "apply_patch"),
)


def tool_arguments(
    tools: Sequence[Any], *, tool_choice: Any, strict: bool | None, response_format: Any
) -> dict[str, Any]:
    """Return ``tools``, ``tool_choice`` and ``response_format`` as a request has them."""
    if isinstance(tools, str | Mapping | type) or not isinstance(tools, Iterable):
        name = getattr(tools, "__name__", None) or type(tools).__name__
        raise TypeError(f"tools must be a list, not {name} alone: write bind_tools([…])")
    if response_format and strict is not False:
        # Beside a schema for the answer, functions have to be strict.
        strict = True
    formatted = [convert_to_openai_tool(tool, strict=strict) for tool in tools]
    arguments: dict[str, Any] = {"tools": formatted}
    if tool_choice:
        names = [tool.get("function", tool).get("name") for tool in formatted]
        arguments["tool_choice"] = _choice(tool_choice, names)
    if response_format:
        arguments["response_format"] = _format(response_format, strict)
    return arguments


def _choice(asked: Any, names: Sequence[Any]) -> Any:
    if isinstance(asked, bool):
        return "required"
    if isinstance(asked, Mapping):
        return dict(asked)
    if not isinstance(asked, str):
        raise ValueError(f"Unrecognized tool_choice type. Expected str, bool or dict. Received: {asked}")
    if asked in names:
        return {"type": "function", "function": {"name": asked}}
    if asked in _BUILT_IN:
        return {"type": asked}
    # What other models call so.
    return "required" if asked == "any" else asked


def _format(asked: Any, strict: bool | None) -> Any:
    inner = asked.get("json_schema") if isinstance(asked, Mapping) and asked.get("type") == "json_schema" else None
    if isinstance(inner, Mapping) and "schema" in inner:
        return json_schema_format(inner["schema"], strict=inner.get("strict"))
    return json_schema_format(asked, strict=strict)

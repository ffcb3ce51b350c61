"""Tools in Anthropic's format, and the arguments of a request with tools."""

from __future__ import annotations

import warnings
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from ...function_calling import convert_to_openai_tool
from ..http.arguments import list_tools

__all__ = ("build_tool_arguments", "convert_to_anthropic_tool", "drop_unsupported", "forces_call", "thinks")

_Tool = Mapping[str, Any]

# The types of the provider's own tools begin with these.
_BUILT_IN = (
    *("text_editor_", "computer_", "bash_", "web_search_", "web_fetch_", "code_execution_", "mcp_toolset", "memory_"),
    *("tool_search_", "advisor_"),
)
# Keys of `extras` of a tool that are sent.
_EXTRAS = frozenset({"allowed_callers", "cache_control", "defer_loading", "eager_input_streaming", "input_examples"})
_COMPOSITIONS = ("oneOf", "anyOf")
_COMPOSED = "/".join(_COMPOSITIONS)


def convert_to_anthropic_tool(tool: Any, *, strict: bool | None = None) -> dict[str, Any]:
    """Return ``tool`` in Anthropic's format: ``name``, ``input_schema``, ``description``.

    A tool's ``extras`` may have other keys of Anthropic's, or its whole definition as ``provider_tool_definition``.
    """
    extras = getattr(tool, "extras", None) if not isinstance(tool, Mapping | type) else None
    extras = extras if isinstance(extras, dict) else {}
    if "provider_tool_definition" in extras:
        return extras["provider_tool_definition"]  # type: ignore[no-any-return]
    if isinstance(tool, dict) and all(key in tool for key in ("name", "description", "input_schema")):
        return dict(tool)
    function = convert_to_openai_tool(tool, strict=strict)["function"]
    converted = {"name": function["name"], "input_schema": function["parameters"]}
    converted |= {key: function[key] for key in ("description",) if key in function}
    if "strict" in function and isinstance(strict, bool):
        converted["strict"] = function["strict"]
    return converted | {key: value for key, value in extras.items() if key in _EXTRAS}


def _is_built_in(tool: object) -> bool:
    kind = tool.get("type") if isinstance(tool, dict) else None
    return isinstance(kind, str) and kind.startswith(_BUILT_IN)


def drop_unsupported(tools: Iterable[_Tool]) -> tuple[list[_Tool], set[str]]:
    """Return the tools that the API accepts, and the names of the others, of which a warning reports each.

    It rejects an ``input_schema`` that is a union.
    """
    kept: list[_Tool] = []
    dropped: set[str] = set()
    for tool in tools:
        schema = tool.get("input_schema")
        found = [key for key in _COMPOSITIONS if key in schema] if isinstance(schema, Mapping) else []
        if not found:
            kept.append(tool)
            continue
        name = tool.get("name")
        if isinstance(name, str):
            dropped.add(name)
        warnings.warn(
            f"Dropping tool {repr(name) if isinstance(name, str) else 'with no name'}: its input_schema has a top-level"
            f" {'/'.join(found)}, which the Anthropic API does not support. The tool will not be available to the"
            " model.",
            stacklevel=4,
        )
    return kept, dropped


def build_tool_arguments(
    tools: Sequence[Any],
    *,
    tool_choice: Any,
    strict: bool | None,
    parallel_tool_calls: bool | None,
    thinking: Mapping[str, Any] | None,
) -> dict[str, Any]:
    """Return the parameters ``tools`` and ``tool_choice`` of a request; ``thinking`` is the model's own.

    Raises :class:`ValueError` where no tool is left, or the one that the model has to call is not.
    """
    formatted: list[_Tool] = [
        tool if _is_built_in(tool) else convert_to_anthropic_tool(tool, strict=strict) for tool in list_tools(tools)
    ]
    kept, dropped = drop_unsupported(formatted)
    if formatted and not kept:
        raise ValueError(
            f"All {len(formatted)} bound tool(s) use a top-level {_COMPOSED} in their input_schema, which the Anthropic"
            f" API rejects: {sorted(dropped)}. No tool is left for the model to call. Move the union into a property,"
            " or use with_structured_output(…, method='json_schema'), which accepts such a schema."
        )
    choice = _convert_choice(tool_choice)
    if forces_call(choice) and thinks(thinking):
        warnings.warn(
            "tool_choice is forced but thinking is enabled. The Anthropic API does not support forced tool use with"
            " thinking. Dropping tool_choice to avoid an API error. Tool calls are not guaranteed. Consider disabling"
            " thinking or adjusting your prompt to ensure the tool is called.",
            stacklevel=3,
        )
        choice = None
    elif choice is not None and dropped:
        _check_choice(choice, dropped)
    if parallel_tool_calls is not None:
        choice = {**(choice or {"type": "auto"}), "disable_parallel_tool_use": not parallel_tool_calls}
    return {"tools": kept} if choice is None else {"tools": kept, "tool_choice": choice}


def thinks(thinking: object) -> bool:
    """Return whether the parameter ``thinking`` switches thinking on."""
    return isinstance(thinking, Mapping) and thinking.get("type") in ("enabled", "adaptive")


def forces_call(choice: Mapping[str, Any] | None) -> bool:
    """Return whether the model has to call a tool."""
    return choice is not None and choice.get("type") in ("any", "tool")


def _convert_choice(choice: Any) -> dict[str, Any] | None:
    if not choice:
        return None
    if isinstance(choice, Mapping):
        return dict(choice)
    if not isinstance(choice, str):
        raise ValueError(f"Unrecognized 'tool_choice' type tool_choice={choice!r}. Expected dict, str, or None.")
    return {"type": choice} if choice in ("any", "auto") else {"type": "tool", "name": choice}


def _check_choice(choice: Mapping[str, Any], dropped: set[str]) -> None:
    """Raise for a call that the model has to make and cannot, since its tool was dropped."""
    if choice.get("type") == "tool" and choice.get("name") in dropped:
        raise ValueError(
            f"tool_choice forces {choice['name']!r}, but that tool was dropped because its input_schema uses a"
            f" top-level {_COMPOSED}, which the Anthropic API rejects. Stop forcing it, or move the union into a"
            " property; with_structured_output(…, method='json_schema') accepts such a schema."
        )
    if choice.get("type") == "any":
        raise ValueError(
            f"tool_choice='any' forces the model to call a tool, but {sorted(dropped)} were dropped because their"
            f" input_schema uses a top-level {_COMPOSED}, which the Anthropic API rejects. Use tool_choice='auto' for"
            " the remaining tools, or move the union into a property."
        )

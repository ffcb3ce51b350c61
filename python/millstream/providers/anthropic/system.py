"""System messages: the content that Anthropic accepts in them, and where they may stand."""

from __future__ import annotations

import warnings
from collections.abc import Mapping
from typing import Any

from .blocks import format_text

__all__ = ("allows_system_after", "changes_tools", "defines_tool", "format_system", "unwrap", "warn_hoisted")

_Block = dict[str, Any]
System = str | list[_Block]

_TOOL_CHANGES = ("tool_addition", "tool_removal")


def unwrap(block: _Block) -> _Block:
    """Return the provider's block in a ``non_standard`` one; any other block as it is."""
    inner = block.get("value") if block.get("type") == "non_standard" else None
    return inner if isinstance(inner, dict) else block


def format_system(content: str | list[Any], model: str | None, *, in_place: bool) -> System:
    """Return the content of a system message: texts, and changes of the tools unless the message was moved.

    A text stays a text, since a prompt cache would miss it as a block. Other blocks are left out, with a warning;
    ``in_place`` says that the message stands where the user put it.
    """
    if not isinstance(content, list):
        return content
    formatted: list[_Block] = []
    for item in content:
        if not isinstance(item, dict):
            formatted.append({"type": "text", "text": item})
            continue
        block = unwrap(item)
        kind = block.get("type")
        if kind == "text":
            formatted.append(format_text(block))
        elif kind in _TOOL_CHANGES and in_place:
            formatted.append(block)
        else:
            _warn_dropped(kind, model)
    return formatted


def _warn_dropped(kind: object, model: str | None) -> None:
    if kind in _TOOL_CHANGES:
        message = (
            f"Tool-change block {kind!r} was dropped: it is only valid on a `SystemMessage` sent in place, and this one"
            " was hoisted into the top-level `system` field. Use a model whose profile sets"
            " `mid_conversation_system_messages` and place the message after a human or tool message, either last or"
            f" before an AI message (model: {model!r})."
        )
    else:
        message = (
            f"Unrecognized system content block {kind!r} was dropped. Anthropic accepts `text` in any system message,"
            " plus `tool_addition` and `tool_removal` on a mid-conversation one."
        )
    warnings.warn(message, stacklevel=2)


def warn_hoisted(model: str | None) -> None:
    """Warn that a system message that is not the first one became the system prompt."""
    warnings.warn(
        "A non-leading `SystemMessage` was moved to the top-level `system` field and now applies to the entire"
        " conversation. To send it in place, use a model whose profile sets `mid_conversation_system_messages` and"
        f" place it after a human or tool message, either last or before an AI message (model: {model!r}).",
        stacklevel=2,
    )


def allows_system_after(turn: Mapping[str, Any] | None) -> bool:
    """Return whether a system message may follow ``turn``: a user's, or one that ends with a server tool's result."""
    if turn is None or turn["role"] == "user":
        return turn is not None
    content = turn["content"]
    if turn["role"] != "assistant" or not isinstance(content, list) or not content:
        return False
    kind = content[-1].get("type") if isinstance(content[-1], dict) else None
    return isinstance(kind, str) and kind.endswith("_tool_result")


def changes_tools(content: object) -> bool:
    """Return whether the content of a system message adds or removes tools."""
    blocks = content if isinstance(content, list) else ()
    return any(isinstance(block, dict) and unwrap(block).get("type") in _TOOL_CHANGES for block in blocks)


def defines_tool(content: object) -> bool:
    """Return whether the content of a system message defines a new tool."""
    for block in content if isinstance(content, list) else ():
        tool = block.get("tool") if isinstance(block, dict) and block.get("type") == "tool_addition" else None
        if isinstance(tool, dict) and tool.get("type") == "tool_definition":
            return True
    return False

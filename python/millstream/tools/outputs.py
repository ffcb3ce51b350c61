"""What becomes of a tool's result: the message for a tool call, or the result as it is."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any

from .._kinds import is_kind
from ..messages.tool import ToolMessage

__all__ = ("TOOL_MESSAGE_BLOCK_TYPES",)

TOOL_MESSAGE_BLOCK_TYPES = (
    *("text", "image_url", "image", "json", "search_result", "custom_tool_call_output"),
    *("document", "file"),
)
"""The types of content blocks that a tool may return."""


def _format_output(content: Any, artifact: Any, tool_call_id: str | None, name: str, status: Any) -> Any:
    """Return the :class:`ToolMessage` for ``content``.

    It is ``content`` itself if that is such a message or a list of them, or if there is no tool call.
    """
    if isinstance(content, list) and content and all(map(_is_output, content)):
        return content
    if _is_output(content) or tool_call_id is None:
        return content
    text_or_blocks = _normalize_message_content(content)
    if text_or_blocks is None:
        text_or_blocks = _as_text(content)
    return ToolMessage(text_or_blocks, artifact=artifact, tool_call_id=tool_call_id, name=name, status=status)


def _is_output(content: object) -> bool:
    return is_kind(type(content), "ToolOutputMixin")


def _normalize_message_content(content: object) -> str | list[Any] | None:
    """Return ``content`` as the content of a message, or ``None`` if it is not text or a sequence of blocks."""
    if isinstance(content, str):
        return content
    if isinstance(content, Sequence) and all(map(_is_message_content_block, content)):
        return list(content)
    return None


def _is_message_content_block(block: object) -> bool:
    return isinstance(block, str) or (isinstance(block, dict) and block.get("type") in TOOL_MESSAGE_BLOCK_TYPES)


def _as_text(content: object) -> str:
    try:
        return json.dumps(content, ensure_ascii=False)
    except Exception:
        return str(content)

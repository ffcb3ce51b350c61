"""Answers of Anthropic's models on Amazon Bedrock as standard blocks."""

from __future__ import annotations

from typing import Any

from . import anthropic
from .parts import call_blocks

__all__ = ("translate_content", "translate_content_chunk")


def translate_content(message: Any) -> list[Any]:
    """Return the content of an answer as standard blocks; :class:`NotImplementedError` for other models."""
    if "claude" not in message.response_metadata.get("model_name", "").lower():
        raise NotImplementedError
    blocks = anthropic.translate_content(message)
    known = {block.get("id") for block in blocks if block.get("type") == "tool_call"}
    missing = (call for call in call_blocks(message) if call["id"] and call["id"] not in known)
    return blocks + [{"type": call["type"], "id": call["id"], **call} for call in missing]


def translate_content_chunk(message: Any) -> list[Any]:
    """Return the content of a chunk as standard blocks."""
    if message.content == "" and not message.additional_kwargs and not message.tool_calls:
        # A chunk with metadata alone.
        return []
    blocks = anthropic.translate_content(message)
    if message.content or message.chunk_position == "last":
        return blocks
    return blocks + call_blocks(message)

"""Messages, arguments and results as attributes of spans, where the application asks for content."""

from __future__ import annotations

import json
import os
from collections.abc import Mapping, Sequence
from typing import Any

from ..messages.finish_reasons import find_finish_reasons

__all__ = ("captures_content", "input_messages", "output_messages", "to_json")

_VARIABLE = "OTEL_INSTRUMENTATION_GENAI_CAPTURE_MESSAGE_CONTENT"
_ROLES = {"human": "user", "ai": "assistant"}
_MODALITIES = ("image", "audio", "video")
_REASONS = {
    "tool_calls": "tool_call",
    "tool_use": "tool_call",
    "function_call": "tool_call",
    "max_tokens": "length",
    "end_turn": "stop",
    "stop_sequence": "stop",
    "completed": "stop",
    "max_output_tokens": "length",
}


def captures_content() -> bool:
    """Return whether the environment asks for content on spans."""
    return os.environ.get(_VARIABLE, "").lower() in ("true", "1", "span_only", "span_and_event")


def to_json(value: Any) -> str:
    """Return ``value`` as JSON, since an attribute of a span cannot be a list of dicts; other objects become texts."""
    try:
        return json.dumps(value, ensure_ascii=False, default=str)
    except (TypeError, ValueError, RecursionError):
        # Keys that are not texts, and circles.
        return str(value)


def input_messages(messages: Sequence[Any]) -> str:
    """Return the messages of a prompt, or the text of a completion's."""
    return to_json([_input_message(one) for one in messages])


def output_messages(generations: Sequence[Any]) -> str:
    """Return the answers."""
    found = []
    for generation in generations:
        message = getattr(generation, "message", None)
        parts = [_text(generation.text)] if message is None else _parts(message)
        reason = finish_reason(generation)
        found.append({"role": "assistant", "parts": parts, "finish_reason": _REASONS.get(reason or "", reason)})
    return to_json(found)


def finish_reason(generation: Any) -> str | None:
    """Return why an answer ended, in the provider's words."""
    metadata = getattr(getattr(generation, "message", None), "response_metadata", None) or {}
    for source in (metadata, getattr(generation, "generation_info", None) or {}):
        # The Responses API has a status alone for an answer that is complete.
        reason = next(find_finish_reasons(source), source.get("status"))
        if isinstance(reason, str):
            # The core's word for why an answer is not complete.
            return reason.removeprefix("incomplete:")
    return None


def _input_message(message: Any) -> dict[str, Any]:
    if isinstance(message, str):
        return {"role": "user", "parts": [_text(message)]}
    kind = message.type
    if kind == "tool":
        part = {"type": "tool_call_response", "id": message.tool_call_id, "response": message.content}
        return {"role": "tool", "parts": [part]}
    return {"role": _ROLES.get(kind, getattr(message, "role", kind)), "parts": _parts(message)}


def _parts(message: Any) -> list[dict[str, Any]]:
    return [_part(block) for block in message.content_blocks]


def _text(text: str) -> dict[str, Any]:
    return {"type": "text", "content": text}


def _part(block: Mapping[str, Any]) -> dict[str, Any]:
    """Return a standard block of content as a part of a message."""
    kind = block.get("type")
    if kind == "text":
        return _text(block.get("text", ""))
    if kind == "reasoning":
        return {"type": "reasoning", "content": block.get("reasoning", "")}
    if kind in ("tool_call", "tool_call_chunk", "invalid_tool_call"):
        return {
            "type": "tool_call",
            "id": block.get("id"),
            "name": block.get("name"),
            "arguments": block.get("args"),
        }
    if kind in _MODALITIES:
        return _media(str(kind), block)
    return dict(block)


def _media(kind: str, block: Mapping[str, Any]) -> dict[str, Any]:
    part: dict[str, Any] = {"modality": kind, "mime_type": block.get("mime_type")}
    if "url" in block:
        return {**part, "type": "uri", "uri": block["url"]}
    if "file_id" in block:
        return {**part, "type": "file", "file_id": block["file_id"]}
    return {**part, "type": "blob", "content": block.get("base64")}

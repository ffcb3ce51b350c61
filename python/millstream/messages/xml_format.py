"""Formats messages as XML elements, for :func:`~millstream.messages.get_buffer_string`."""

import json
from typing import Any
from xml.sax.saxutils import escape, quoteattr

from .ai import AIMessage
from .base import BaseMessage

__all__ = ("format_as_xml",)

_MAX_TEXT_SIZE = 500
_MAX_ID_SIZE = 64


def format_as_xml(message: BaseMessage, role: str) -> str:
    """Return ``message`` as an element with its content and tool calls.

    Data in base64 and blocks of unknown types are left out; long arguments and results of the provider's
    tools are shortened.
    """
    content = " ".join(filter(None, map(_format_block, _blocks(message))))
    calls = _format_calls(message) if isinstance(message, AIMessage) else []
    if not calls:
        return f"<message type={quoteattr(role)}>{content}</message>"
    inner = [f"<content>{content}</content>"] if content else []
    lines = [f"  {line}" for line in (*inner, *calls)]
    return "\n".join([f"<message type={quoteattr(role)}>", *lines, "</message>"])


def _blocks(message: BaseMessage) -> list[str | dict[str, Any]]:
    return [message.content] if isinstance(message.content, str) else message.content


def _format_calls(message: AIMessage) -> list[str]:
    if message.tool_calls:
        return [
            f"<tool_call id={quoteattr(_shorten(call.get('id') or '', _MAX_ID_SIZE))} "
            f"name={quoteattr(str(call.get('name') or ''))}>{_json(call.get('args', {}))}</tool_call>"
            for call in message.tool_calls
        ]
    if "function_call" not in message.additional_kwargs:
        return []
    call = message.additional_kwargs["function_call"]
    arguments = escape(str(call.get("arguments") or "{}"))
    return [f"<function_call name={quoteattr(str(call.get('name') or ''))}>{arguments}</function_call>"]


def _format_block(block: str | dict[str, Any]) -> str | None:
    if isinstance(block, str):
        return escape(block)
    if _has_inline_data(block):
        return None
    type_name = block.get("type", "")
    if type_name == "text":
        return escape(block.get("text") or "")
    if type_name == "reasoning":
        reasoning = block.get("reasoning")
        return f"<reasoning>{escape(reasoning)}</reasoning>" if reasoning else None
    if type_name in ("image", "audio", "video"):
        return _format_source(type_name, block)
    if type_name == "image_url" and isinstance(image := block.get("image_url"), dict):
        return _format_source("image", {"url": image.get("url")})
    if type_name == "text-plain":
        return escape(_shorten(block.get("text") or "", _MAX_TEXT_SIZE))
    return _format_server_tool(type_name, block)


def _format_source(tag: str, block: dict[str, Any]) -> str | None:
    for key in ("url", "file_id"):
        if value := block.get(key):
            return f"<{tag} {key}={quoteattr(value)} />"
    return None


def _format_server_tool(type_name: str, block: dict[str, Any]) -> str | None:
    """Return a call of a tool that the provider runs, or its result."""
    if type_name == "server_tool_call":
        names, inner = ("id", "name"), _json(block.get("args", {}), _MAX_TEXT_SIZE)
    elif type_name == "server_tool_result":
        output = block.get("output")
        names, inner = ("tool_call_id", "status"), _json(output, _MAX_TEXT_SIZE) if output else ""
    else:
        return None
    attributes = " ".join(f"{name}={quoteattr(str(block.get(name) or ''))}" for name in names)
    return f"<{type_name} {attributes}>{inner}</{type_name}>"


def _has_inline_data(block: dict[str, Any]) -> bool:
    image = block.get("image_url")
    urls = (block.get("url"), image.get("url") if isinstance(image, dict) else None)
    return bool(block.get("base64")) or any(isinstance(url, str) and url.startswith("data:") for url in urls)


def _json(value: object, size: int | None = None) -> str:
    text = json.dumps(value, ensure_ascii=False)
    return escape(text if size is None else _shorten(text, size))


def _shorten(text: str, size: int) -> str:
    return text if len(text) <= size else f"{text[:size]}..."

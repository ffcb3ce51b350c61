"""Blocks that users wrote for Anthropic, Gemini or Bedrock's Converse API, as standard blocks."""

from __future__ import annotations

import base64
from collections.abc import Callable, Mapping
from typing import Any

from .content import block_type

__all__ = ("GEMINI_BLOCKS", "from_provider")

_Block = dict[str, Any]

# For each type of Anthropic's sources, the key of the data and the key of a standard block.
_SOURCES = {"base64": ("data", "base64"), "url": ("url", "url"), "file": ("file_id", "id"), "text": ("data", "text")}
# The key without which such a block of Gemini's is not one.
_NEEDED = {"file_data": "file_uri", "function_call": "name"}


def from_provider(block: _Block) -> _Block | None:
    """Return a block of one of these providers as a standard block; ``None`` if it is not one that is known."""
    type_name = block.get("type")
    if type_name in ("image", "document") and isinstance(block.get("source"), dict):
        return _from_anthropic(block, block["source"])
    if type_name is None and len(block) == 1:
        return _from_converse(block)
    return _from_gemini(block)


def _from_anthropic(block: _Block, source: Mapping[str, Any]) -> _Block | None:
    key, name = _SOURCES.get(source.get("type", ""), ("", ""))
    if key not in source or (name == "base64" and "media_type" not in source):
        return None
    if name == "text" and block["type"] == "image":
        return None
    extras = {key: value for key, value in block.items() if key not in ("type", "source")}
    standard: _Block = {"type": "file" if block["type"] == "document" else "image", name: source[key]}
    if name == "base64":
        standard["mime_type"] = source["media_type"]
    elif name == "text":
        standard |= {"type": "text-plain", "mime_type": block.get("media_type", "text/plain")}
    return {**standard, "extras": extras} if extras else standard


def _from_converse(block: _Block) -> _Block | None:
    """Return a block of Bedrock's, which has no type but a single key."""
    ((kind, inner),) = block.items()
    if kind == "text" and inner:
        return {"type": "text", "text": inner}
    if kind not in ("document", "image") or not isinstance(inner, dict) or "format" not in inner:
        return None
    source, data_format = inner.get("source", {}), inner["format"]
    if "bytes" in source and (kind == "image" or data_format == "pdf"):
        data = source["bytes"]
        encoded = data if isinstance(data, str) else base64.b64encode(data).decode()
        type_name, mime_type = ("image", f"image/{data_format}") if kind == "image" else ("file", "application/pdf")
        standard = {"type": type_name, "base64": encoded, "mime_type": mime_type}
    elif kind == "document" and data_format == "txt" and "text" in source:
        standard = {"type": "text-plain", "text": source["text"], "mime_type": "text/plain"}
    else:
        return None
    extras = {key: value for key, value in inner.items() if key not in ("format", "source")}
    return {**standard, "extras": extras} if extras else standard


def _from_gemini(block: _Block) -> _Block | None:
    type_name = block_type(block)
    if type_name not in GEMINI_BLOCKS or _NEEDED.get(type_name, "type") not in block:
        return None
    return GEMINI_BLOCKS[type_name](block)


def _read_file(block: _Block) -> _Block:
    mime_type = {"mime_type": block["mime_type"]} if block.get("mime_type") else {}
    return {"type": "file", "url": block.get("file_uri", ""), **mime_type}


def _read_call(block: _Block) -> _Block:
    name, args, call_id = block.get("name", ""), block.get("args", {}), block.get("id", "")
    return {"type": "tool_call", "name": name, "args": args, "id": call_id}


def _read_code(block: _Block) -> _Block:
    args = {"code": block.get("executable_code", ""), "language": block.get("language", "python")}
    return {"type": "server_tool_call", "name": "code_interpreter", "args": args, "id": block.get("id", "")}


def _read_result(block: _Block) -> _Block:
    outcome = block.get("outcome", 1)
    result = {
        "type": "server_tool_result",
        "tool_call_id": block.get("tool_call_id", ""),
        "status": "success" if outcome == 1 else "error",
        "output": block.get("code_execution_result", ""),
    }
    return result if outcome is None else {**result, "extras": {"outcome": outcome}}


GEMINI_BLOCKS: dict[str, Callable[[_Block], _Block]] = {
    "file_data": _read_file,
    "function_call": _read_call,
    "executable_code": _read_code,
    "code_execution_result": _read_result,
}
"""For each type of Gemini's blocks the function that returns the standard block: of an input, and of an answer."""

"""Converts message content of OpenAI's and of older LangChain formats to LangChain's standard blocks."""

import re
from collections.abc import Mapping, Sequence
from typing import Any, cast

from .._values import read_json
from .content import KNOWN_BLOCK_TYPES, ContentBlock, block_type

__all__ = ("convert_older_block", "convert_openai_block", "finish_calls", "has_standard_content", "to_standard_blocks")

_Block = dict[str, Any]
_DATA_URI = re.compile(r"data:([^;]+);base64,(.+)")
# LangChain's older blocks: for each `source_type`, the key of the data and the key that replaces it today.
_OLDER_SOURCES = {
    "url": ("url", "url"),
    "base64": ("data", "base64"),
    "id": ("id", "file_id"),
    "text": ("text", "text"),
}


def to_standard_blocks(content: str | Sequence[Any], response_metadata: Mapping[str, Any] | None) -> list[ContentBlock]:
    """Return a message's content as standard blocks.

    Images, audio and files in OpenAI's format and older blocks of LangChain's become standard blocks; other
    blocks become ``non_standard``.
    """
    if isinstance(content, list) and has_standard_content(content, response_metadata):
        return cast("list[ContentBlock]", content)
    items: Sequence[Any] = content if isinstance(content, list) else [content] if content else []
    return cast("list[ContentBlock]", [_text(item) if isinstance(item, str) else _to_standard(item) for item in items])


def has_standard_content(content: str | Sequence[Any], response_metadata: Mapping[str, Any] | None) -> bool:
    """Return whether the content is already a list of standard blocks."""
    return isinstance(content, list) and (response_metadata or {}).get("output_version") == "v1"


def finish_calls(content: Sequence[Any], calls: Sequence[Mapping[str, Any]]) -> list[Any]:
    """Return standard blocks with the pieces of calls replaced by the complete ``calls``.

    The pieces of calls of the provider's own tools become calls, if their arguments are a JSON object.
    """
    by_id = {call["id"]: call for call in calls if call.get("id")}
    return [_finish_call(block, by_id) if isinstance(block, dict) else block for block in content]


def _finish_call(block: _Block, calls: Mapping[str, Mapping[str, Any]]) -> _Block:
    type_name = block.get("type")
    if type_name == "tool_call_chunk" and (call := calls.get(block.get("id") or "")):
        kept = {"extras": block["extras"]} if "extras" in block else {}
        return {"type": "tool_call", **{key: call[key] for key in ("name", "args", "id")}, **kept}
    if type_name in ("server_tool_call", "server_tool_call_chunk") and isinstance(block.get("args") or "", str):
        try:
            args = read_json(block.get("args") or "{}")
        except ValueError:
            return block
        return {**block, "type": "server_tool_call", "args": args} if isinstance(args, dict) else block
    return block


def _text(text: str) -> _Block:
    return {"type": "text", "text": text}


def _to_standard(block: _Block) -> _Block:
    type_name = block_type(block)
    if type_name in ("image", "audio", "file") and isinstance(block.get("source_type"), str):
        return _from_older(block)
    converted = convert_openai_block(block) if type_name in ("image_url", "input_audio", "file") else None
    if converted is None and (type_name not in KNOWN_BLOCK_TYPES or "source" in block):
        from .provider_inputs import from_provider

        converted = from_provider(block)
    if converted is not None:
        return converted
    return block if type_name in KNOWN_BLOCK_TYPES else {"type": "non_standard", "value": block}


def convert_older_block(block: _Block) -> _Block:
    """Return a block of LangChain's older format (``source_type``) as a standard block; any other block as it is."""
    if block.get("type") not in ("image", "audio", "file") or "source_type" not in block:
        return block
    old, new = _OLDER_SOURCES.get(block["source_type"], ("", ""))
    if new == "text" and old not in block:
        # Such a text may be in the place of a URL.
        old = "url"
    if old not in block:
        return block
    known = {"type": "text-plain" if new == "text" else block["type"], new: block[old]}
    known |= {"mime_type": "text/plain"} if new == "text" else {}
    known |= {key: block[key] for key in ("mime_type", "id") if block.get(key) and key != old}
    names = ("type", "source_type", "mime_type", "id", old)
    rest = {key: value for key, value in block.items() if key not in names and value is not None}
    return known | ({"extras": rest} if rest else {})


def _from_older(block: _Block) -> _Block:
    converted = convert_older_block(block)
    return {"type": "non_standard", "value": block} if converted is block else converted


def convert_openai_block(block: _Block) -> _Block | None:
    """Return an image, audio or file block of OpenAI's as a standard block; ``None`` if it is not one."""
    type_name = block["type"]
    inner = block.get(type_name)
    if not isinstance(inner, dict):
        return None
    if type_name == "image_url" and isinstance(url := inner.get("url"), str):
        return _data("image", _source(url), block, inner, {"url"})
    if type_name == "input_audio" and isinstance(inner.get("data"), str) and isinstance(inner.get("format"), str):
        source = {"base64": inner["data"], "mime_type": f"audio/{inner['format']}"}
        return _data("audio", source, block, inner, {"data", "format"})
    if type_name == "file" and isinstance(inner.get("file_id"), str):
        return _data("file", {"file_id": inner["file_id"]}, block, inner, {"file_id"})
    if type_name == "file" and isinstance(inner.get("file_data"), str):
        return _data("file", _source(inner["file_data"]), block, inner, {"file_data"})
    return None


def _source(url: str) -> _Block:
    found = _DATA_URI.fullmatch(url)
    return {"url": url} if found is None else {"base64": found[2], "mime_type": found[1]}


def _data(type_name: str, source: _Block, block: _Block, inner: _Block, known: set[str]) -> _Block:
    """Return a data block; the other keys of OpenAI's block go to ``extras``."""
    extras = {key: value for key, value in block.items() if key not in ("type", block["type"])}
    prefix = block["type"].removeprefix("input_")
    for key, value in inner.items():
        if key not in known:
            extras[key if key in ("detail", "filename") else f"{prefix}_{key}"] = value
    return {"type": type_name, **source, **({"extras": extras} if extras else {})}

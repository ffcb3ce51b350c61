"""Images, documents and files in messages, in Anthropic's format."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

__all__ = ("format_data", "format_image")

_Block = dict[str, Any]

_DATA_URL = re.compile(r"^data:(?P<media_type>image/.+);base64,(?P<data>.+)$")
_LINK = re.compile(r"^https?://.*$")
# Keys of a data block that Anthropic has too; LangChain's blocks may have them in `extras` or `metadata`.
_SHARED = ("cache_control", "citations", "title", "context")


def format_image(url: str) -> _Block:
    """Return the source of an image from a URL in OpenAI's form: a link, or a ``data:`` URL."""
    if found := _DATA_URL.match(url):
        return {"type": "base64", "media_type": found["media_type"], "data": found["data"]}
    if _LINK.match(url):
        return {"type": "url", "url": url}
    raise ValueError(
        "Malformed url parameter. Must be either an image URL (https://example.com/image.jpg)"
        " or base64 encoded string (data:image/png;base64,'/9j/4AAQSk'...)"
    )


def format_data(block: Mapping[str, Any]) -> _Block:
    """Return a standard data block, of LangChain's older or newer form, in Anthropic's format.

    Raises :class:`ValueError` for data that Anthropic does not accept, such as audio.
    """
    kind = block["type"]
    if kind not in ("image", "file", "text-plain"):
        raise ValueError(f"Block of type {kind} is not supported.")
    if kind == "text-plain":
        source: _Block | None = _text_source(block)
    else:
        source = _source(block, is_image=kind == "image")
    if source is None:
        raise ValueError(f"Anthropic only supports 'url', 'base64', or 'id' keys for {kind} content blocks.")
    formatted = {"type": "image" if kind == "image" else "document", "source": source}
    for key in _SHARED:
        holders = (block, block.get("extras") or {}, block.get("metadata") or {})
        if (holder := next((one for one in holders if key in one), None)) is not None:
            formatted[key] = holder[key]
    return formatted


def _source(block: Mapping[str, Any], *, is_image: bool) -> _Block | None:
    older = block.get("source_type")
    if "url" in block:
        url = block["url"]
        return format_image(url) if is_image and url.startswith("data:") else {"type": "url", "url": url}
    if "base64" in block or older == "base64":
        if not (media_type := block.get("mime_type") or ("" if is_image else "application/pdf")):
            raise ValueError("an image in base64 needs its mime_type, such as 'image/png'")
        data = block.get("base64") or block.get("data", "")
        return {"type": "base64", "media_type": media_type, "data": data}
    if not is_image and older == "text":
        return _text_source(block)
    if "file_id" in block:
        return {"type": "file", "file_id": block["file_id"]}
    return {"type": "file", "file_id": block["id"]} if older == "id" else None


def _text_source(block: Mapping[str, Any]) -> _Block:
    return {"type": "text", "media_type": block.get("mime_type") or "text/plain", "data": block["text"]}

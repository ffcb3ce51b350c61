"""``is_openai_data_block``: images, audio and files in the format of OpenAI's chat completions."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Literal

__all__ = ("is_openai_data_block",)

# For each type of block: what it is, and the keys of the inner dict, of which a set must hold texts.
_KINDS: dict[str, tuple[str, tuple[tuple[str, ...], ...]]] = {
    "image_url": ("image", (("url",),)),
    "input_audio": ("audio", (("data", "format"),)),
    "file": ("file", (("file_data",), ("file_id",))),
}


def is_openai_data_block(block: Mapping[str, Any], filter_: Literal["image", "audio", "file"] | None = None) -> bool:
    """Return whether ``block`` is an image, audio or a file in OpenAI's format; with ``filter_``, one of that kind."""
    type_name: Any = block.get("type")
    if type_name not in _KINDS:
        return False
    kind, required = _KINDS[type_name]
    inner = block.get(type_name)
    if not isinstance(inner, Mapping) or (filter_ is not None and filter_ != kind):
        return False
    if kind == "image" and not block.keys() <= {"type", "image_url", "detail"}:
        return False
    return any(all(isinstance(inner.get(key), str) for key in keys) for keys in required)

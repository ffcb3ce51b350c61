"""Converts messages to those of Ollama's chat endpoint."""

from __future__ import annotations

import binascii
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any

from ...messages.ai import AIMessage
from ...messages.base import BaseMessage
from ...messages.chat import ChatMessage
from ...messages.content import is_data_content_block
from ...messages.human import HumanMessage
from ...messages.system import SystemMessage
from ...messages.tool import ToolMessage

__all__ = ("to_ollama_message",)

_ROLES: dict[type[BaseMessage], str] = {
    **{HumanMessage: "user", AIMessage: "assistant"},
    **{SystemMessage: "system", ToolMessage: "tool"},
}
# Blocks of answers that the endpoint has no place for: reasoning is a field of its own, and so are calls of tools.
_NOT_SENT = frozenset(
    {"tool_use", "tool_call", "tool_call_chunk", "invalid_tool_call", "function_call"}
    | {"reasoning", "thinking", "redacted_thinking", "reasoning_content"}
)
_INLINE_ONLY = "Image data only supported through in-line base64 format."


def to_ollama_message(message: BaseMessage) -> dict[str, Any]:
    """Return the dict of a chat request for ``message``, without its empty fields, as the SDK sends it.

    Each block of text stands on a line of its own. Raises :class:`ValueError` for content that Ollama does not
    accept, and :class:`TypeError` for a message of another kind.
    """
    role = _role(message)
    text, images = _read_content(message)
    is_answer = isinstance(message, AIMessage)
    sent = {
        "role": role,
        "content": text,
        "thinking": (message._additional_kwargs or {}).get("reasoning_content") if is_answer else None,
        "images": images,
        "tool_calls": [_call(call) for call in message.tool_calls] if isinstance(message, AIMessage) else None,
    }
    return {name: value for name, value in sent.items() if value}


def _role(message: BaseMessage) -> str:
    if isinstance(message, ChatMessage):
        return message.role
    for cls, role in _ROLES.items():
        if isinstance(message, cls):
            return role
    raise TypeError(f"Received unsupported message type for Ollama: {type(message).__name__}")


def _call(call: Mapping[str, Any]) -> dict[str, Any]:
    return {"function": {"name": call["name"], "arguments": call["args"]}}


def _read_content(message: BaseMessage) -> tuple[str, list[str]]:
    """Return the text and the images of a message."""
    content = message.content
    if isinstance(content, str):
        return content, []
    blocks: Iterable[Any] = content
    if isinstance(message, AIMessage):
        is_standard = (message._response_metadata or {}).get("output_version") == "v1"
        blocks = _drop_unsent(content, _standard_block if is_standard else _answer_block)
    texts, images = [], []
    for block in blocks:
        if isinstance(block, str):
            texts.append(block)
        elif block.get("type") == "text":
            texts.append(block["text"])
        elif block.get("type") == "image_url":
            images.append(_read_image(_image_url(block.get("image_url"))))
        elif block.get("type") == "image" and is_data_content_block(block):
            images.append(_read_image(_image_data(block)))
        elif block.get("type") == "tool_use":
            continue
        elif is_data_content_block(block):
            raise ValueError(f"Blocks of type {block['type']} not supported.")
        else:
            raise ValueError(
                "Unsupported message content type. Must either have type 'text' or type 'image_url' "
                f"with a string 'image_url' field, not {block.get('type')!r}."
            )
    return "".join(f"\n{text}" for text in texts), images


def _drop_unsent(content: Sequence[Any], convert: Callable[[Any], Any]) -> list[Any]:
    blocks = (block if isinstance(block, str) else convert(block) for block in content)
    return [block for block in blocks if block is not None]


def _answer_block(block: Mapping[str, Any]) -> Any:
    return None if block.get("type") in _NOT_SENT else block


def _standard_block(block: Mapping[str, Any]) -> Any:
    """Return a standard block of an answer as this module sends it; ``None`` if the endpoint has no place for it."""
    if block.get("type") == "non_standard":
        return {"type": "text", "text": str(block.get("value", ""))}
    return block if block.get("type") in ("text", "image") else None


def _image_url(image_url: object) -> str:
    url = image_url.get("url") if isinstance(image_url, Mapping) else image_url
    if not isinstance(url, str):
        raise ValueError("Only string image_url or dict with string 'url' inside content parts are supported.")
    return url


def _image_data(block: Mapping[str, Any]) -> str:
    """Return the data of a standard block, or of one in LangChain's older format."""
    data = block.get("data") if block.get("source_type") == "base64" else block.get("base64") or block.get("url")
    if not isinstance(data, str):
        raise ValueError(_INLINE_ONLY)
    return data


def _read_image(text: str) -> str:
    """Return the base64 text of an image, without the head of a ``data:`` URL.

    A path is refused: a message's author could otherwise send files of this machine.
    """
    data = text.partition(",")[2] if text.startswith("data:") else text
    try:
        binascii.a2b_base64("".join(data.split()), strict_mode=True)
    except (binascii.Error, ValueError):
        raise ValueError(_INLINE_ONLY) from None
    return data

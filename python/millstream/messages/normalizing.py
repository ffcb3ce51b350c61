"""``normalize_messages``: standard blocks in place of other formats, for models of users."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from .content_blocks import convert_older_block, convert_openai_block

__all__ = ("normalize_messages",)


def normalize_messages(messages: Sequence[Any]) -> list[Any]:
    """Return messages whose audio and files are standard blocks, where they were in OpenAI's format.

    Older blocks of LangChain's become standard blocks too. Images in OpenAI's format stay, since models know them. A
    message that changes is copied.
    """
    return [message if isinstance(message.content, str) else _normalize(message) for message in messages]


def _normalize(message: Any) -> Any:
    blocks = [_normalize_block(block) if isinstance(block, dict) else block for block in message.content]
    if all(new is old for new, old in zip(blocks, message.content, strict=True)):
        return message
    return message.model_copy(update={"content": blocks})


def _normalize_block(block: dict[str, Any]) -> dict[str, Any]:
    converted = convert_openai_block(block) if block.get("type") in ("input_audio", "file") else None
    return converted or convert_older_block(block)

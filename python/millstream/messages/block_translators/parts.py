"""What the translators of several providers have in common: extras, indexes, and the blocks of tool calls."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

__all__ = ("add_extras", "add_index", "call_blocks", "reasoning_blocks", "rest_of")

_Block = dict[str, Any]


def rest_of(block: Mapping[str, Any], *names: str) -> _Block:
    """Return the entries of ``block`` without ``names``."""
    return {key: value for key, value in block.items() if key not in names}


def add_extras(block: _Block, extras: Mapping[str, Any]) -> _Block:
    """Return ``block``, with ``extras`` added to its own unless they are empty."""
    if extras:
        block["extras"] = {**block.get("extras", {}), **extras}
    return block


def add_index(block: _Block, source: Mapping[str, Any], mark: str, offset: int = 0) -> _Block:
    """Return ``block`` with the index of ``source``, if it has one, as a text that begins with ``mark``.

    With an ``offset``, only a number is an index.
    """
    index = source.get("index")
    if "index" in source and (not offset or isinstance(index, int)):
        block["index"] = f"{mark}_{index + offset if offset and isinstance(index, int) else index}"
    return block


def call_blocks(message: Any) -> list[_Block]:
    """Return the tool calls of a message as blocks; of a chunk that is not the last one, their pieces."""
    if not hasattr(message, "tool_call_chunks") or message.chunk_position == "last":
        return [
            {"type": "tool_call", "name": call["name"], "args": call["args"], "id": call.get("id")}
            for call in message.tool_calls
        ]
    return [
        {"type": "tool_call_chunk", **{key: piece.get(key) for key in ("id", "name", "args")}}
        | ({} if piece.get("index") is None else {"index": piece["index"]})
        for piece in message.tool_call_chunks
    ]


def reasoning_blocks(message: Any) -> list[_Block]:
    """Return the reasoning that a server sent beside the content, as a block."""
    reasoning = message.additional_kwargs.get("reasoning_content")
    return [{"type": "reasoning", "reasoning": reasoning}] if isinstance(reasoning, str) else []

"""The common part of the translators: extras, indexes, and the blocks of tool calls."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

__all__ = (
    "add_extras",
    "add_index",
    "blocks_in",
    "call_blocks",
    "is_unfinished",
    "keep_index",
    "non_standard",
    "piece_block",
    "read_call",
    "reasoning_blocks",
    "rest_of",
    "single_piece",
)

_Block = dict[str, Any]


def blocks_in(content: str | list[Any]) -> list[_Block]:
    """Return the blocks of a message's content; a text becomes a block."""
    items = [content] if isinstance(content, str) else content
    texts = ({"type": "text", "text": item} if isinstance(item, str) else item for item in items)
    return [item for item in texts if isinstance(item, dict)]


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


def keep_index(block: _Block, source: Mapping[str, Any]) -> _Block:
    """Return ``block`` with the index of ``source``, if it has one."""
    if "index" in source:
        block["index"] = source["index"]
    return block


def non_standard(block: Mapping[str, Any]) -> _Block:
    """Return a block that only one provider defines, with its index outside of it."""
    return keep_index({"type": "non_standard", "value": rest_of(block, "index")}, block)


def is_unfinished(message: Any) -> bool:
    """Return whether ``message`` is a chunk, but not the last one."""
    return hasattr(message, "tool_call_chunks") and message.chunk_position != "last"


def single_piece(message: Any) -> Mapping[str, Any] | None:
    """Return the only piece of a call in a chunk that is not the last one."""
    pieces: list[Mapping[str, Any]] = message.tool_call_chunks if is_unfinished(message) else []
    return pieces[0] if len(pieces) == 1 else None


def piece_block(piece: Mapping[str, Any], extras: Mapping[str, Any] | None = None) -> _Block:
    """Return a piece of a call as a block."""
    values = {key: piece.get(key) for key in ("name", "id", "args")}
    block = add_extras({**values, "type": "tool_call_chunk"}, extras or {})
    return block if piece.get("index") is None else keep_index(block, piece)


def read_call(block: Mapping[str, Any], message: Any) -> _Block:
    """Return the call that ``block`` describes: the message's parsed one, or else what the block says."""
    calls = message.tool_calls
    if len(calls) != 1:
        calls = [call for call in calls if block.get("id") and call.get("id") == block["id"]]
    call = (
        calls[0]
        if calls
        else {"name": block.get("name", ""), "args": block.get("input", {}), "id": block.get("id", "")}
    )
    return keep_index({"type": "tool_call", **{key: call.get(key) for key in ("name", "args", "id")}}, block)


def call_blocks(message: Any) -> list[_Block]:
    """Return the tool calls of a message as blocks; of a chunk that is not the last one, their pieces."""
    if is_unfinished(message):
        pieces = map(piece_block, message.tool_call_chunks)
        return [{"type": piece["type"], "id": piece["id"], **piece} for piece in pieces]
    return [
        {"type": "tool_call", **{key: call.get(key) for key in ("name", "args", "id")}} for call in message.tool_calls
    ]


def reasoning_blocks(message: Any) -> list[_Block]:
    """Return the reasoning that a server sent beside the content, as a block."""
    reasoning = message.additional_kwargs.get("reasoning_content")
    return [{"type": "reasoning", "reasoning": reasoning}] if isinstance(reasoning, str) else []

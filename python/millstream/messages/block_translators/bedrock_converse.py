"""Answers of Amazon Bedrock's Converse API as standard blocks."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from .parts import add_extras, blocks_in, keep_index, non_standard, piece_block, read_call, rest_of, single_piece

__all__ = ("translate_content", "translate_content_chunk")

_Block = dict[str, Any]


def translate_content(message: Any) -> list[Any]:
    """Return the content of an answer as standard blocks."""
    if message.content == "" and not message.additional_kwargs and not message.tool_calls:
        # A chunk with metadata alone.
        return []
    return [_translate(item, message) for item in blocks_in(message.content)]


translate_content_chunk = translate_content


def _translate(block: _Block, message: Any) -> _Block:
    type_name = block.get("type")
    if type_name == "text":
        text: _Block = {"type": "text", "text": block.get("text", "")}
        if citations := block.get("citations"):
            text["annotations"] = list(map(_translate_citation, citations))
        return keep_index(text, block)
    if type_name == "reasoning_content":
        return _translate_reasoning(block)
    if type_name == "tool_use":
        piece = single_piece(message)
        return read_call(block, message) if piece is None else piece_block(piece)
    if type_name == "input_json_delta" and len(getattr(message, "tool_call_chunks", ())) == 1:
        return piece_block(message.tool_call_chunks[0])
    return non_standard(block)


def _translate_citation(citation: Mapping[str, Any]) -> _Block:
    standard = {"type": "citation", **({"title": citation["title"]} if "title" in citation else {})}
    source = citation.get("source_content")
    if source and isinstance(source, list) and all(isinstance(part, dict) for part in source):
        standard["cited_text"] = "".join(part.get("text", "") for part in source)
    return add_extras(standard, rest_of(citation, "type", "source_content", "title", "index", "extras"))


def _translate_reasoning(block: _Block) -> _Block:
    inner = block.get("reasoning_content") or {}
    reasoning = {"type": "reasoning", **({"reasoning": inner["text"]} if inner.get("text") else {})}
    extras = {key: inner[key] for key in ("signature", "redacted_content") if inner.get(key)}
    keep_index(add_extras(reasoning, extras), block)
    return add_extras(reasoning, rest_of(block, "type", "reasoning_content", "index", "extras"))

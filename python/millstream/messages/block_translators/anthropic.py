"""Anthropic's answers as standard blocks."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping
from typing import Any

from ..content import block_type
from .parts import (
    add_extras,
    blocks_in,
    is_unfinished,
    keep_index,
    non_standard,
    piece_block,
    read_call,
    rest_of,
    single_piece,
)

__all__ = ("translate_content", "translate_content_chunk")

_Block = dict[str, Any]

_LOCATIONS = ("char_location", "content_block_location", "page_location", "search_result_location")


def translate_content(message: Any) -> list[Any]:
    """Return the content of an answer of Anthropic as standard blocks; a refusal is the last one."""
    blocks = [block for item in blocks_in(message.content) for block in _translate(item, message)]
    metadata = message.response_metadata
    if metadata.get("stop_reason") != "refusal" or any(block["type"] == "refusal" for block in blocks):
        return blocks
    details = metadata.get("stop_details")
    details = details if isinstance(details, dict) else {}
    refusal = {"type": "refusal", "refusal": details.get("explanation") or ""}
    return [*blocks, add_extras(refusal, {"category": details["category"]} if details.get("category") else {})]


translate_content_chunk = translate_content


def _translate(block: _Block, message: Any) -> Iterator[_Block]:
    type_name = block_type(block) or ""
    if type_name == "input_json_delta" and hasattr(message, "tool_call_chunks"):
        yield _translate_arguments(block, message)
    elif type_name in _TRANSLATORS:
        yield _TRANSLATORS[type_name](block, message)
    elif type_name.endswith("_tool_result"):
        yield _translate_result(block)
    else:
        yield non_standard(block)


def _translate_text(block: _Block, message: Any) -> _Block:
    text: _Block = {"type": "text", "text": block.get("text", "")}
    if (citations := block.get("citations")) and isinstance(citations, list):
        text["annotations"] = list(map(_translate_citation, citations))
    return keep_index(text, block)


def _translate_citation(citation: Any) -> _Block:
    if not isinstance(citation, Mapping):
        return {"type": "non_standard_annotation", "value": citation}
    type_name = citation.get("type")
    is_link = type_name == "web_search_result_location" and "url" in citation
    if "cited_text" not in citation or not (is_link or type_name in _LOCATIONS):
        return {"type": "non_standard_annotation", "value": citation}
    standard = {"type": "citation", "cited_text": citation["cited_text"]}
    known = ["type", "cited_text", "title", "index", "extras"]
    if is_link:
        standard["url"] = citation["url"]
        known.append("url")
    else:
        known.append("document_title")
    if not is_link and "document_title" in citation:
        standard["title"] = citation["document_title"]
    elif citation.get("title"):
        standard["title"] = citation["title"]
    return add_extras(standard, rest_of(citation, *known))


def _translate_refusal(block: _Block, message: Any) -> _Block:
    refusal = {"type": "refusal", "refusal": block.get("refusal", "")}
    return keep_index(refusal | ({"extras": block["extras"]} if block.get("extras") else {}), block)


def _translate_thinking(block: _Block, message: Any) -> _Block:
    reasoning = keep_index({"type": "reasoning", "reasoning": block.get("thinking", "")}, block)
    return add_extras(reasoning, rest_of(block, "type", "thinking", "index", "extras"))


def _translate_tool_use(block: _Block, message: Any) -> _Block:
    extras: _Block = {key: block[key] for key in ("caller", "toolset_name") if key in block}
    piece = single_piece(message)
    return add_extras(read_call(block, message), extras) if piece is None else piece_block(piece, extras)


def _translate_arguments(block: _Block, message: Any) -> _Block:
    """Return a part of the arguments of a call, of a tool of ours or of the provider's."""
    if len(message.tool_call_chunks) == 1:
        return piece_block(message.tool_call_chunks[0])
    return keep_index({"type": "server_tool_call_chunk", "args": block.get("partial_json", "")}, block)


def _translate_server_tool(block: _Block, message: Any) -> _Block:
    name = block.get("name", "")
    call = _call_server(block, message, "code_interpreter" if name == "code_execution" else name)
    return add_extras(keep_index(call, block), rest_of(block, "type", "name", "input", "partial_json", "id", "index"))


def _translate_mcp_tool(block: _Block, message: Any) -> _Block:
    call = _call_server(block, message, "remote_mcp")
    name = {"tool_name": block["name"]} if "name" in block else {}
    rest = rest_of(block, "type", "name", "input", "partial_json", "id", "index")
    return keep_index(add_extras(call, name | rest), block)


def _call_server(block: _Block, message: Any, name: str) -> _Block:
    """Return the call of a tool that the provider runs; its beginning, where the arguments follow in other chunks."""
    args = block.get("input", {})
    call = {"type": "server_tool_call", "name": name, "args": args, "id": block.get("id", "")}
    if block.get("input") == {} and "partial_json" in block:
        call["args"] = _read_object(block["partial_json"])
    elif block.get("input") == {} and is_unfinished(message):
        call |= {"type": "server_tool_call_chunk", "args": ""}
    return call


def _read_object(text: Any) -> _Block:
    try:
        value = json.loads(text)
    except (TypeError, ValueError, RecursionError):
        return {}
    return value if isinstance(value, dict) else {}


def _translate_result(block: _Block) -> _Block:
    output = block.get("content", [])
    failed = block.get("is_error") or (isinstance(output, dict) and output.get("error_code"))
    result = {
        "type": "server_tool_result",
        "tool_call_id": block.get("tool_use_id", ""),
        "status": "error" if failed else "success",
        "extras": {"block_type": block["type"]},
    }
    if output:
        result["output"] = output
    return add_extras(keep_index(result, block), rest_of(block, "type", "tool_use_id", "content", "is_error", "index"))


_TRANSLATORS: dict[str, Callable[[_Block, Any], _Block]] = {
    "text": _translate_text,
    "refusal": _translate_refusal,
    "thinking": _translate_thinking,
    "tool_use": _translate_tool_use,
    "server_tool_use": _translate_server_tool,
    "mcp_tool_use": _translate_mcp_tool,
}

"""``from_standard``: the content of an answer with ``output_version="v1"``, in Anthropic's format."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any

from .tool_ids import read_arguments

__all__ = ("from_standard",)

_Block = dict[str, Any]
_CALL_EXTRAS = ("caller", "toolset_name")


def from_standard(content: Sequence[Any], provider: str | None) -> list[Any]:
    """Return standard blocks in Anthropic's format.

    Blocks that have one only in an answer of Anthropic (``provider`` says whose the answer is) are returned as they
    are from any other.
    """
    is_own = provider == "anthropic"
    formatted: list[Any] = []
    for block in content:
        kind = block["type"]
        if kind in _OF_ALL:
            formatted.extend(_OF_ALL[kind](block, is_own))
        elif is_own and kind in _OF_OWN:
            formatted.append(_OF_OWN[kind](block))
        else:
            formatted.append(block)
    return formatted


def _format_text(block: _Block, is_own: bool) -> Iterable[_Block]:
    if not is_own or "annotations" not in block:
        return ({"type": "text", "text": block.get("text", "")},)
    text = {"text": block["text"]} if "text" in block else {}
    return ({"type": "text", "citations": list(map(_format_annotation, block["annotations"])), **text},)


def _format_call(block: _Block, is_own: bool) -> Iterable[_Block]:
    if block["type"] == "tool_call":
        input = block.get("args", {})
    elif isinstance(block["args"], str):
        input = read_arguments(block["args"])
    else:
        input = block.get("args") or {}
    extras = block.get("extras", {})
    call = {"type": "tool_use", "name": block.get("name", ""), "input": input, "id": block.get("id", "")}
    return (call | {key: extras[key] for key in _CALL_EXTRAS if key in extras},)


def _format_invalid_call(block: _Block, is_own: bool) -> Iterable[_Block]:
    """Return a call without its arguments; the API needs one for each result, whatever its arguments were."""
    id, name = block.get("id"), block.get("name")
    if not is_own or not (id and name and isinstance(id, str) and isinstance(name, str)):
        return ()
    return ({"type": "tool_use", "name": name, "input": {}, "id": id},)


_OF_ALL: dict[str, Callable[[_Block, bool], Iterable[_Block]]] = {
    "text": _format_text,
    "tool_call": _format_call,
    "tool_call_chunk": _format_call,
    "invalid_tool_call": _format_invalid_call,
    # Requests have no refusals.
    "refusal": lambda block, is_own: (),
}


def _format_reasoning(block: _Block) -> _Block:
    thinking = {"thinking": block["reasoning"]} if "reasoning" in block else {}
    signature = block.get("extras", {}).get("signature")
    return {**thinking, "type": "thinking", **({"signature": signature} if signature else {})}


def _format_server_call(block: _Block) -> _Block:
    extras, name = block.get("extras", {}), block.get("name")
    call: _Block = {"id": block["id"]} if "id" in block else {}
    call["input"] = block.get("args", {})
    if partial := extras.get("partial_json"):
        call |= {"input": {}, "partial_json": partial}
    if name == "remote_mcp":
        names = (("tool_name", "name"), ("server_name", "server_name"))
        call |= {sent: extras[key] for key, sent in names if key in extras}
        return {**call, "type": "mcp_tool_use"}
    return {**call, "name": "code_execution" if name == "code_interpreter" else name or "", "type": "server_tool_use"}


def _format_server_result(block: _Block) -> _Block:
    kind = block.get("extras", {}).get("block_type", "")
    result: _Block = {"content": block["output"]} if "output" in block else {}
    if kind == "mcp_tool_result":
        result["is_error"] = block.get("status") == "error"
    if "tool_call_id" in block:
        result["tool_use_id"] = block["tool_call_id"]
    return {**result, "type": kind}


_OF_OWN: dict[str, Callable[[_Block], Any]] = {
    "reasoning": _format_reasoning,
    "server_tool_call": _format_server_call,
    "server_tool_result": _format_server_result,
    "non_standard": lambda block: block.get("value", block),
}

# Anthropic's citations by the key that only this kind has, and the name of their title.
_LOCATIONS = (
    ("start_char_index", "char_location", "document_title"),
    ("search_result_index", "search_result_location", "title"),
    ("start_block_index", "content_block_location", "document_title"),
    ("start_page_number", "page_location", "document_title"),
)

# Of these, a title of `null` is sent too.
_WITH_EMPTY_TITLES = ("web_search_result_location", "content_block_location")


def _format_annotation(annotation: Mapping[str, Any]) -> Any:
    """Return a standard citation in Anthropic's format; what has none is returned as it is."""
    if annotation["type"] == "non_standard_annotation":
        return annotation["value"]
    if annotation["type"] != "citation":
        return annotation
    extras = annotation.get("extras", {})
    if "url" in annotation:
        kind, title = "web_search_result_location", "title"
    else:
        found = next((one for one in _LOCATIONS if one[0] in extras), None)
        if found is None:
            return annotation
        _, kind, title = found
    citation: _Block = {"type": kind}
    if text := annotation.get("cited_text"):
        citation["cited_text"] = text
    if annotation.get("title") or ("title" in annotation and kind in _WITH_EMPTY_TITLES):
        citation[title] = annotation["title"]
    if "url" in annotation:
        citation["url"] = annotation["url"]
    return {**extras, **citation}

"""``format_content``: the content of a message that is not a system message, in Anthropic's format."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any

from ...messages.ai import AIMessage
from ...messages.content import is_data_content_block
from .data_blocks import format_data, format_image
from .tool_ids import normalize_id, read_arguments, tool_use, with_normalized_id

__all__ = ("add_missing_calls", "format_content", "format_text")

_Block = dict[str, Any]

# For each type of block, the keys that Anthropic accepts.
_KEPT: dict[str, tuple[str, ...]] = {
    "text": ("type", "text", "cache_control", "citations"),
    "thinking": ("type", "thinking", "cache_control", "signature"),
    "redacted_thinking": ("type", "cache_control", "data"),
    "tool_search_tool_result": ("type", "content", "tool_use_id", "cache_control"),
}
_CALL_KEYS = ("type", "id", "input", "name", "server_name", "cache_control")
_RESULT_KEYS = ("type", "content", "tool_use_id", "is_error", "cache_control", "retrieved_at")
_RESULTS = (
    *("code_execution_tool_result", "bash_code_execution_tool_result", "text_editor_code_execution_tool_result"),
    *("mcp_tool_result", "web_search_tool_result", "web_fetch_tool_result"),
)


def format_content(content: Sequence[Any], message: Any = None) -> list[_Block]:
    """Return the blocks of ``content`` in Anthropic's format; ``message`` is the answer that has it, if one has.

    Blocks without a counterpart (refusals, empty texts, another provider's reasoning) are left out.

    Raises :class:`ValueError` for a block that is neither a text nor a dict with a type.
    """
    formatted: list[_Block] = []
    for block in content:
        if isinstance(block, str):
            formatted.append({"type": "text", "text": block})
        elif isinstance(block, dict):
            formatted.extend(_format(block, message))
        else:
            raise ValueError(f"Content blocks must be str or dict, instead was: {type(block)}")
    return formatted


def add_missing_calls(content: str | list[_Block], message: AIMessage) -> list[_Block]:
    """Return the content of an answer with blocks for the calls that it has none for."""
    blocks = ([{"type": "text", "text": content}] if content else []) if isinstance(content, str) else content
    known = [block["id"] for block in blocks if block["type"] == "tool_use"]
    for call in message.tool_calls:
        if normalize_id(call["id"]) not in known:
            blocks.append(tool_use(call["name"], call["args"], call["id"]))
    known += [block["id"] for block in blocks if block["type"] == "tool_use"]
    for invalid in message.invalid_tool_calls:
        id = normalize_id(invalid.get("id"))
        if id and invalid.get("name") and id not in known:
            args = read_arguments(invalid.get("args"))
            blocks.append(tool_use(invalid["name"], args if isinstance(args, dict) else {}, id))
            known.append(id)
    return blocks


def format_text(block: Mapping[str, Any]) -> _Block:
    """Return a text block with the keys that Anthropic accepts."""
    formatted = _keep(block, _KEPT["text"])
    if formatted.get("citations"):
        # Answers have it as `null`, which requests may not.
        formatted["citations"] = [
            {key: value for key, value in citation.items() if not (key == "file_id" and value is None)}
            for citation in formatted["citations"]
        ]
    return formatted


def _keep(block: Mapping[str, Any], keys: Iterable[str]) -> _Block:
    return {key: value for key, value in block.items() if key in keys}


def _format(block: _Block, message: Any) -> Iterable[_Block]:
    if "type" not in block:
        raise ValueError("Dict content block must have a type key")
    kind = block["type"]
    if kind == "refusal" or (kind in ("reasoning", "function_call") and not _is_own(message)):
        return ()
    if kind == "image_url":
        return ({"type": "image", "source": format_image(block["image_url"]["url"])},)
    if is_data_content_block(block):
        return (format_data(block),)
    if kind == "tool_use":
        return _format_call(block, message)
    format = _FORMATTERS.get(kind)
    if format is not None:
        return format(block)
    if kind in _KEPT:
        return (with_normalized_id(_keep(block, _KEPT[kind])),)
    return (with_normalized_id(_keep(block, _RESULT_KEYS)),) if kind in _RESULTS else (block,)


def _is_own(message: Any) -> bool:
    """Return whether ``message`` is an answer of Anthropic."""
    return isinstance(message, AIMessage) and message.response_metadata.get("model_provider") == "anthropic"


def _format_call(block: _Block, message: Any) -> list[_Block]:
    """Return the block of a call; the message's own call with this id, which a user may have changed, wins."""
    toolset = ("toolset_name", block.get("toolset_name"))
    calls = message.tool_calls if isinstance(message, AIMessage) and not block.get("caller") else ()
    if same := [call for call in calls if call["id"] == block["id"]]:
        return [tool_use(call["name"], call["args"], call["id"], (toolset,)) for call in same]
    input = block.get("input") or (read_arguments(block["partial_json"]) if "partial_json" in block else {})
    return [tool_use(block["name"], input, block["id"], (("caller", block.get("caller")), toolset))]


def _format_server_call(block: _Block) -> Iterable[_Block]:
    formatted = _keep(block, _CALL_KEYS)
    if block.get("input") == {} and "partial_json" in block and (input := read_arguments(block["partial_json"])):
        formatted["input"] = input
    return (formatted,)


def _format_text(block: _Block) -> Iterable[_Block]:
    return (format_text(block),) if block.get("text", "").strip() else ()


def _format_thinking(block: _Block) -> Iterable[_Block]:
    formatted = _keep(block, _KEPT["thinking"])
    # Requests need it beside a signature, even where it was omitted from the answer.
    return (formatted | ({"thinking": ""} if "signature" in formatted and "thinking" not in formatted else {}),)


def _format_tool_result(block: _Block) -> Iterable[_Block]:
    content = block.get("content")
    if isinstance(content, list) and any(
        isinstance(item, dict) and item.get("type") == "tool_reference" for item in content
    ):
        return (with_normalized_id(_keep(block, _KEPT["tool_search_tool_result"])),)
    formatted = with_normalized_id(block)
    return (formatted | ({"content": format_content(content)} if isinstance(content, list) else {}),)


def _drop_index(block: _Block) -> Iterable[_Block]:
    return ({key: value for key, value in block.items() if key != "index"},)


_FORMATTERS: dict[str, Callable[[_Block], Iterable[_Block]]] = {
    "text": _format_text,
    "thinking": _format_thinking,
    "server_tool_use": _format_server_call,
    "mcp_tool_use": _format_server_call,
    "tool_result": _format_tool_result,
    "advisor_tool_result": _drop_index,
    "compaction": _drop_index,
}

"""The output items of the Responses API that messages keep: their types, and their blocks in a message's content."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

__all__ = (
    "CALL_IDS",
    "KEPT_ITEMS",
    "REPLAYED_ITEMS",
    "TOOL_OUTPUTS",
    "annotation_from_block",
    "annotation_to_block",
    "as_text",
    "drop_nulls",
    "item_block",
    "without_index",
)

_Block = dict[str, Any]

TOOL_OUTPUTS = frozenset(
    {"web_search_call", "file_search_call", "computer_call", "code_interpreter_call", "mcp_call", "mcp_list_tools"}
    | {"mcp_approval_request", "image_generation_call", "tool_search_call", "tool_search_output"}
    | {"apply_patch_call", "apply_patch_call_output"}
)
"""The items of tools that OpenAI runs or defines; ``output_version="v0"`` moves them out of the content."""

KEPT_ITEMS = TOOL_OUTPUTS | {"compaction"}
"""The items that become a block of the content when they are complete."""

REPLAYED_ITEMS = (KEPT_ITEMS - {"image_generation_call"}) | {"function_call", "custom_tool_call"}
"""The blocks of an answer that a later request contains as they are."""

CALL_IDS = "__openai_function_call_ids__"
"""Where ``output_version="v0"`` keeps the ids of function calls, by ``call_id``."""

# Values that are JSON objects of users or of tools: their nulls mean something.
_FREE_FORM = frozenset({"annotations", "arguments", "attributes", "input_schema", "parameters"})


def as_text(value: object) -> str | None:
    """Return a text; ``None`` for a value of any other type."""
    return value if isinstance(value, str) else None


def item_block(item: Mapping[str, Any]) -> _Block:
    """Return the block of an output item: the item without the fields that are null."""
    kept = ((key, value) for key, value in item.items() if value is not None)
    return {key: value if key in _FREE_FORM else drop_nulls(value) for key, value in kept}


def drop_nulls(value: Any) -> Any:
    """Return ``value`` without the entries of its objects that are null, at any depth."""
    if isinstance(value, dict):
        return item_block(value)
    return [drop_nulls(part) for part in value] if isinstance(value, list) else value


def without_index(block: Mapping[str, Any]) -> _Block:
    """Return a block without the indexes by which chunks are merged; the API rejects them."""
    item = {key: value for key, value in block.items() if key != "index"}
    for name in ("summary", "content"):
        if block.get("type") == "reasoning" and isinstance(parts := item.get(name), list):
            item[name] = [
                {key: value for key, value in part.items() if key != "index"} if isinstance(part, dict) else part
                for part in parts
            ]
    return item


def annotation_to_block(annotation: Any) -> Any:
    """Return an annotation as messages hold it: ``index`` is the key by which chunks are merged."""
    return _rename(annotation, "index", "file_index")


def annotation_from_block(annotation: Any) -> Any:
    """Return an annotation of a message as the API has it."""
    return _rename(annotation, "file_index", "index")


def _rename(annotation: Any, old: str, new: str) -> Any:
    if not isinstance(annotation, dict) or annotation.get("type") != "file_citation" or old not in annotation:
        return annotation
    rest = {key: value for key, value in annotation.items() if key != old}
    return {**rest, new: annotation[old]}

"""``add_nulls``: the optional fields of an answer that the server left out, as the provider's SDK returns them.

LangChain's messages contain the SDK's objects as dicts, which have ``None`` for each optional field. Millstream's
are equal to them, whether a server sends ``null`` or nothing.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

__all__ = ("MESSAGE_NULLS", "USAGE_NULLS", "add_nulls", "find_nulls")

# For each type of block, result or citation, its optional fields.
_OF_TYPE: dict[str, tuple[str, ...]] = {
    "text": ("citations",),
    **dict.fromkeys(("char_location", "page_location", "content_block_location"), ("document_title", "file_id")),
    **dict.fromkeys(("web_search_result_location", "search_result_location"), ("title",)),
    "tool_use": ("caller", "toolset_name"),
    **dict.fromkeys(("server_tool_use", "web_search_tool_result", "web_fetch_tool_result"), ("caller",)),
    "web_search_result": ("page_age",),
    "web_fetch_result": ("retrieved_at",),
    "document": ("citations", "title"),
    **dict.fromkeys(
        ("text_editor_code_execution_tool_result_error", "tool_search_tool_result_error"), ("error_message",)
    ),
    "text_editor_code_execution_view_result": ("num_lines", "start_line", "total_lines"),
    "text_editor_code_execution_str_replace_result": ("lines", "new_lines", "new_start", "old_lines", "old_start"),
}
# Of the beta API, these too.
_OF_BETA_TYPE: dict[str, tuple[str, ...]] = {
    **_OF_TYPE,
    **dict.fromkeys(("advisor_result", "advisor_redacted_result"), ("stop_reason",)),
    "compaction": ("content", "encrypted_content", "signature", "tool_changes"),
    "compaction_delta": ("content", "encrypted_content"),
    "thinking_delta": ("estimated_tokens",),
}
# A text in these is a source's, which has no citations.
_SOURCES = ("source",)

_USAGE = ("cache_creation", "cache_creation_input_tokens", "cache_read_input_tokens", "inference_geo")
_USAGE_END = ("output_tokens_details", "server_tool_use", "service_tier", "speed")
USAGE_NULLS = {False: (*_USAGE, *_USAGE_END), True: (*_USAGE, "fallback_credit", "iterations", *_USAGE_END)}
"""The optional fields of a whole answer's usage, of the stable API and of the beta API."""

_MESSAGE = ("container", "diagnostics", "stop_details", "stop_reason", "stop_sequence")
MESSAGE_NULLS = {False: _MESSAGE, True: (*_MESSAGE, "context_management", "input_transformations")}
"""The optional fields of a whole answer, of the stable API and of the beta API."""

_REFUSAL = ("category", "explanation")
_REFUSALS = {
    False: _REFUSAL,
    True: (*_REFUSAL, "fallback_credit_token", "fallback_has_prefill_claim", "recommended_model"),
}


def find_nulls(holder: Mapping[str, Any], names: tuple[str, ...]) -> dict[str, Any]:
    """Return a copy of ``holder`` in which each of the ``names`` that it lacks is ``None``."""
    return {**dict.fromkeys(names), **holder}


def add_nulls(value: Any, *, beta: bool) -> Any:
    """Return a copy of a block of an answer with its optional fields; ``beta`` says which API the answer is of."""
    if isinstance(value, list):
        return [add_nulls(item, beta=beta) for item in value]
    if not isinstance(value, dict):
        return value
    # The input of a tool, and what the user's documents contain, is theirs.
    copied = {
        key: inner if key == "input" or key in _SOURCES else add_nulls(inner, beta=beta) for key, inner in value.items()
    }
    kind = value.get("type")
    known = _OF_BETA_TYPE if beta else _OF_TYPE
    names = _REFUSALS[beta] if kind == "refusal" else known.get(kind, ()) if isinstance(kind, str) else ()
    for name in names:
        copied.setdefault(name, None)
    return copied

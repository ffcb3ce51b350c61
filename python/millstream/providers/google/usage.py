"""Gemini's token counts in LangChain's form. Its streams send totals, of which each chunk gets the difference."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from ...messages.usage import UsageMetadata, subtract_usage

__all__ = ("create_usage_metadata", "subtract_previous")


def create_usage_metadata(usage: object) -> UsageMetadata | None:
    """Return the counts of ``usage``; ``None`` if there are none, or all are zero."""
    if not isinstance(usage, Mapping):
        return None
    # The prompts of the server's own tools are input too, and counted in the total.
    input_tokens = _read_count(usage, "promptTokenCount") + _read_count(usage, "toolUsePromptTokenCount")
    reasoning = _read_count(usage, "thoughtsTokenCount")
    counts: Any = {
        "input_tokens": input_tokens,
        "output_tokens": _read_count(usage, "candidatesTokenCount") + reasoning,
        "total_tokens": _read_count(usage, "totalTokenCount"),
        "input_token_details": {"cache_read": _read_count(usage, "cachedContentTokenCount")},
    }
    if reasoning:
        counts["output_token_details"] = {"reasoning": reasoning}
    if not any((*list(counts.values())[:3], counts["input_token_details"]["cache_read"])):
        return None
    return counts  # type: ignore[no-any-return]


def subtract_previous(usage: UsageMetadata, previous: UsageMetadata | None) -> UsageMetadata:
    """Return the difference of two totals of one stream."""
    if previous is None:
        return subtract_usage(usage, None)
    difference = subtract_usage(usage, previous)
    if usage["input_tokens"] < previous["input_tokens"]:
        # The last payload of Gemini 2.0 counts fewer tokens of the prompt than those before it, and it is right.
        difference["input_tokens"] = usage["input_tokens"] - previous["input_tokens"]
    return difference


def _read_count(usage: Mapping[str, Any], name: str) -> int:
    count = usage.get(name)
    return count if isinstance(count, int) and not isinstance(count, bool) else 0

"""Anthropic's token counts in LangChain's form."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from ...messages.usage import UsageMetadata

__all__ = ("create_usage_metadata", "merge_usage")

_LIFETIMES = ("ephemeral_5m_input_tokens", "ephemeral_1h_input_tokens")


def create_usage_metadata(usage: Mapping[str, Any]) -> UsageMetadata:
    """Return the counts of ``usage``.

    Anthropic's ``input_tokens`` are those that were neither read from a cache nor written to one; LangChain's are
    all. Tokens that were written are counted by their lifetime where the server says it, otherwise together.
    """
    written = usage.get("cache_creation")
    by_lifetime = {key: written.get(key) for key in _LIFETIMES} if isinstance(written, Mapping) and written else {}
    known = sum(map(_count, by_lifetime.values()))
    read = usage.get("cache_read_input_tokens")
    created = usage.get("cache_creation_input_tokens")
    input_tokens = _count(usage.get("input_tokens")) + _count(read) + (known or _count(created))
    output_tokens = _count(usage.get("output_tokens"))
    details = {"cache_read": read, "cache_creation": 0 if known else created, **by_lifetime}
    metadata: Any = {
        "input_tokens": input_tokens,
        "output_tokens": output_tokens,
        "total_tokens": input_tokens + output_tokens,
        "input_token_details": {key: count for key, count in details.items() if count is not None},
    }
    thought = usage.get("output_tokens_details")
    reasoning = thought.get("thinking_tokens") if isinstance(thought, Mapping) else None
    if reasoning is not None:
        metadata["output_token_details"] = {"reasoning": reasoning}
    return metadata  # type: ignore[no-any-return]


def merge_usage(first: Mapping[str, Any], last: Mapping[str, Any]) -> dict[str, Any]:
    """Return the counts of a stream: those of its end, which are totals, and from its beginning those left out there.

    The end of a stream need not repeat the counts of the input.
    """
    return {**first, **{key: count for key, count in last.items() if count is not None}}


def _count(value: object) -> int:
    return value if isinstance(value, int) and not isinstance(value, bool) else 0

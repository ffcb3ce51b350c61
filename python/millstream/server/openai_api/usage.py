"""Token counts under OpenAI's names."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from ...messages.ai import AIMessage

__all__ = ("openai_usage",)


def openai_usage(message: Any) -> dict[str, Any] | None:
    """Return the counts of a message, those that the provider sent if it speaks OpenAI's protocol."""
    raw = message.response_metadata.get("token_usage")
    if isinstance(raw, Mapping) and "prompt_tokens" in raw:
        return dict(raw)
    usage: Any = message.usage_metadata if isinstance(message, AIMessage) else None
    if not usage:
        return None
    inputs, outputs = usage.get("input_token_details") or {}, usage.get("output_token_details") or {}
    return {
        "prompt_tokens": usage["input_tokens"],
        "completion_tokens": usage["output_tokens"],
        "total_tokens": usage["total_tokens"],
        **_details("prompt_tokens_details", inputs, {"cached_tokens": "cache_read", "audio_tokens": "audio"}),
        **_details("completion_tokens_details", outputs, {"reasoning_tokens": "reasoning", "audio_tokens": "audio"}),
    }


def _details(name: str, details: Mapping[str, Any], names: Mapping[str, str]) -> dict[str, Any]:
    counts = {theirs: details[ours] for theirs, ours in names.items() if ours in details}
    return {name: counts} if counts else {}

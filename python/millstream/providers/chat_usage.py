"""The token counts of an answer: OpenAI's object as LangChain's ``usage_metadata``."""

from collections.abc import Mapping
from typing import Any

from ..messages.usage import UsageMetadata

__all__ = ("usage_metadata",)


def usage_metadata(usage: Mapping[str, Any], service_tier: str | None) -> UsageMetadata:
    """Return the counts that the provider told; details by the tier that was asked for, where it is a dearer one."""
    told = _count(usage, "prompt_tokens"), _count(usage, "completion_tokens")
    taken, given = told[0] or 0, told[1] or 0
    total = _count(usage, "total_tokens")
    tier = service_tier if service_tier in ("priority", "flex") else None
    prefix = f"{tier}_" if tier else ""
    taken_as = _details(usage, "prompt_tokens_details")
    given_as = _details(usage, "completion_tokens_details")
    inputs = {
        "audio": taken_as.get("audio_tokens"),
        f"{prefix}cache_read": taken_as.get("cached_tokens"),
        f"{prefix}cache_creation": taken_as.get("cache_write_tokens"),
    }
    outputs = {
        "audio": given_as.get("audio_tokens"),
        f"{prefix}reasoning": given_as.get("reasoning_tokens"),
    }
    if tier:
        # Tokens that were cached or thought have prices of their own, and are not counted twice.
        inputs[tier] = taken - (inputs[f"{tier}_cache_read"] or 0)
        outputs[tier] = given - (outputs[f"{tier}_reasoning"] or 0)
    read: Any = {
        "input_tokens": taken,
        "output_tokens": given,
        "total_tokens": taken + given if total is None else total,
        "input_token_details": _known(inputs),
        "output_token_details": _known(outputs),
    }
    return read  # type: ignore[no-any-return]


def _count(usage: Mapping[str, Any], name: str) -> int | None:
    count = usage.get(name)
    return count if isinstance(count, int) else None


def _details(usage: Mapping[str, Any], name: str) -> Mapping[str, Any]:
    details = usage.get(name)
    return details if isinstance(details, Mapping) else {}


def _known(counts: Mapping[str, Any]) -> dict[str, Any]:
    return {name: count for name, count in counts.items() if count is not None}

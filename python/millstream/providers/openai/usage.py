"""Converts OpenAI's token counts into LangChain's form, and adds up those of several responses."""

from collections.abc import Mapping, Sequence
from typing import Any

from ..._merge import add_counts
from ...messages.usage import UsageMetadata

__all__ = ("combine_llm_outputs", "create_usage_metadata")


def combine_llm_outputs(outputs: Sequence[Mapping[str, Any] | None], model_name: str | None) -> dict[str, Any]:
    """Return the sum of the token counts, the model's name, and the first system fingerprint."""
    known = [output for output in outputs if output is not None]
    usages = [output["token_usage"] for output in known if output.get("token_usage")]
    fingerprints = [output["system_fingerprint"] for output in known if output.get("system_fingerprint")]
    combined: dict[str, Any] = {"token_usage": add_counts(usages), "model_name": model_name}
    if fingerprints:
        combined["system_fingerprint"] = fingerprints[0]
    return combined


def create_usage_metadata(usage: Mapping[str, Any], service_tier: str | None) -> UsageMetadata:
    """Return the counts of ``usage``. A service tier with its own prices is a prefix of the names of details."""
    input_tokens = _read_count(usage, "prompt_tokens") or 0
    output_tokens = _read_count(usage, "completion_tokens") or 0
    total = _read_count(usage, "total_tokens")
    tier = service_tier if service_tier in ("priority", "flex") else None
    prefix = f"{tier}_" if tier else ""
    input_details = _read_details(usage, "prompt_tokens_details")
    output_details = _read_details(usage, "completion_tokens_details")
    inputs = {
        "audio": _read_count(input_details, "audio_tokens"),
        f"{prefix}cache_read": _read_count(input_details, "cached_tokens"),
        f"{prefix}cache_creation": _read_count(input_details, "cache_write_tokens"),
    }
    outputs = {
        "audio": _read_count(output_details, "audio_tokens"),
        f"{prefix}reasoning": _read_count(output_details, "reasoning_tokens"),
    }
    if tier:
        # Cached and reasoning tokens are billed separately; subtract them so that they are not counted twice.
        inputs[tier] = input_tokens - (inputs[f"{tier}_cache_read"] or 0)
        outputs[tier] = output_tokens - (outputs[f"{tier}_reasoning"] or 0)
    # Counts without a name in LangChain keep their own; as in LangChain, counts of zero are left out.
    inputs |= _other_counts(input_details, ("audio_tokens", "cached_tokens", "cache_write_tokens"))
    outputs |= _other_counts(output_details, ("audio_tokens", "reasoning_tokens"))
    metadata: Any = {
        "input_tokens": input_tokens,
        "output_tokens": output_tokens,
        "total_tokens": input_tokens + output_tokens if total is None else total,
        "input_token_details": _drop_unknown(inputs),
        "output_token_details": _drop_unknown(outputs),
    }
    return metadata  # type: ignore[no-any-return]


def _read_count(usage: Mapping[str, Any], name: str) -> int | None:
    count = usage.get(name)
    return count if isinstance(count, int) and not isinstance(count, bool) else None


def _read_details(usage: Mapping[str, Any], name: str) -> Mapping[str, Any]:
    details = usage.get(name)
    return details if isinstance(details, Mapping) else {}


def _other_counts(details: Mapping[str, Any], read: tuple[str, ...]) -> dict[str, int]:
    """Return the counts in ``details``, without those in ``read``."""
    counts = {name: _read_count(details, name) for name in details if name not in read}
    return {name: count for name, count in counts.items() if count}


def _drop_unknown(counts: Mapping[str, Any]) -> dict[str, Any]:
    return {name: count for name, count in counts.items() if count is not None}

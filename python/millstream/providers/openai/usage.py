"""Token counts as OpenAI reports them, in LangChain's form, and those of several answers together."""

from collections.abc import Mapping, Sequence
from typing import Any

from ..._merge import add_counts
from ...messages.usage import UsageMetadata

__all__ = ("combine_llm_outputs", "usage_metadata")


def combine_llm_outputs(outputs: Sequence[Mapping[str, Any] | None], model_name: str | None) -> dict[str, Any]:
    """Return the sum of the token counts, the model's name, and the first system fingerprint that is told."""
    told = [output for output in outputs if output is not None]
    usages = [output["token_usage"] for output in told if output.get("token_usage")]
    combined: dict[str, Any] = {"token_usage": add_counts(usages), "model_name": model_name}
    if fingerprint := next((one for output in told if (one := output.get("system_fingerprint"))), None):
        combined["system_fingerprint"] = fingerprint
    return combined


def usage_metadata(usage: Mapping[str, Any], service_tier: str | None) -> UsageMetadata:
    """Return the counts that the provider told; details by the tier that was asked for, where it is a dearer one."""
    told = _read_count(usage, "prompt_tokens"), _read_count(usage, "completion_tokens")
    taken, given = told[0] or 0, told[1] or 0
    total = _read_count(usage, "total_tokens")
    tier = service_tier if service_tier in ("priority", "flex") else None
    prefix = f"{tier}_" if tier else ""
    taken_as = _read_details(usage, "prompt_tokens_details")
    given_as = _read_details(usage, "completion_tokens_details")
    inputs = {
        "audio": _read_count(taken_as, "audio_tokens"),
        f"{prefix}cache_read": _read_count(taken_as, "cached_tokens"),
        f"{prefix}cache_creation": _read_count(taken_as, "cache_write_tokens"),
    }
    outputs = {
        "audio": _read_count(given_as, "audio_tokens"),
        f"{prefix}reasoning": _read_count(given_as, "reasoning_tokens"),
    }
    if tier:
        # Tokens that were cached or thought have prices of their own, and are not counted twice.
        inputs[tier] = taken - (inputs[f"{tier}_cache_read"] or 0)
        outputs[tier] = given - (outputs[f"{tier}_reasoning"] or 0)
    # Counts that LangChain has no name for keep their own; those of nothing are left out, as in LangChain.
    inputs |= _other_counts(taken_as, ("audio_tokens", "cached_tokens", "cache_write_tokens"))
    outputs |= _other_counts(given_as, ("audio_tokens", "reasoning_tokens"))
    read: Any = {
        "input_tokens": taken,
        "output_tokens": given,
        "total_tokens": taken + given if total is None else total,
        "input_token_details": _drop_unknown(inputs),
        "output_token_details": _drop_unknown(outputs),
    }
    return read  # type: ignore[no-any-return]


def _read_count(usage: Mapping[str, Any], name: str) -> int | None:
    count = usage.get(name)
    return count if isinstance(count, int) and not isinstance(count, bool) else None


def _read_details(usage: Mapping[str, Any], name: str) -> Mapping[str, Any]:
    details = usage.get(name)
    return details if isinstance(details, Mapping) else {}


def _other_counts(details: Mapping[str, Any], read: tuple[str, ...]) -> dict[str, int]:
    """Return the counts in ``details`` that were not ``read``."""
    counts = {name: _read_count(details, name) for name in details if name not in read}
    return {name: count for name, count in counts.items() if count}


def _drop_unknown(counts: Mapping[str, Any]) -> dict[str, Any]:
    return {name: count for name, count in counts.items() if count is not None}

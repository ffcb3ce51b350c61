"""Converts OpenAI's token counts into LangChain's form, and adds up those of several responses."""

from collections.abc import Mapping, Sequence
from typing import Any

from ..._merge import add_counts
from ...messages.usage import UsageMetadata

__all__ = ("combine_llm_outputs", "create_responses_usage", "create_usage_metadata")


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
    input_details = _read_details(usage, "prompt_tokens_details")
    output_details = _read_details(usage, "completion_tokens_details")
    counts = _Counts(usage, "prompt_tokens", "completion_tokens", service_tier)
    return counts.describe(
        {"audio": _read_count(input_details, "audio_tokens"), **counts.cached(input_details)},
        {"audio": _read_count(output_details, "audio_tokens"), **counts.reasoned(output_details)},
        # Counts without a name in LangChain keep their own; as in LangChain, counts of zero are left out.
        _other_counts(input_details, ("audio_tokens", "cached_tokens", "cache_write_tokens")),
        _other_counts(output_details, ("audio_tokens", "reasoning_tokens")),
    )


def create_responses_usage(usage: Mapping[str, Any], service_tier: str | None) -> UsageMetadata:
    """:func:`create_usage_metadata` for the usage of the Responses API."""
    input_details = _read_details(usage, "input_tokens_details")
    output_details = _read_details(usage, "output_tokens_details")
    counts = _Counts(usage, "input_tokens", "output_tokens", service_tier)
    return counts.describe(
        counts.cached(input_details),
        counts.reasoned(output_details),
        _other_counts(input_details, ("cached_tokens", "cache_write_tokens")),
        _other_counts(output_details, ("reasoning_tokens",)),
    )


class _Counts:
    """The counts of one usage, whose totals have the names ``input`` and ``output``."""

    def __init__(self, usage: Mapping[str, Any], input: str, output: str, service_tier: str | None) -> None:
        self._input = _read_count(usage, input) or 0
        self._output = _read_count(usage, output) or 0
        self._total = _read_count(usage, "total_tokens")
        self._tier = service_tier if service_tier in ("priority", "flex") else None
        self._prefix = f"{self._tier}_" if self._tier else ""

    def cached(self, details: Mapping[str, Any]) -> dict[str, int | None]:
        """Return the tokens read from and written to a cache."""
        names = {"cache_read": "cached_tokens", "cache_creation": "cache_write_tokens"}
        return {f"{self._prefix}{name}": _read_count(details, key) for name, key in names.items()}

    def reasoned(self, details: Mapping[str, Any]) -> dict[str, int | None]:
        """Return the reasoning tokens."""
        return {f"{self._prefix}reasoning": _read_count(details, "reasoning_tokens")}

    def describe(
        self,
        inputs: dict[str, int | None],
        outputs: dict[str, int | None],
        other_inputs: Mapping[str, int],
        other_outputs: Mapping[str, int],
    ) -> UsageMetadata:
        """Return the totals and the details."""
        if self._tier:
            # Cached and reasoning tokens are billed separately; subtract them so that they are not counted twice.
            inputs[self._tier] = self._input - (inputs[f"{self._tier}_cache_read"] or 0)
            outputs[self._tier] = self._output - (outputs[f"{self._tier}_reasoning"] or 0)
        metadata: Any = {
            "input_tokens": self._input,
            "output_tokens": self._output,
            "total_tokens": self._input + self._output if self._total is None else self._total,
            "input_token_details": _drop_unknown({**inputs, **other_inputs}),
            "output_token_details": _drop_unknown({**outputs, **other_outputs}),
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

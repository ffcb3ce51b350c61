"""Providers' token counts in LangChain's form: those of OpenAI's APIs, and those of any format."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from ..messages.usage import UsageMetadata

__all__ = ("create_responses_usage", "create_usage_metadata", "read_usage")

# Where the formats that are not OpenAI's have their counts. The names of a group are added up; the first group counts
# of which there is a name.
_INPUT = (
    ("input_tokens", "cache_read_input_tokens", "cache_creation_input_tokens"),
    ("promptTokenCount", "toolUsePromptTokenCount"),
    ("prompt_eval_count",),
    ("inputTokens", "cacheReadInputTokens", "cacheWriteInputTokens"),
)
_OUTPUT = (
    ("output_tokens",),
    ("candidatesTokenCount", "thoughtsTokenCount"),
    ("eval_count",),
    ("outputTokens",),
)
_TOTAL = (("total_tokens",), ("totalTokenCount",), ("totalTokens",))
_DETAILS: dict[str, dict[str, tuple[tuple[str, ...], ...]]] = {
    "input_token_details": {
        "cache_read": (("cache_read_input_tokens",), ("cachedContentTokenCount",), ("cacheReadInputTokens",)),
        "cache_creation": (("cache_creation_input_tokens",), ("cacheWriteInputTokens",)),
    },
    "output_token_details": {"reasoning": (("thoughtsTokenCount",),)},
}


def read_usage(usage: Mapping[str, Any], service_tier: str | None = None) -> UsageMetadata:
    """Return the counts of ``usage``, in the names of any format."""
    if "prompt_tokens" in usage:
        return create_usage_metadata(usage, service_tier)
    if "input_tokens_details" in usage:
        return create_responses_usage(usage, service_tier)
    return _count_tokens(usage)


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


def _count_tokens(usage: Mapping[str, Any]) -> UsageMetadata:
    """Return the counts of ``usage`` in the names of any format but OpenAI's."""
    inner = usage.get("tokens")
    usage = inner if isinstance(inner, Mapping) else usage
    input, output = _sum(usage, _INPUT) or 0, _sum(usage, _OUTPUT) or 0
    total = _sum(usage, _TOTAL)
    counts: Any = {
        "input_tokens": input,
        "output_tokens": output,
        "total_tokens": input + output if total is None else total,
    }
    for name, details in _DETAILS.items():
        found = {detail: count for detail, groups in details.items() if (count := _sum(usage, groups))}
        counts |= {name: found} if found else {}
    return counts  # type: ignore[no-any-return]


def _sum(usage: Mapping[str, Any], groups: Sequence[Sequence[str]]) -> int | None:
    """Return the sum of the counts of the first group that has one."""
    for group in groups:
        counts = [count for name in group if type(count := usage.get(name)) is int]
        if counts:
            return sum(counts)
    return None

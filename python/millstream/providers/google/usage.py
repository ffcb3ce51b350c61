"""Gemini's token counts in LangChain's form. Its streams send totals, of which each chunk gets the difference."""

from __future__ import annotations

from typing import Any

from ...messages.usage import UsageMetadata

__all__ = ("UsageDifferences", "create_usage_metadata")

_Counts = tuple[int, int, int, int, int]
"""The tokens of the input, of the output and of both; those of them that are cached, and that are thoughts."""


def create_usage_metadata(usage: object) -> UsageMetadata | None:
    """Return the counts of ``usage``; ``None`` if there are none, or all are zero."""
    counts = _read_counts(usage)
    return None if counts is None else _create(counts, has_thoughts=counts[4] > 0)


class UsageDifferences:
    """The counts of a stream: :meth:`add` returns those since the last payload that had some."""

    __slots__ = ("_has_thoughts", "_sums")

    def __init__(self) -> None:
        self._sums: _Counts | None = None
        self._has_thoughts = False

    def add(self, usage: object) -> UsageMetadata | None:
        """Return the difference of the totals in ``usage`` and the sum of the differences before it."""
        totals = _read_counts(usage)
        if totals is None:
            return None
        self._has_thoughts = self._has_thoughts or totals[4] > 0
        if (sums := self._sums) is None:
            self._sums = totals
            return _create(totals, has_thoughts=self._has_thoughts)
        # The last payload of Gemini 2.0 counts fewer tokens of the prompt than those before it, and it is right.
        first = totals[0] - sums[0]
        others = [max(total - before, 0) for total, before in zip(totals[1:], sums[1:], strict=True)]
        counts: _Counts = (first, others[0], others[1], others[2], others[3])
        self._sums = (totals[0], *(before + more for before, more in zip(sums[1:], others, strict=True)))  # type: ignore[assignment]
        return _create(counts, has_thoughts=self._has_thoughts)


def _read_counts(usage: object) -> _Counts | None:
    if not isinstance(usage, dict):
        return None
    # The prompts of the server's own tools are input too, and counted in the total.
    input_tokens = _read_count(usage, "promptTokenCount") + _read_count(usage, "toolUsePromptTokenCount")
    thoughts = _read_count(usage, "thoughtsTokenCount")
    output_tokens = _read_count(usage, "candidatesTokenCount") + thoughts
    total, cached = _read_count(usage, "totalTokenCount"), _read_count(usage, "cachedContentTokenCount")
    if not (input_tokens or output_tokens or total or cached):
        return None
    return input_tokens, output_tokens, total, cached, thoughts


def _create(counts: _Counts, *, has_thoughts: bool) -> UsageMetadata:
    metadata: Any = {
        "input_tokens": counts[0],
        "output_tokens": counts[1],
        "total_tokens": counts[2],
        "input_token_details": {"cache_read": counts[3]},
    }
    if has_thoughts:
        metadata["output_token_details"] = {"reasoning": counts[4]}
    return metadata  # type: ignore[no-any-return]


def _read_count(usage: dict[str, Any], name: str) -> int:
    count = usage.get(name)
    return count if type(count) is int else 0

"""Why an answer ended, as the metadata of its message says it in the provider's words."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

__all__ = ("find_finish_reasons", "is_cut_off", "is_filtered")

# In lower case.
_CUT_OFF = frozenset(
    {
        *("length", "max_tokens", "max_output_tokens", "model_length", "incomplete:max_output_tokens"),
        "model_context_window_exceeded",
    }
)
_FILTERED = frozenset(
    {
        *("content_filter", "content_filtered", "incomplete:content_filter", "guardrail_intervened"),
        *("safety", "recitation", "blocklist", "prohibited_content", "spii"),
    }
)


def find_finish_reasons(metadata: Mapping[str, Any]) -> Iterator[str]:
    """Yield the finish reasons in a message's metadata; that of a prompt that was refused begins with ``blocked:``."""
    reasons = [metadata.get(name) for name in ("finish_reason", "stop_reason", "done_reason")]
    reasons.append(_read_details(metadata, "incomplete_details").get("reason"))
    if blocked := _read_details(metadata, "prompt_feedback").get("block_reason"):
        reasons.append(f"blocked:{blocked}")
    yield from (reason for reason in reasons if isinstance(reason, str))


def is_cut_off(reason: str) -> bool:
    """Return whether the limit of tokens ended the answer."""
    return reason.lower() in _CUT_OFF


def is_filtered(reason: str) -> bool:
    """Return whether the provider's content filter ended the answer."""
    return reason.lower() in _FILTERED or reason.lower().startswith("blocked:")


def _read_details(metadata: Mapping[str, Any], name: str) -> Mapping[str, Any]:
    details = metadata.get(name)
    return details if isinstance(details, Mapping) else {}

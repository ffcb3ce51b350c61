"""Converts the counts of Ollama's answers."""

from collections.abc import Mapping
from typing import Any

from ...messages.usage import UsageMetadata

__all__ = ("create_usage_metadata",)


def create_usage_metadata(payload: Mapping[str, Any]) -> UsageMetadata | None:
    """Return the counts of a payload; ``None`` unless both are there."""
    counts = payload.get("prompt_eval_count"), payload.get("eval_count")
    if not all(isinstance(count, int) and not isinstance(count, bool) for count in counts):
        return None
    prompt, answer = counts
    metadata: Any = {"input_tokens": prompt, "output_tokens": answer, "total_tokens": prompt + answer}
    return metadata  # type: ignore[no-any-return]

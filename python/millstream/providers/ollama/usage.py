"""Converts the counts of Ollama's answers."""

from collections.abc import Mapping
from typing import Any

from ...messages.usage import UsageMetadata

__all__ = ("create_usage_metadata",)


def create_usage_metadata(payload: Mapping[str, Any]) -> UsageMetadata | None:
    """Return the counts of a payload; ``None`` unless both are there."""
    prompt, answer = payload.get("prompt_eval_count"), payload.get("eval_count")
    if type(prompt) is not int or type(answer) is not int:
        return None
    return {"input_tokens": prompt, "output_tokens": answer, "total_tokens": prompt + answer}

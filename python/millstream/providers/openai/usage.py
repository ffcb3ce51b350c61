"""Adds up the token counts of several responses."""

from collections.abc import Mapping, Sequence
from typing import Any

from ..._merge import add_counts

__all__ = ("combine_llm_outputs",)


def combine_llm_outputs(outputs: Sequence[Mapping[str, Any] | None], model_name: str | None) -> dict[str, Any]:
    """Return the sum of the token counts, the model's name, and the first system fingerprint."""
    known = [output for output in outputs if output is not None]
    usages = [output["token_usage"] for output in known if output.get("token_usage")]
    fingerprints = [output["system_fingerprint"] for output in known if output.get("system_fingerprint")]
    combined: dict[str, Any] = {"token_usage": add_counts(usages), "model_name": model_name}
    if fingerprints:
        combined["system_fingerprint"] = fingerprints[0]
    return combined

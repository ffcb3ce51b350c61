"""What the provider said of several answers, as of one call."""

from collections.abc import Mapping, Sequence
from typing import Any

from .._merge import add_counts

__all__ = ("combined_output",)


def combined_output(outputs: Sequence[Mapping[str, Any] | None], model_name: str | None) -> dict[str, Any]:
    """Return the sum of the token counts, the model's name, and the first system fingerprint that is told."""
    told = [output for output in outputs if output is not None]
    usages = [output["token_usage"] for output in told if output.get("token_usage")]
    combined: dict[str, Any] = {"token_usage": add_counts(usages), "model_name": model_name}
    if fingerprint := next((one for output in told if (one := output.get("system_fingerprint"))), None):
        combined["system_fingerprint"] = fingerprint
    return combined

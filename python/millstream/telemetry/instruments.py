"""The metrics of OpenTelemetry's semantic conventions for generative AI, as a client of models records them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from .._backend import ChunkTimes

__all__ = ("Instruments",)

_SECONDS = (0.01, 0.02, 0.04, 0.08, 0.16, 0.32, 0.64, 1.28, 2.56, 5.12, 10.24, 20.48, 40.96, 81.92)
_TOKENS = tuple(4**power for power in range(14))


class Instruments:
    """The histograms of one meter.

    Of a stream's chunks one value is recorded, the mean of their times: an SDK takes longer to record a value than a
    stream to hand out a chunk.
    """

    def __init__(self, meter: Any) -> None:
        def histogram(name: str, unit: str, words: str, bounds: tuple[float, ...]) -> Any:
            return meter.create_histogram(
                f"gen_ai.client.{name}", unit=unit, description=words, explicit_bucket_boundaries_advisory=bounds
            )

        self._duration = histogram("operation.duration", "s", "Duration of an operation.", _SECONDS)
        self._first = histogram("operation.time_to_first_chunk", "s", "Time until the first chunk.", _SECONDS)
        self._chunk = histogram(
            "operation.time_per_output_chunk", "s", "Time between two chunks of a stream.", ChunkTimes.BOUNDS
        )
        self._tokens = histogram("token.usage", "{token}", "Number of tokens used.", _TOKENS)

    def record_duration(self, seconds: float, attributes: Mapping[str, Any], error: str | None) -> None:
        """Record an operation that has ended, with the type of its error if it failed."""
        self._duration.record(seconds, dict(attributes) if error is None else {**attributes, "error.type": error})

    def record_chunks(self, first: float | None, later: float, count: int, attributes: Mapping[str, Any]) -> None:
        """Record the chunks of a stream: the time until the first one, and that of ``count`` others behind it."""
        if first is not None:
            self._first.record(first, attributes)
        if count:
            self._chunk.record(later / count, attributes)

    def record_tokens(self, input: int, output: int, attributes: Mapping[str, Any]) -> None:
        """Record the numbers of tokens that the provider has counted."""
        for kind, count in (("input", input), ("output", output)):
            self._tokens.record(count, {**attributes, "gen_ai.token.type": kind})

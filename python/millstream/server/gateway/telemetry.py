"""A gateway's metrics for OpenTelemetry, by the semantic conventions for generative AI."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from ..._backend import ChunkTimes

if TYPE_CHECKING:
    from .accounting import Account

__all__ = ("OpenTelemetryReport",)

_SECONDS = (0.01, 0.02, 0.04, 0.08, 0.16, 0.32, 0.64, 1.28, 2.56, 5.12, 10.24, 20.48, 40.96, 81.92)
_TOKENS = tuple(4**power for power in range(14))
MAX_MODELS = 200
_OPERATIONS = {"/completions": "text_completion", "/embeddings": "embeddings"}


class OpenTelemetryReport:
    """Records each request that was sent to an upstream: its duration, the times of its chunks, its tokens.

    It is one of the ``reports`` of :func:`~millstream.server.gateway.gateway`. ``meter`` is that of an application's
    own provider; by default it is the global one's. Nothing is recorded while a stream runs, and of its chunks one
    value: the mean of their times, which were measured natively. (An SDK takes longer to record a value than a gateway
    to relay a chunk; the distribution of all chunks is in ``/metrics``.)
    """

    def __init__(self, meter: Any = None) -> None:
        if meter is None:
            try:
                from opentelemetry.metrics import get_meter
            except ModuleNotFoundError as error:
                raise ImportError("OpenTelemetryReport needs OpenTelemetry: pip install 'millstream[otel]'") from error
            meter = get_meter("millstream")

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
        self._models: set[str] = set()

    def __call__(self, account: Account) -> None:
        """Record a request that has ended; nothing if no upstream was asked."""
        if account.asked is None:
            return
        attributes = self._attributes(account)
        error = {} if account.error is None else {"error.type": account.error}
        self._duration.record(account.seconds, {**attributes, **error})
        if account.stream and account.first_chunk_seconds is not None:
            self._first.record(account.first_chunk_seconds, attributes)
        if chunks := sum(account.chunk_counts):
            self._chunk.record(account.chunk_seconds / chunks, attributes)
        if account.usage.input_tokens or account.usage.output_tokens:
            self._record_tokens(account, attributes)

    def _record_tokens(self, account: Account, attributes: dict[str, Any]) -> None:
        """Record the tokens that the upstream has counted."""
        if account.usage.is_estimate:
            return
        for kind, count in (("input", account.usage.input_tokens), ("output", account.usage.output_tokens)):
            self._tokens.record(count, {**attributes, "gen_ai.token.type": kind})

    def _attributes(self, account: Account) -> dict[str, Any]:
        assert account.asked is not None
        address = urlsplit(account.asked.config.url)
        return {
            "gen_ai.operation.name": _OPERATIONS.get(account.path, "chat"),
            "gen_ai.provider.name": "openai",
            "gen_ai.request.model": self._model(account),
            "gen_ai.request.stream": account.stream,
            "server.address": address.hostname,
            "server.port": address.port or (443 if address.scheme == "https" else 80),
        }

    def _model(self, account: Account) -> str:
        """Return the model's name if an upstream has answered for it, and at most so many others.

        Clients make names up, and each would be kept for ever.
        """
        if account.outcome == "ok" and len(self._models) < MAX_MODELS:
            self._models.add(account.model)
        return account.model if account.model in self._models else "_OTHER"

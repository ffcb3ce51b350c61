"""A gateway's metrics for OpenTelemetry, by the semantic conventions for generative AI."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from ...telemetry.instruments import Instruments

if TYPE_CHECKING:
    from .accounting import Account

__all__ = ("OpenTelemetryReport",)

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

        self._instruments = Instruments(meter)
        self._models: set[str] = set()

    def __call__(self, account: Account) -> None:
        """Record a request that has ended; nothing if no upstream was asked."""
        if account.asked is None:
            return
        attributes = self._attributes(account)
        instruments, usage = self._instruments, account.usage
        instruments.record_duration(account.seconds, attributes, account.error)
        first = account.first_chunk_seconds if account.stream else None
        instruments.record_chunks(first, account.chunk_seconds, sum(account.chunk_counts), attributes)
        if (usage.input_tokens or usage.output_tokens) and not usage.is_estimate:
            instruments.record_tokens(usage.input_tokens, usage.output_tokens, attributes)

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

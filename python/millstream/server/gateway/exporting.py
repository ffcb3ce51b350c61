"""OpenTelemetry for ``millstream serve``, as its environment variables say."""

from __future__ import annotations

import logging
import os
from typing import TYPE_CHECKING, Any

from .telemetry import OpenTelemetryReport

if TYPE_CHECKING:
    from collections.abc import Callable

__all__ = ("open_telemetry",)

logger = logging.getLogger("millstream.gateway")

_ENDPOINTS = ("OTEL_EXPORTER_OTLP_ENDPOINT", "OTEL_EXPORTER_OTLP_METRICS_ENDPOINT")
_PROTOCOLS = ("OTEL_EXPORTER_OTLP_METRICS_PROTOCOL", "OTEL_EXPORTER_OTLP_PROTOCOL")


def open_telemetry() -> tuple[OpenTelemetryReport, Callable[[], Any]] | None:
    """Return the report of a process and what ends it; ``None`` if no endpoint is set, or packages are missing.

    The SDK and its exporter read their variables themselves. What they need is not installed with the extra: it
    depends on the protocol.
    """
    if not any(map(os.environ.get, _ENDPOINTS)) or os.environ.get("OTEL_SDK_DISABLED", "").lower() == "true":
        return None
    try:
        from opentelemetry.sdk.metrics import MeterProvider
        from opentelemetry.sdk.metrics.export import PeriodicExportingMetricReader

        provider = MeterProvider([PeriodicExportingMetricReader(_make_exporter())])
    except ModuleNotFoundError as error:
        logger.warning("metrics are not exported to OpenTelemetry: %s is not installed", error.name)
        return None
    return OpenTelemetryReport(provider.get_meter("millstream")), provider.shutdown


def _make_exporter() -> Any:
    protocol = next(filter(None, map(os.environ.get, _PROTOCOLS)), "http/protobuf")
    if protocol == "grpc":
        from opentelemetry.exporter.otlp.proto.grpc import metric_exporter  # type: ignore[import-not-found]
    else:
        from opentelemetry.exporter.otlp.proto.http import metric_exporter  # type: ignore[import-not-found]
    return metric_exporter.OTLPMetricExporter()

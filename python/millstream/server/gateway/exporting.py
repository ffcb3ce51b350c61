"""OpenTelemetry for ``millstream serve``, as its environment variables say."""

from __future__ import annotations

import logging
import os
from typing import TYPE_CHECKING, Any

from ..._late import guard_import
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
    kind = "grpc" if protocol == "grpc" else "http"
    module = guard_import(
        f"opentelemetry.exporter.otlp.proto.{kind}.metric_exporter",
        pip_name=f"opentelemetry-exporter-otlp-proto-{kind}",
    )
    return module.OTLPMetricExporter()

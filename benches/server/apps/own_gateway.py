"""The package's own gateway."""

from typing import Any

from millstream.server.gateway import GatewayConfig, UpstreamConfig, gateway


def create(upstream: str) -> Any:
    """Return the app."""
    return gateway(GatewayConfig((UpstreamConfig(upstream, models=("gpt-4o-mini",)),)))

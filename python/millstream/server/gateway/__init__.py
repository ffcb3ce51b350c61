"""``gateway``: OpenAI-compatible servers behind one, with keys, limits, failover and accounts."""

from .accounting import Account, Usage
from .app import gateway
from .config import ConfigError, GatewayConfig, KeyConfig, UpstreamConfig, read_config
from .state import Gateway
from .telemetry import OpenTelemetryReport

__all__ = (
    "Account",
    "ConfigError",
    "Gateway",
    "GatewayConfig",
    "KeyConfig",
    "OpenTelemetryReport",
    "UpstreamConfig",
    "Usage",
    "gateway",
    "read_config",
)

"""``gateway``: OpenAI-compatible servers behind one, with keys, limits, failover and accounts."""

from .app import gateway
from .config import GatewayConfig, KeyConfig, UpstreamConfig, read_config

__all__ = ("GatewayConfig", "KeyConfig", "UpstreamConfig", "gateway", "read_config")

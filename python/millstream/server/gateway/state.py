"""``Gateway``: what the endpoints of a gateway share."""

from __future__ import annotations

import logging
from collections.abc import Callable
from typing import TYPE_CHECKING

from .keys import KeyRing
from .limits import Limits
from .metrics import Metrics
from .router import Router

if TYPE_CHECKING:
    from .accounting import Account
    from .config import GatewayConfig

__all__ = ("Gateway",)

logger = logging.getLogger("millstream.gateway")


class Gateway:
    """The state of a gateway: its configuration, which may be replaced while it runs, and what it counts."""

    def __init__(self, config: GatewayConfig, reports: tuple[Callable[[Account], None], ...] = ()) -> None:
        self.limits = Limits()
        self.metrics = Metrics()
        self._reports = (self.metrics.count, *reports)
        self.config = config
        self.keys = KeyRing(config.keys)
        self.router = Router(config)

    def use(self, config: GatewayConfig) -> None:
        """Use another configuration from the next request on; what runs goes on with the earlier one."""
        self.config = config
        self.keys = KeyRing(config.keys)
        self.router = Router(config, self.router)

    def report(self, account: Account) -> None:
        """Count a request that has ended."""
        for report in self._reports:
            try:
                report(account)
            except Exception:
                logger.exception("a report of a request failed")

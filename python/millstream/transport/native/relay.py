"""``Relay``: the protocol of a connection whose records are sent from the loop's callback."""

from __future__ import annotations

import asyncio

from ..._core import RecordRelay

__all__ = ("Relay",)


class Relay(RecordRelay, asyncio.BufferedProtocol):
    """The core's relay, as asyncio's loops want a protocol."""

    __slots__ = ()

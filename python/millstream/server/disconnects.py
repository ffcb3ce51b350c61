"""Watches for the client's disconnect, from the first instant of a response."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, MutableMapping
from typing import Any

__all__ = ("watch_disconnect",)

Receive = Callable[[], Awaitable[MutableMapping[str, Any]]]


async def watch_disconnect(receive: Receive, on_disconnect: Callable[[], None]) -> None:
    """Call ``on_disconnect`` once ``receive`` reports that the client is gone.

    Messages of a request body that the app has not read are skipped. If ``receive`` raises, the disconnect
    cannot be watched: the next message that is sent finds it.
    """
    try:
        while True:
            message = await receive()
            if message["type"] in ("http.disconnect", "websocket.disconnect"):
                break
            if not message.get("more_body"):
                # A receive function that never waits must not block the loop.
                await asyncio.sleep(0)
    except Exception:
        return
    on_disconnect()

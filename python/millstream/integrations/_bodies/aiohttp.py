"""Bodies of responses of aiohttp."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from typing import Any

from .base import DRAIN_SECONDS, AsyncBody

__all__ = ("AIOHTTPBody",)


class AIOHTTPBody(AsyncBody):
    """The body of a response of aiohttp, which decompresses it."""

    __slots__ = ()

    def __init__(self, response: Any) -> None:
        super().__init__(response, _read(response))
        self._take_head(response.status, response.headers)

    async def _read_on(self) -> None:
        async with asyncio.timeout(DRAIN_SECONDS):
            while await self.read():
                pass

    async def _close_response(self) -> None:
        # The connection is back in its pool if the body has ended.
        self.response.close()


async def _read(response: Any) -> AsyncIterator[bytes]:
    content = response.content
    if content.at_eof():
        # It has been read already, or is empty.
        yield await response.read()
        return
    try:
        while data := await content.readany():
            yield data
    except Exception:
        # A broken connection raises before the reader has returned all that had arrived.
        if hasattr(content, "_read_nowait") and (rest := content._read_nowait(-1)):
            yield rest
        raise

"""``EventSource`` as browsers have it: it connects again after every end, with the last id, until it is told not to."""

import asyncio
from collections.abc import Callable

import httpx2

from millstream import SSEParser

__all__ = ("EventSource",)


class EventSource:
    """The algorithm of the HTML standard, over httpx2.

    ``url`` is called before each connection: where a load balancer would have sent it. A status other than 200,
    or another content type, fails the connection for good; 204 is one. Everything else, an end of the
    response included, is followed by another connection, after the time of the last ``retry`` field.
    """

    def __init__(self, url: Callable[[], str]) -> None:
        self._url = url
        self.events: list[tuple[str, str]] = []
        self.ids: list[str] = []
        self.last_event_id = ""
        self.connections = 0
        self.failed_with: int | None = None
        self.retry = 0.01
        self.data = b""

    async def run(self, until: Callable[[], bool] = lambda: False) -> None:
        """Connect until the connection fails for good, or until ``until`` holds after some data."""
        async with httpx2.AsyncClient(timeout=None) as client:
            while self.failed_with is None:
                try:
                    if await self._connect(client, until):
                        return
                except httpx2.TransportError:
                    pass
                await asyncio.sleep(self.retry)

    async def _connect(self, client: httpx2.AsyncClient, until: Callable[[], bool]) -> bool:
        headers = {"Accept": "text/event-stream", "Cache-Control": "no-store"}
        if self.last_event_id:
            headers["Last-Event-ID"] = self.last_event_id
        self.connections += 1
        async with client.stream("GET", self._url(), headers=headers) as response:
            kind = response.headers.get("content-type", "").partition(";")[0]
            if response.status_code != 200 or kind != "text/event-stream":
                self.failed_with = response.status_code
                return False
            parser = SSEParser()
            async for data in response.aiter_raw():
                self.data += data
                for event in parser.feed(data):
                    self.events.append((event.event, event.data))
                    self.ids.append(event.id)
                # An event without data moves the id too.
                self.last_event_id = parser.last_event_id or self.last_event_id
                if parser.retry is not None:
                    self.retry = parser.retry / 1000
                if until():
                    return True
        return False

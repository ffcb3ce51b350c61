"""Clients of resumable streams: the head of a request, a source, and what a reader has."""

import asyncio
from collections.abc import AsyncIterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from millstream import SSEParser
from millstream.server.resumable import Position, parse_position


@dataclass
class Head:
    """The head of a request."""

    headers: Mapping[str, str] = field(default_factory=dict)
    query_params: Mapping[str, str] = field(default_factory=dict)


class Source:
    """Events that a test sends one by one; it counts how often it is read and closed."""

    def __init__(self, wire: str | None = None, media_type: str = "text/event-stream; charset=utf-8") -> None:
        self.wire, self.media_type, self.headers, self.ping = wire, media_type, {"x-own": "1"}, b""
        self.opened = self.closed = 0
        self.sent: list[bytes] = []
        self._queue: asyncio.Queue[bytes | Exception | None] = asyncio.Queue()

    def send(self, *items: bytes | Exception | None) -> None:
        """Let the stream yield items, raise an exception, or end at ``None``."""
        for item in items:
            if isinstance(item, bytes):
                self.sent.append(item)
            self._queue.put_nowait(item)

    def send_events(self, count: int) -> None:
        """Let the stream yield the next ``count`` events."""
        for _ in range(count):
            self.send(b'data: {"n":%d}\n\n' % len(self.sent))

    async def __aiter__(self) -> AsyncIterator[bytes]:
        self.opened += 1
        while True:
            item = await self._queue.get()
            if item is None:
                return
            if isinstance(item, Exception):
                raise item
            yield item

    async def aclose(self) -> None:
        self.closed += 1

    def fail(self, error: BaseException) -> bytes:
        return b"event: error\ndata: %s\n\n" % type(error).__name__.encode()


class Reader:
    """What a client has of a stream: its bytes, its events, the last id."""

    def __init__(self) -> None:
        self.data = b""
        self.events: list[tuple[str, str]] = []
        self.position: str | None = None
        self._parser = SSEParser()

    def take(self, data: bytes) -> None:
        """Take bytes of a response; each event's id is the one after the event before."""
        self.data += data
        for event in self._parser.feed(data):
            if event.id != self.position:
                position, before = parse_position(event.id), parse_position(self.position or event.id)
                allowed = {Position(before.epoch, before.seq + 1), Position(before.epoch + 1, 1)}
                assert self.position is None or position in allowed
            else:
                # What one follower alone is told has no id.
                assert event.event == "error"
            self.position = event.id
            self.events.append((event.event, event.data))

    def restart(self) -> None:
        """Forget an unfinished event, as a client does whose connection broke."""
        self._parser = SSEParser()

    async def read(self, body: Any, count: int | None = None) -> None:
        """Read until there are ``count`` events, or to the end."""
        self.restart()
        async for data in body:
            self.take(data)
            if count is not None and len(self.events) >= count:
                break
        await body.aclose()

    @property
    def numbers(self) -> list[str]:
        """The data of the events that are none of errors."""
        return [data for kind, data in self.events if kind == "message"]

    @property
    def errors(self) -> list[str]:
        """The data of the error events."""
        return [data for kind, data in self.events if kind == "error"]

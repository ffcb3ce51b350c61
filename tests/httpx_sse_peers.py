"""Reads events with the interface of httpx-sse, ours and theirs, over httpx and httpx2, sync and async."""

import asyncio
from collections.abc import AsyncIterator, Callable, Iterator
from types import ModuleType
from typing import Any

import httpx
import httpx2
import pytest

__all__ = (
    "EVENTS",
    "EVENT_STREAM",
    "aconnected",
    "both_libraries",
    "both_ways",
    "connected",
    "events_of",
    "fields",
    "response_of",
    "run",
)

EVENT_STREAM = {"content-type": "text/event-stream; charset=utf-8"}
EVENTS = [b"event: a\nid: 1\ndata: x\n\n", b"data: y\r\n\r\n", b"retry: 10\ndata: z\ndata\n\n", b"data: unfinished\n"]

both_libraries = pytest.mark.parametrize("library", [httpx, httpx2], ids=["httpx", "httpx2"])
both_ways = pytest.mark.parametrize("waits", [False, True], ids=["sync", "async"])


def response_of(library: ModuleType, reads: list[bytes], headers: dict[str, str] | None = None) -> Any:
    """Return a response whose body arrives as ``reads``."""

    class Body(library.SyncByteStream, library.AsyncByteStream):  # type: ignore[misc, name-defined]
        def __iter__(self) -> Iterator[bytes]:
            yield from reads

        async def __aiter__(self) -> AsyncIterator[bytes]:
            for data in reads:
                yield data

    return library.Response(200, headers=EVENT_STREAM if headers is None else headers, stream=Body())


def events_of(module: Any, response: Any, *, waits: bool = False, **options: Any) -> list[Any]:
    """Return the events that ``module``, ours or theirs, reads."""
    source = module.EventSource(response, **options)
    if not waits:
        return list(source.iter_sse())

    async def main() -> list[Any]:
        return [event async for event in source.aiter_sse()]

    return asyncio.run(main())


def fields(events: list[Any]) -> list[tuple[Any, ...]]:
    return [(event.event, event.data, event.id, event.retry) for event in events]


def connected(module: Any, client: Any, url: str, use: Callable[[Any], Any] = len, **options: Any) -> list[Any]:
    """Return the events of a POST request; ``use`` is called with them after each of them."""
    events: list[Any] = []
    with module.connect_sse(client, "POST", url, **options) as source:
        for event in source.iter_sse():
            events.append(event)
            use(events)
    return events


async def aconnected(module: Any, client: Any, url: str, use: Callable[[Any], Any] = len, **options: Any) -> list[Any]:
    events: list[Any] = []
    async with module.aconnect_sse(client, "POST", url, **options) as source:
        async for event in source.aiter_sse():
            events.append(event)
            use(events)
    return events


def run(module: Any, library: ModuleType, url: str, use: Any = len, *, waits: bool, **options: Any) -> list[Any]:
    """Do what :func:`connected` does, with a client of ``library``."""
    if not waits:
        with library.Client() as client:
            return connected(module, client, url, use, **options)

    async def main() -> list[Any]:
        async with library.AsyncClient() as client:
            return await aconnected(module, client, url, use, **options)

    return asyncio.run(main())

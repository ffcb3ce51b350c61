"""Reads streams to their ends, normal or not."""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Any

from millstream.testing import MockServer

__all__ = ("aread", "assert_closed_by_us", "at_once", "exhaust", "expire_after", "read_all", "read_into", "streamed")


def at_once(calls: Sequence[Callable[[], Any]]) -> list[Any]:
    """Return the results of ``calls``, each in a thread of its own, so that their waits overlap."""
    with ThreadPoolExecutor(len(calls)) as executor:
        return [future.result() for future in [executor.submit(call) for call in calls]]


async def read_into(items: list[Any], stream: Any) -> None:
    """Append the items of an async stream to ``items``, which keeps those before an error."""
    async for item in stream:
        items.append(item)  # noqa: PERF401


def read_all(stream: Any) -> tuple[list[Any], Exception | None]:
    """Return the items of a sync or async stream, and the exception that ended it, if there was one."""
    items: list[Any] = []
    try:
        if hasattr(stream, "__aiter__"):
            asyncio.run(read_into(items, stream))
        else:
            for item in stream:
                items.append(item)  # noqa: PERF402
    except Exception as error:
        return items, error
    return items, None


async def aread(stream: Any) -> list[Any]:
    """Return the items of an async stream."""
    return [item async for item in stream]


async def exhaust(stream: Any) -> None:
    """Read an async stream to its end."""
    async for _ in stream:
        pass


def streamed(model: Any, asynchronous: bool) -> list[Any]:
    """Return the chunks of a stream, for sync or for async code."""
    return asyncio.run(aread(model.astream("p"))) if asynchronous else list(model.stream("p"))


async def expire_after(begun: Awaitable[Any], limit: asyncio.Timeout) -> None:
    """Let a timeout expire once ``begun`` has returned, however long that takes."""
    await begun
    limit.reschedule(asyncio.get_running_loop().time())


def assert_closed_by_us(server: MockServer) -> None:
    """Check that the client has closed the one connection."""
    assert server.wait_closed(timeout=10).closed_by == "client"
    assert server.connections.open == 0

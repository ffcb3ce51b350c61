"""Reads a stream to its end, whichever that is."""

import asyncio
from typing import Any

__all__ = ("read_all", "read_into")


async def read_into(items: list[Any], stream: Any) -> None:
    """Append what an async stream yields to ``items``; what came before an error is then in there."""
    async for item in stream:
        items.append(item)  # noqa: PERF401


def read_all(stream: Any) -> tuple[list[Any], Exception | None]:
    """Return what a sync or an async stream yields, and the exception that ended it, if one did."""
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

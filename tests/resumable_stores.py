"""The stores of the tests of resumable streams; Redis where ``MILLSTREAM_REDIS_SERVER`` is its program."""

import asyncio
import os
import socket
import subprocess
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import asynccontextmanager, contextmanager
from pathlib import Path
from typing import Any

from millstream.server.resumable import MemoryStore, RedisStore, SQLiteStore, StreamStore, shut_down_streams

REDIS = os.environ.get("MILLSTREAM_REDIS_SERVER")
SHARED = ["sqlite", *(["redis"] if REDIS else [])]
STORES = ["memory", *SHARED]

Case = Callable[[StreamStore], Awaitable[None]]


@contextmanager
def redis_server(folder: Path) -> Iterator[str]:
    """Run a Redis on a free port, and yield its URL."""
    assert REDIS is not None
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    command = [REDIS, "--port", str(port), "--bind", "127.0.0.1", "--save", "", "--dir", str(folder)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as server:
        assert server.stdout is not None
        try:
            while "Ready to accept connections" not in (line := server.stdout.readline()):
                assert line, "redis-server did not start"
            yield f"redis://127.0.0.1:{port}"
        finally:
            server.kill()


@contextmanager
def place_for(kind: str, folder: Path) -> Iterator[str]:
    """Yield what names a store of a kind: to be passed to :func:`open_store`, in any process."""
    if kind == "redis":
        with redis_server(folder) as url:
            yield url
    else:
        yield f"{folder}/streams.db" if kind == "sqlite" else "memory"


def open_store(place: str, **options: Any) -> StreamStore:
    """Return a store at a place."""
    if place == "memory":
        return MemoryStore(**options)
    return RedisStore(place, **options) if place.startswith("redis:") else SQLiteStore(place, **options)


@asynccontextmanager
async def opened(place: str, **options: Any) -> AsyncIterator[StreamStore]:
    """Open a store, and close it with its streams."""
    store = open_store(place, **options)
    try:
        yield store
    finally:
        await shut_down_streams(store)
        await store.aclose()


def run(place: str, case: Case, **options: Any) -> None:
    """Run a case over the store at a place, and wait until no task is left."""

    async def main() -> None:
        async with opened(place, **options) as store:
            await case(store)
        while len(asyncio.all_tasks()) > 1:  # noqa: ASYNC110
            await asyncio.sleep(0)

    asyncio.run(main())


def until(condition: Callable[[], bool], seconds: float = 30.0) -> None:
    """Wait for a condition of another process."""
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline
        time.sleep(0.005)

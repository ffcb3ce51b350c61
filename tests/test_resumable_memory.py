"""The limits of the memory store: streams and bytes."""

import asyncio

import pytest

from millstream.server.resumable import MemoryStore, Position, StoreFullError
from millstream.server.resumable.framing import Block
from millstream.server.resumable.stores import Append


async def write(store: MemoryStore, name: str, size: int, *, end: bool, blocks: int = 1) -> None:
    epoch, _ = await store.create(name, b"", replace=True)
    for number in range(1, blocks + 1):
        await store.append([Append(name, epoch, Block(epoch, number, number, b"x" * (size // blocks)))])
    if end:
        await store.append([Append(name, epoch, None, "finished")])


async def kept(store: MemoryStore, names: str) -> str:
    found = [await store.read(name, Position(0, 0), limit=1) for name in names]
    return "".join(name for name, page in zip(names, found, strict=True) if page is not None)


def test_the_stream_that_ended_first_gives_way_to_a_new_one() -> None:
    async def case() -> None:
        store = MemoryStore(max_streams=3)
        await write(store, "a", 10, end=False)
        await write(store, "b", 10, end=True)
        await write(store, "c", 10, end=True)
        await write(store, "d", 10, end=False)
        assert await kept(store, "abcd") == "acd"
        await write(store, "e", 10, end=False)
        assert await kept(store, "abcde") == "ade"
        with pytest.raises(StoreFullError, match="too many answers are being generated: try again later"):
            await store.create("f", b"", replace=True)
        # The id of one that runs takes its place.
        await write(store, "e", 10, end=False)

    asyncio.run(case())


def test_a_stream_whose_writer_is_lost_gives_way_too() -> None:
    async def case() -> None:
        store = MemoryStore(max_streams=2, lease=0.02)
        await write(store, "a", 10, end=False)
        await asyncio.sleep(0.05)
        await write(store, "b", 10, end=False)
        await write(store, "c", 10, end=False)
        assert await kept(store, "abc") == "bc"

    asyncio.run(case())


def test_streams_that_ended_give_their_bytes_to_those_that_run() -> None:
    async def case() -> None:
        store = MemoryStore(max_size=100)
        await write(store, "a", 40, end=True)
        await write(store, "b", 40, end=True)
        await write(store, "c", 50, end=False)
        assert await kept(store, "abc") == "bc"
        await write(store, "d", 90, end=False, blocks=9)
        assert await kept(store, "abcd") == "cd"
        pages = [await store.read(name, Position(0, 0), limit=1000) for name in "cd"]
        sizes = [sum(len(block.data) for block in page.blocks) for page in pages if page is not None]
        # The largest running stream keeps its latest records.
        assert sum(sizes) <= 100
        assert sizes[0] == 50
        assert pages[1] is not None
        assert pages[1].first.seq == 4

    asyncio.run(case())


def test_the_store_is_empty_once_it_is_closed() -> None:
    async def case() -> None:
        store = MemoryStore()
        await write(store, "a", 40, end=True)
        await store.aclose()
        assert await kept(store, "a") == ""
        assert store._size == 0

    asyncio.run(case())

"""What every store of resumable streams does: one writer at a time, leases, pages, limits."""

import asyncio
from collections.abc import Awaitable, Iterator
from pathlib import Path
from typing import Any

import pytest

from millstream.server.resumable import Position, StreamStore
from millstream.server.resumable.framing import Block
from millstream.server.resumable.stores import Append, Page
from resumable_stores import STORES, place_for, run

START = Position(0, 0)


@pytest.fixture(scope="module", params=STORES)
def places(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[str, str]]:
    with place_for(request.param, tmp_path_factory.mktemp("store")) as place:
        yield request.param, place


@pytest.fixture
def place(places: tuple[str, str], tmp_path: Path) -> str:
    kind, place = places
    return f"{tmp_path}/streams.db" if kind == "sqlite" else place


def records(epoch: int, first: int, last: int, data: bytes = b"x") -> Block:
    # So large that no store joins it with another one.
    return Block(epoch, first, last, data * 5000)


async def append(
    store: StreamStore, stream_id: str, epoch: int, block: Block | None = None, status: Any = "running"
) -> str:
    (outcome,) = await store.append([Append(stream_id, epoch, block, status)])
    return outcome


async def page_of(store: StreamStore, stream_id: str, after: Position = START, **options: Any) -> Page:
    page = await store.read(stream_id, after, **{"limit": 1 << 20, **options})
    assert page is not None
    return page


def test_a_page_has_the_blocks_behind_a_position(place: str) -> None:
    async def case(store: StreamStore) -> None:
        epoch, fresh = await store.create("pages", b"meta", replace=False)
        assert fresh
        blocks = [records(epoch, 1, 3, b"a"), records(epoch, 4, 4, b"bb"), records(epoch, 5, 120, b"ccc")]
        for block in blocks:
            assert await append(store, "pages", epoch, block) == "stored"
        page = await page_of(store, "pages")
        assert page == Page(epoch, "running", b"meta", Position(epoch, 0), Position(epoch, 120), False, blocks)
        for seq, rest in ((0, 3), (2, 3), (3, 2), (4, 1), (99, 1), (120, 0), (500, 0)):
            page = await page_of(store, "pages", Position(epoch, seq))
            assert list(page.blocks) == blocks[3 - rest :]
        assert list((await page_of(store, "pages", limit=5001)).blocks) == blocks[:2]
        assert list((await page_of(store, "pages", limit=0)).blocks) == []
        assert await append(store, "pages", epoch, None, "finished") == "stored"
        assert (await page_of(store, "pages")).status == "finished"
        assert await store.read("other", Position(0, 0), limit=1) is None
        await store.delete("pages")
        assert await store.read("pages", Position(0, 0), limit=1) is None

    run(place, case)


def test_a_later_writer_fences_the_earlier_one(place: str) -> None:
    async def case(store: StreamStore) -> None:
        first, _ = await store.create("fenced", b"1", replace=True)
        await append(store, "fenced", first, records(first, 1, 1))
        assert await store.create("fenced", b"2", replace=False) == (first, False)
        second, fresh = await store.create("fenced", b"2", replace=True)
        assert fresh
        assert second > first + 1
        assert await append(store, "fenced", first, records(first, 2, 2)) == "fenced"
        assert await append(store, "fenced", first, None, "failed") == "fenced"
        page = await page_of(store, "fenced")
        assert (page.epoch, page.meta, list(page.blocks)) == (second, b"2", [])
        assert await append(store, "fenced", second, records(second, 1, 1)) == "stored"
        assert await append(store, "nobody", 1, records(1, 1, 1)) == "fenced"

    run(place, case)


def test_an_append_that_is_repeated_is_stored_once(place: str) -> None:
    async def case(store: StreamStore) -> None:
        epoch, _ = await store.create("twice", b"", replace=True)
        block = records(epoch, 1, 2, b"once")
        assert [await append(store, "twice", epoch, block) for _ in range(2)] == ["stored"] * 2
        end = records(epoch, 3, 3, b"end")
        assert [await append(store, "twice", epoch, end, "finished") for _ in range(2)] == ["stored"] * 2
        assert list((await page_of(store, "twice")).blocks) == [block, end]
        assert await append(store, "twice", epoch, records(epoch, 4, 4), "finished") == "stored"
        assert await append(store, "twice", epoch, records(epoch, 4, 4)) == "fenced"
        assert list((await page_of(store, "twice")).blocks) == [block, end]

    run(place, case)


def test_records_with_a_gap_before_them_are_refused(place: str) -> None:
    async def case(store: StreamStore) -> None:
        epoch, _ = await store.create("gap", b"", replace=True)
        assert await append(store, "gap", epoch, records(epoch, 1, 2)) == "stored"
        assert await append(store, "gap", epoch, records(epoch, 4, 5)) == "fenced"
        assert (await page_of(store, "gap")).last == Position(epoch, 2)

    run(place, case)


def test_a_writer_is_not_lost_while_its_lease_lasts(place: str) -> None:
    async def case(store: StreamStore) -> None:
        epoch, _ = await store.create("alive", b"", replace=True)
        assert await append(store, "alive", epoch, records(epoch, 1, 7)) == "stored"
        assert await append(store, "alive", epoch, records(epoch + 1, 1, 1), "lost") == "fenced"
        assert await append(store, "alive", epoch) == "stored"
        page = await page_of(store, "alive")
        assert (page.status, page.expired, page.last) == ("running", False, Position(epoch, 7))

    run(place, case, lease=600.0)


def test_a_writer_is_lost_when_its_lease_has_run_out(place: str) -> None:
    async def case(store: StreamStore) -> None:
        epoch, _ = await store.create("lost", b"", replace=True)
        end = records(epoch + 1, 1, 1, b"lost")
        await append(store, "lost", epoch, records(epoch, 1, 7))
        page = await page_of(store, "lost", Position(epoch, 7), wait=60.0)
        assert (page.status, page.expired, list(page.blocks)) == ("running", True, [])
        # As long as nobody has noticed, the writer may come back.
        assert await append(store, "lost", epoch) == "stored"
        assert (await page_of(store, "lost", Position(epoch, 7), wait=60.0)).expired
        assert await append(store, "lost", epoch, end, "lost") == "stored"
        assert await append(store, "lost", epoch, records(epoch + 1, 1, 1, b"other"), "lost") == "fenced"
        assert await append(store, "lost", epoch, records(epoch, 8, 8)) == "fenced"
        page = await page_of(store, "lost", Position(epoch, 500))
        assert (page.status, page.last, list(page.blocks)) == ("lost", Position(epoch + 1, 1), [end])
        assert page.first == Position(epoch, 0)
        assert (await store.create("lost", b"", replace=True)).epoch > epoch + 1

    run(place, case, lease=0.1)


def test_a_stop_is_an_outcome_of_the_writers_next_append(place: str) -> None:
    async def case(store: StreamStore) -> None:
        assert not await store.stop("stopped")
        epoch, _ = await store.create("stopped", b"", replace=True)
        assert await append(store, "stopped", epoch) == "stored"
        assert await store.stop("stopped")
        assert await append(store, "stopped", epoch, records(epoch, 1, 1)) == "stop"
        assert await append(store, "stopped", epoch, None, "stopped") in ("stop", "stored")
        assert not await store.stop("stopped")
        assert (await page_of(store, "stopped")).status == "stopped"

    run(place, case)


def test_a_reader_waits_for_records_for_the_end_and_for_another_writer(place: str) -> None:
    async def case(store: StreamStore) -> None:
        epoch, _ = await store.create("waits", b"", replace=True)

        async def after(seq: int, change: Awaitable[Any]) -> Page:
            waiting = asyncio.create_task(page_of(store, "waits", Position(epoch, seq), wait=60.0))
            await asyncio.sleep(0.05)
            assert not waiting.done()
            await change
            return await waiting

        block = records(epoch, 1, 1)
        assert list((await after(0, append(store, "waits", epoch, block))).blocks) == [block]
        assert (await after(1, append(store, "waits", epoch, None, "finished"))).status == "finished"
        again, _ = await store.create("waits", b"", replace=True)
        epoch = again
        page = await after(0, store.create("waits", b"", replace=True))
        assert page.epoch > again

    run(place, case)


def test_several_streams_are_appended_to_at_once(place: str) -> None:
    async def case(store: StreamStore) -> None:
        epochs = [(await store.create(f"many-{number}", b"", replace=True)).epoch for number in range(20)]
        appends = [Append(f"many-{n}", epoch, records(epoch, 1, 1, b"%d" % n)) for n, epoch in enumerate(epochs)]
        appends[7] = Append("many-7", 1, records(1, 1, 1))
        assert list(await store.append(appends)) == ["stored"] * 7 + ["fenced"] + ["stored"] * 12
        for number in range(20):
            blocks = (await page_of(store, f"many-{number}")).blocks
            assert [block.data for block in blocks] == ([b"%d" % number * 5000] if number != 7 else [])

    run(place, case)


def test_a_stream_keeps_its_latest_records(place: str) -> None:
    async def case(store: StreamStore) -> None:
        epoch, _ = await store.create("large", b"", replace=True)
        for number in range(1, 31):
            await append(store, "large", epoch, records(epoch, number, number, b"x"))
        page = await page_of(store, "large")
        assert [block.last for block in page.blocks] == list(range(21, 31))
        assert (page.first, page.last) == (Position(epoch, 20), Position(epoch, 30))
        await append(store, "large", epoch, records(epoch, 31, 31, b"yyyyyyyyyyyyy"))
        assert [block.last for block in (await page_of(store, "large")).blocks] == [31]

    run(place, case, max_stream_size=50_000)


def test_a_stream_is_dropped_some_time_after_its_end(place: str) -> None:
    async def case(store: StreamStore) -> None:
        epoch, _ = await store.create("old", b"", replace=True)
        await append(store, "old", epoch, records(epoch, 1, 1), "finished")
        while await store.read("old", Position(0, 0), limit=1) is not None:  # noqa: ASYNC110
            await asyncio.sleep(0.05)
        assert (await store.create("old", b"", replace=False)).fresh

    run(place, case, ttl=0.2, lease=0.2)

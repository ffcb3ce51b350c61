"""Resumable streams in trouble: stores that fail or hang, loops that end, writers that were thought lost."""

import asyncio
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import httpx2
import pytest
from blockbuster import blockbuster_ctx
from starlette.applications import Starlette

from millstream.server import EventStreamResponse
from millstream.server.resumable import (
    Follower,
    MemoryStore,
    Position,
    SQLiteStore,
    StoreFullError,
    StoreUnavailableError,
    StreamFinished,
    resumable,
    resumable_routes,
    resume,
    shut_down_streams,
    stop,
)
from millstream.server.resumable import generation as generation_module
from millstream.server.resumable.stores import Append, Created, Outcome, Page
from resumable_clients import Reader, Source
from serving import serve


class Troubled(MemoryStore):
    """A store whose next appends fail, before they are stored or after, or wait for a gate."""

    def __init__(self, **options: Any) -> None:
        super().__init__(flush_interval=0.0, **options)
        self.failing: list[str] = []
        self.gate = asyncio.Event()
        self.gate.set()
        self.calls = 0

    async def append(self, appends: Sequence[Append]) -> Sequence[Outcome]:
        self.calls += 1
        await self.gate.wait()
        how = self.failing.pop(0) if self.failing else ""
        if how == "before":
            raise ConnectionError("the store is away")
        outcomes = await super().append(appends)
        if how == "after":
            raise ConnectionError("the answer is lost")
        return outcomes

    async def read(self, stream_id: str, after: Position, *, limit: int, wait: float = 0.0) -> Page | None:
        if self.failing[:1] == ["read"] and limit > 0:
            self.failing.pop(0)
            raise ConnectionError("the store is away")
        return await super().read(stream_id, after, limit=limit, wait=wait)

    async def create(self, stream_id: str, meta: bytes, *, replace: bool) -> Created:
        if self.failing == ["create"]:
            raise ConnectionError("the store is away")
        return await super().create(stream_id, meta, replace=replace)


async def whole(store: Any, stream_id: str) -> Reader:
    answer = await resume(store, stream_id)
    assert isinstance(answer, Follower)
    reader = Reader()
    await reader.read(answer)
    return reader


@pytest.mark.parametrize("failing", [["before"], ["after"], ["after", "before", "after"], ["before"] * 4])
def test_records_are_stored_once_when_appends_fail_for_a_while(failing: list[str]) -> None:
    async def main() -> None:
        store, source = Troubled(), Source()
        body = await resumable(source, store, stream_id="s").start()
        reader = Reader()
        reading = asyncio.create_task(reader.read(body))
        store.failing = failing
        for _ in range(20):
            source.send_events(2)
            await asyncio.sleep(0.01)
        source.send(None)
        await reading
        assert len(reader.numbers) == 40
        assert reader.errors == []
        assert (await whole(store, "s")).events == reader.events
        await shut_down_streams(store)

    asyncio.run(main())


def test_a_store_that_is_away_for_longer_than_the_lease_ends_the_stream() -> None:
    async def main() -> None:
        store, source = Troubled(lease=0.2), Source()
        reader = Reader()
        store.failing = ["before"] * 1000
        source.send_events(3)
        await reader.read(resumable(source, store, stream_id="s"))
        assert (len(reader.numbers), reader.errors) == (3, ["StoreUnavailableError"])
        assert source.closed == 1
        assert generation_module._running == {}

    asyncio.run(main())


@pytest.mark.parametrize("lease", [60.0, 0.2])
def test_a_follower_waits_for_a_store_that_is_away_for_less_than_the_lease(lease: float) -> None:
    async def main() -> None:
        store, source = Troubled(), Source()
        body = resumable(source, store, stream_id="s")
        source.send_events(3)
        source.send(None)
        await Reader().read(body)
        store.lease = lease
        store.failing = ["read"] * (3 if lease == 60.0 else 1000)
        if lease == 60.0:
            assert len((await whole(store, "s")).numbers) == 3
        else:
            with pytest.raises(StoreUnavailableError):
                await whole(store, "s")

    asyncio.run(main())


def test_the_source_waits_for_a_store_that_hangs_and_the_client_does_not(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(generation_module, "UNSTORED_SIZE", 1000)

    async def main() -> None:
        store, source = Troubled(), Source()
        body = await resumable(source, store, stream_id="s").start()
        reader = Reader()
        store.gate.clear()
        source.send_events(200)
        source.send(None)
        reading = asyncio.create_task(reader.read(body))
        while len(reader.data) <= 1000:  # noqa: ASYNC110
            await asyncio.sleep(0)
        for _ in range(100):
            await asyncio.sleep(0)
        assert 1000 < len(reader.data) < 1100
        store.gate.set()
        await reading
        assert len(reader.numbers) == 200
        assert (await whole(store, "s")).events == reader.events

    asyncio.run(main())


def test_a_loop_that_ends_records_that(tmp_path: Path) -> None:
    sources = []

    async def leave(store: SQLiteStore) -> None:
        for number, events in enumerate((0, 3)):
            source = Source()
            source.send_events(events)
            sources.append(source)
            body = await resumable(source, store, stream_id=f"s{number}").start()
            if events:
                assert await anext(body)
        # One whose task has not begun.
        await resumable(Source(), store, stream_id="new").start()

    async def main() -> None:
        store = SQLiteStore(tmp_path / "streams.db")
        for number, events in enumerate((0, 3)):
            reader = await whole(store, f"s{number}")
            assert (len(reader.numbers), reader.errors) == (events, ["WriterShutdownError"])
        assert await resume(store, "s1", reader.position) == StreamFinished("failed")
        await store.aclose()

    store = SQLiteStore(tmp_path / "streams.db")
    asyncio.run(leave(store))
    asyncio.run(main())
    assert [source.closed for source in sources] == [1, 1]
    asyncio.run(store.aclose())


def test_a_writer_that_was_thought_lost_is_fenced() -> None:
    async def main() -> None:
        store, source = Troubled(lease=0.05), Source()
        reader = Reader()
        source.send_events(2)
        body = resumable(source, store, stream_id="s")
        reader.take(await anext(body))
        assert body.position is not None
        while True:
            page = await store.read("s", Position(0, 0), limit=1000)
            if page is not None and page.blocks:
                break
            await asyncio.sleep(0.001)
        # The writer hangs, and a follower that reads the store notices.
        store.gate.clear()
        while not page.expired:
            page = await store.read("s", body.position, limit=1000, wait=60.0)
            assert page is not None
        store.gate.set()
        store.failing = []
        other = Follower(store, "s", body._meta, Position(page.epoch, 0))
        lost = Reader()
        await lost.read(other)
        assert "the server that generated the answer was lost" in lost.errors[0]
        source.send_events(2)
        await reader.read(body)
        assert reader.errors == ["WriterFencedError"]
        assert source.closed == 1
        assert (await whole(store, "s")).events == lost.events
        assert await resume(store, "s", lost.position) == StreamFinished("lost")

    asyncio.run(main())


def test_a_store_that_has_no_room_or_is_away_opens_no_upstream() -> None:
    async def main() -> None:
        store = Troubled(max_streams=1)
        await resumable(Source(), store, stream_id="one").start()
        sources = [Source(), Source()]
        with pytest.raises(StoreFullError):
            await resumable(sources[0], store, stream_id="two").start()
        store.failing = ["create"]
        with pytest.raises(StoreUnavailableError, match="the store of answers is not available"):
            await resumable(sources[1], store, stream_id="three").start()
        assert [(source.opened, source.closed) for source in sources] == [(0, 1), (0, 1)]
        store.failing = []
        await shut_down_streams(store)

    asyncio.run(main())


def test_errors_of_the_store_and_of_ids_are_statuses() -> None:
    store = MemoryStore(max_streams=0)
    routes = resumable_routes(store, lambda request: Source())
    with serve(Starlette(routes=routes)) as url:
        full = httpx2.post(f"{url}/streams")
        assert (full.status_code, full.json()["error"]["type"]) == (503, "store_full")
        wrong = httpx2.post(f"{url}/streams/a%20b")
        assert (wrong.status_code, wrong.json()["error"]["code"]) == (400, "invalid_stream_id")
        assert httpx2.get(f"{url}/streams/a%20b").status_code == 404
        assert httpx2.delete(f"{url}/streams/a%20b").status_code == 204


def test_a_response_waits_for_the_first_chunk_and_has_a_status() -> None:
    store = MemoryStore()

    async def app(scope: Any, receive: Any, send: Any) -> None:
        source = Source()
        source.send(PermissionError("secret"))
        body = resumable(source, store, stream_id="early")
        await EventStreamResponse(body, wait_for_first_chunk=True)(scope, receive, send)

    with serve(app) as url:
        response = httpx2.get(url)
        assert (response.status_code, response.json()["error"]["type"]) == (500, "server_error")
        assert b"secret" not in response.content


@pytest.mark.parametrize("name", ["on_disconnect", "on_existing"])
def test_a_wrong_option_is_refused(name: str) -> None:
    options: dict[str, Any] = {name: "x"}
    with pytest.raises(ValueError, match=f"{name} must be '[a-z]+' or '[a-z]+', not 'x'"):
        resumable(Source(), MemoryStore(), **options)


@pytest.mark.parametrize("kind", ["memory", "sqlite"])
def test_no_store_blocks_the_event_loop(kind: str, tmp_path: Path) -> None:
    async def main() -> None:
        store: Any = MemoryStore() if kind == "memory" else SQLiteStore(tmp_path / "streams.db")
        source = Source()
        body = resumable(source, store, stream_id="s")
        source.send_events(20)
        source.send(None)
        with blockbuster_ctx():
            reader = Reader()
            await reader.read(body)
            again = await whole(store, "s")
            await stop(store, "s")
            await store.delete("s")
            await store.aclose()
        assert again.events == reader.events

    asyncio.run(main())

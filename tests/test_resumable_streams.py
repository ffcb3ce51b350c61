"""Resumable streams over every store: clients that leave and come back, errors, stops, two writers."""

import asyncio
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from millstream.server.resumable import (
    Follower,
    NotResumable,
    Position,
    StreamFinished,
    StreamStore,
    parse_position,
    resumable,
    resume,
    shut_down_streams,
    stop,
    store_lifespan,
)
from millstream.server.resumable import generation as generation_module
from millstream.testing import assert_no_leaks
from resumable_clients import Head, Reader, Source
from resumable_stores import STORES, open_store, place_for, run


@pytest.fixture(scope="module", params=STORES)
def places(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    with place_for(request.param, tmp_path_factory.mktemp("store")) as place:
        yield place


async def follow(store: StreamStore, stream_id: str, position: Any = None) -> Follower:
    answer = await resume(store, stream_id, position)
    assert isinstance(answer, Follower), answer
    return answer


async def ended(store: StreamStore, stream_id: str) -> str:
    """Wait until a stream is over, and return how it ended."""
    place = Position(0, 0)
    while True:
        page = await store.read(stream_id, place, limit=1 << 20, wait=60.0)
        assert page is not None
        if page.status != "running":
            return page.status
        place = page.last


def test_a_client_that_left_at_any_event_misses_and_doubles_none(places: str) -> None:
    async def case(store: StreamStore) -> None:
        source = Source()
        body = resumable(source, store, stream_id="left")
        readers = [Reader() for _ in range(12)]
        source.send_events(4)
        first = Reader()
        await first.read(body, 2)
        for count, reader in enumerate(readers):
            await reader.read(await follow(store, "left"), count + 1 if count < 4 else 4)
        source.send_events(8)
        source.send(None)
        for reader in [first, *readers]:
            while True:
                answer = await resume(store, "left", reader.position)
                if isinstance(answer, StreamFinished):
                    break
                assert isinstance(answer, Follower)
                # It leaves after each event.
                await reader.read(answer, len(reader.events) + 1)
            assert reader.numbers == [f'{{"n":{number}}}' for number in range(12)]
        assert answer == StreamFinished("finished")
        assert source.opened == 1
        assert await ended(store, "left") == "finished"

    run(places, case)


def test_generation_goes_on_when_the_client_leaves_and_stops_if_that_is_asked_for(places: str) -> None:
    async def case(store: StreamStore) -> None:
        kept, left = Source(), Source()
        for source in (kept, left):
            source.send_events(1)
        await Reader().read(resumable(kept, store, stream_id="kept"), 1)
        body = resumable(left, store, stream_id="given-up", on_disconnect="stop")
        await body.start()
        other = await follow(store, "given-up")
        reader = Reader()
        reader.take(await anext(other))
        await Reader().read(body, 1)
        left.send_events(1)
        await reader.read(other, 2)  # the last one to leave
        assert await ended(store, "given-up") == "stopped"
        assert (left.closed, kept.closed) == (1, 0)
        kept.send_events(2)
        kept.send(None)
        assert await ended(store, "kept") == "finished"
        await reader.read(await follow(store, "given-up", reader.position))
        assert reader.errors == ["StreamStoppedError"]

    run(places, case)


def test_followers_have_their_own_pace_and_memory_is_bounded(places: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(generation_module, "RECENT_SIZE", 2000)

    async def case(store: StreamStore) -> None:
        source = Source()
        body = resumable(source, store, stream_id="paces")
        await body.start()
        slow = [await follow(store, "paces") for _ in range(20)]
        tasks = [asyncio.create_task(Reader().read(await follow(store, "paces"))) for _ in range(20)]
        fast = Reader()
        for _ in range(10):
            source.send_events(100)
            await asyncio.sleep(0)
            # The source waits for no follower.
            await fast.read(await follow(store, "paces", fast.position), len(fast.events) + 100)
        source.send(None)
        assert await ended(store, "paces") == "finished"
        generation = slow[0]._generation
        assert generation is not None
        await generation.task
        assert generation._recent_size <= 2000 + 100 * 60
        for follower in slow:
            reader = Reader()
            await reader.read(follower)
            assert len(reader.numbers) == 1000
        await asyncio.gather(*tasks)
        await body.aclose()

    run(places, case)


def test_an_error_is_recorded_for_every_client(places: str) -> None:
    async def case(store: StreamStore) -> None:
        source = Source()
        body = resumable(source, store, stream_id="failed")
        source.send_events(1)
        source.send(ValueError("secret"))
        readers = [Reader(), Reader()]
        await readers[0].read(body)
        await readers[1].read(await follow(store, "failed"))
        for reader in readers:
            assert (reader.numbers, reader.errors) == (['{"n":0}'], ["ValueError"])
        assert await resume(store, "failed", readers[0].position) == StreamFinished("failed")

    run(places, case)


def test_an_error_before_the_first_chunk_is_raised_for_the_first_client_and_recorded(places: str) -> None:
    async def case(store: StreamStore) -> None:
        source = Source()
        body = resumable(source, store, stream_id="early")
        error = ValueError("no quota")
        source.send(error)
        with pytest.raises(ValueError, match="no quota"):
            await anext(body)
        reader = Reader()
        reader.take(body.fail(error))
        assert reader.errors == ["ValueError"]
        await body.aclose()
        again = Reader()
        await again.read(await follow(store, "early"))
        assert again.errors == ["ValueError"]

    run(places, case)


def test_what_cannot_be_resumed_is_said_and_nothing_is_generated(places: str) -> None:
    async def case(store: StreamStore) -> None:
        assert await resume(store, "never") == NotResumable("unknown")
        assert await resume(store, "not an id") == NotResumable("unknown")
        assert NotResumable("unknown").status_code == 404
        source = Source()
        body = await resumable(source, store, stream_id="large").start()
        first = body.position
        assert first is not None
        source.send_events(25)
        page = await store.read("large", first, limit=1, wait=60.0)
        assert page is not None
        source.send_events(25)
        source.send(None)
        await Reader().read(body)
        assert await resume(store, "large", f"{first}") == NotResumable("trimmed")
        assert NotResumable("trimmed").status_code == 410
        other = await resumable(Source(), store, stream_id="large").start()
        assert await resume(store, "large", f"{first}") == NotResumable("superseded")
        assert isinstance(await resume(store, "large", Head({}, {"starting_after": "0"})), Follower)
        with pytest.raises(ValueError, match="an event's id is"):
            await resume(store, "large", "x")
        await other.aclose()
        await store.delete("large")
        assert await resume(store, "large", str(other.position)) == NotResumable("unknown")

    run(places, case, max_stream_size=500)


def test_the_later_of_two_writers_wins_and_the_earlier_one_closes_its_upstream(places: str) -> None:
    async def case(store: StreamStore) -> None:
        # The other server: another store over the same place, except that memory has one process alone.
        other = store if places == "memory" else open_store(places)
        sources = [Source(), Source()]
        earlier = await resumable(sources[0], store, stream_id="two").start()
        sources[0].send_events(3)
        reader = Reader()
        reading = asyncio.create_task(reader.read(earlier))
        far = Reader()
        await far.read(await follow(other, "two"), 3)
        later = await resumable(sources[1], other, stream_id="two").start()
        sources[0].send_events(3)
        sources[1].send_events(2)
        sources[1].send(None)
        await reading
        assert reader.errors == ["WriterFencedError"]
        assert sources[0].closed == 1
        assert await ended(other, "two") == "finished"
        whole = Reader()
        await whole.read(await follow(store, "two"))
        assert whole.numbers == ['{"n":0}', '{"n":1}']
        assert await resume(store, "two", far.position) == NotResumable("superseded")
        await later.aclose()
        if other is not store:
            await shut_down_streams(other)
            await other.aclose()

    run(places, case)


def test_a_follower_of_the_earlier_writer_learns_that_it_was_replaced(places: str) -> None:
    async def case(store: StreamStore) -> None:
        if places == "memory":
            return
        other = open_store(places)
        source = Source()
        body = await resumable(source, store, stream_id="replaced").start()
        source.send_events(1)
        reader = Reader()
        reading = asyncio.create_task(reader.read(await follow(other, "replaced")))
        await ready(lambda: len(reader.events) == 1)
        await (await resumable(Source(), store, stream_id="replaced").start()).aclose()
        await reading
        assert "the answer was replaced by a newer one" in reader.errors[0]
        await body.aclose()
        await other.aclose()

    run(places, case)


async def ready(condition: Callable[[], bool]) -> None:
    while not condition():  # noqa: ASYNC110
        await asyncio.sleep(0.005)


def test_a_repeated_request_joins_the_stream_that_exists(places: str) -> None:
    async def case(store: StreamStore) -> None:
        sources = [Source(), Source(), Source()]
        bodies = [resumable(source, store, stream_id="joined", on_existing="join") for source in sources]
        for source in sources:
            source.send_events(2)
            source.send(None)
        readers = [Reader(), Reader(), Reader()]
        await asyncio.gather(*(reader.read(body) for reader, body in zip(readers, bodies, strict=True)))
        assert all(reader.numbers == ['{"n":0}', '{"n":1}'] for reader in readers)
        assert sum(source.opened for source in sources) == 1
        assert [source.closed for source in sources] == [1, 1, 1]

    run(places, case)


def test_a_stop_on_any_server_closes_the_upstream_and_is_recorded(places: str) -> None:
    async def case(store: StreamStore) -> None:
        assert not await stop(store, "never")
        other = store if places == "memory" else open_store(places)
        source = Source()
        body = resumable(source, store, stream_id="stopped")
        source.send_events(1)
        reader = Reader()
        reading = asyncio.create_task(reader.read(body))
        await ready(lambda: len(reader.events) == 1)
        assert await stop(other, "stopped")
        await reading
        assert (reader.errors, source.closed) == (["StreamStoppedError"], 1)
        assert await ended(store, "stopped") == "stopped"
        assert not await stop(other, "stopped")
        if other is not store:
            await other.aclose()

    run(places, case)


def test_a_follower_waits_for_a_stream_that_has_not_begun(places: str) -> None:
    async def case(store: StreamStore) -> None:
        following = asyncio.create_task(resume(store, "queued", wait=60.0))
        await asyncio.sleep(0)
        assert await resume(store, "queued") == NotResumable("unknown")
        source = Source()
        source.send_events(2)
        source.send(None)
        await resumable(source, store, stream_id="queued").start()
        follower = await following
        assert isinstance(follower, Follower)
        reader = Reader()
        await reader.read(follower)
        assert reader.numbers == ['{"n":0}', '{"n":1}']
        assert await resume(store, "never", wait=0.01) == NotResumable("unknown")

    run(places, case)


def test_the_lifespan_of_a_store_waits_until_the_end_of_its_streams_is_stored(places: str) -> None:
    async def case(store: StreamStore) -> None:
        own, source = open_store(places), Source()
        source.send(ValueError("x"))
        with pytest.raises(ValueError, match="x"):
            async with store_lifespan(own):
                # An error before the first chunk is raised at once.
                await Reader().read(resumable(source, own, stream_id="early"))
        assert generation_module._running == {}
        # A store in memory drops its streams when it is closed.
        if places != "memory":
            assert await ended(store, "early") == "failed"

    run(places, case)


def test_a_stream_that_was_not_started_is_closed(places: str) -> None:
    async def case(store: StreamStore) -> None:
        source = Source()
        await resumable(source, store, stream_id="unread").aclose()
        assert (source.opened, source.closed) == (0, 1)
        assert await resume(store, "unread") == NotResumable("unknown")

    run(places, case)


def test_streams_leave_nothing_behind(places: str) -> None:
    async def case(store: StreamStore) -> None:
        for number in range(3):
            source = Source()
            body = resumable(source, store, stream_id=f"leaks-{number}")
            source.send_events(3)
            source.send(*([None] if number else [ValueError("x")]))
            await Reader().read(body)
        assert parse_position(str(body.position)).seq == 3
        assert generation_module._running == {}

    run(places, case)
    with assert_no_leaks():
        run(places, case)

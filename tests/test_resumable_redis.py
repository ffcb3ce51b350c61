"""What the Redis store alone has: scripts that the server forgets, a connection for news, keys that expire."""

import asyncio
from collections.abc import Awaitable, Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from millstream.server.resumable import Follower, Position, RedisStore, resumable, resume, shut_down_streams
from millstream.server.resumable.framing import Block
from millstream.server.resumable.stores import Append
from millstream.server.resumable.stores import redis as redis_store
from resumable_clients import Reader, Source
from resumable_stores import REDIS, redis_server

pytestmark = pytest.mark.skipif(REDIS is None, reason="MILLSTREAM_REDIS_SERVER does not name a redis-server")


@pytest.fixture(scope="module")
def url(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    with redis_server(Path(tmp_path_factory.mktemp("redis"))) as url:
        yield url


def run(case: Callable[[Any], Awaitable[None]], url: str) -> None:
    async def main() -> None:
        from redis.asyncio import Redis

        client: Any = Redis.from_url(url)
        await case(client)
        assert await client.ping()
        await client.aclose()

    asyncio.run(main())


def test_a_script_that_the_server_forgot_is_loaded_again(url: str) -> None:
    async def case(client: Any) -> None:
        store = RedisStore(client)
        epoch, _ = await store.create("scripts", b"", replace=True)
        for number in range(1, 4):
            await client.script_flush()
            (outcome,) = await store.append([Append("scripts", epoch, Block(epoch, number, number, b"x"))])
            assert outcome == "stored"
        page = await store.read("scripts", Position(0, 0), limit=100)
        assert page is not None
        assert [block.last for block in page.blocks] == [1, 2, 3]
        await store.aclose()

    run(case, url)


def test_followers_outlive_the_connection_that_brings_news(url: str) -> None:
    async def case(client: Any) -> None:
        store, other = RedisStore(client), RedisStore(url)
        source = Source()
        body = await resumable(source, store, stream_id="news").start()
        answer = await resume(other, "news")
        assert isinstance(answer, Follower)
        reader = Reader()
        reading = asyncio.create_task(reader.read(answer))
        for number in range(1, 4):
            source.send_events(1)
            while len(reader.events) < number:  # noqa: ASYNC110
                await asyncio.sleep(0.001)
            await client.client_kill_filter(_type="pubsub")
        source.send(None)
        await reading
        assert len(reader.numbers) == 3
        await body.aclose()
        await other.aclose()
        await store.aclose()

    run(case, url)


def test_followers_read_on_if_the_connection_that_brings_news_hangs(url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(redis_store, "_STEP_SECONDS", 0.1)

    async def never(*channels: str) -> None:
        await asyncio.Event().wait()

    async def case(client: Any) -> None:
        store = RedisStore(client)
        epoch, _ = await store.create("hanging", b"", replace=True)
        await store._subscribe("another")
        hanging = store._pubsub
        monkeypatch.setattr(hanging, "subscribe", never)
        reading = asyncio.create_task(store.read("hanging", Position(epoch, 0), limit=100, wait=60.0))
        while store._pubsub is hanging:  # noqa: ASYNC110
            await asyncio.sleep(0.001)
        await store.append([Append("hanging", epoch, Block(epoch, 1, 1, b"x"))])
        page = await reading
        assert page is not None
        assert [block.last for block in page.blocks] == [1]
        await store._subscribe("hanging")
        assert store._pubsub not in (None, hanging)
        await store.aclose()

    run(case, url)


def test_many_followers_share_a_few_connections(url: str) -> None:
    async def case(client: Any) -> None:
        store, other = RedisStore(client), RedisStore(url, max_reads=2)
        source = Source()
        await (await resumable(source, store, stream_id="shared").start()).aclose()
        before = len(await client.client_list())
        readers = [Reader() for _ in range(50)]
        answers = await asyncio.gather(*(resume(other, "shared") for _ in readers))
        readings = [asyncio.create_task(reader.read(answer)) for reader, answer in zip(readers, answers, strict=True)]
        source.send_events(5)
        source.send(None)
        await asyncio.gather(*readings)
        assert all(len(reader.numbers) == 5 for reader in readers)
        # Two for reads, one for news; the writer has its own.
        assert len(await client.client_list()) <= before + 2 + 1 + 2
        await other.aclose()
        await shut_down_streams(store)

    run(case, url)


def test_a_stream_expires_by_itself(url: str) -> None:
    async def case(client: Any) -> None:
        store = RedisStore(client, ttl=100.0, lease=50.0, prefix="own:")
        epoch, _ = await store.create("expires", b"", replace=True)
        await store.append([Append("expires", epoch, Block(epoch, 1, 1, b"x"))])
        for key in ("own:{expires}:state", "own:{expires}:log"):
            assert 100_000 < await client.pttl(key) <= 150_000
        # A stop of a stream that is gone makes no key.
        await store.delete("expires")
        assert not await store.stop("expires")
        assert await client.keys("own:*") == []

    run(case, url)

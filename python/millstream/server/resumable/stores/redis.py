"""A store in Redis, for servers on any number of machines."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from contextlib import suppress
from typing import TYPE_CHECKING, Any

from ..framing import Block
from ..ids import Position, parse_position
from .base import (
    FLUSH_SECONDS,
    LEASE_SECONDS,
    MAX_BLOCKS,
    MAX_STREAM_SIZE,
    TTL_SECONDS,
    Append,
    Created,
    Outcome,
    Page,
    new_epoch,
    take_up_to,
)
from .redis_scripts import APPEND, CREATE, READ, STOP
from .waiting import Waiters, read_waiting

if TYPE_CHECKING:
    from redis.asyncio import Redis

__all__ = ("RedisStore",)

# What is fetched at once, of blocks that are some kilobytes each.
_BLOCKS_AT_ONCE = MAX_BLOCKS // 4
_RECONNECT_SECONDS = 0.5
# What a step on the connection for news may take. Two that reconnect it at once may wait for each other's reply.
_STEP_SECONDS = 5.0
MAX_READS = 16


class RedisStore:
    """A store in Redis 6.2 or newer, or Valkey: ``client`` is one of ``redis.asyncio``, or a URL.

    A stream is two keys, ``<prefix>{<id>}:state`` and ``:log``, which expire ``ttl`` seconds after its last record;
    it keeps its latest ``max_stream_size`` bytes. Each step is a script, so that writers never mix. The server's
    clock counts. A client that was passed is not closed by :meth:`aclose`.
    """

    def __init__(
        self,
        client: Redis | str,
        *,
        prefix: str = "millstream:",
        ttl: float = TTL_SECONDS,
        lease: float = LEASE_SECONDS,
        max_stream_size: int = MAX_STREAM_SIZE,
        flush_interval: float = FLUSH_SECONDS,
        max_reads: int = MAX_READS,
    ) -> None:
        from redis.asyncio import Redis

        self.lease, self.flush_interval = lease, flush_interval
        self._client: Any = Redis.from_url(client) if isinstance(client, str) else client
        self._owned = isinstance(client, str)
        self._prefix, self._max_stream_size = prefix, max_stream_size
        self._lease_ms, self._ttl_ms = round(lease * 1000), round(ttl * 1000)
        scripts = map(self._client.register_script, (CREATE, APPEND, READ, STOP))
        self._create, self._append, self._read, self._stop = scripts
        self._waiters = Waiters()
        self._pubsub: Any = None
        self._subscriber: asyncio.Task[None] | None = None
        self._subscribed: set[str] = set()
        self._subscribing = asyncio.Lock()
        # A client raises an exception for one connection more than its pool may have.
        self._turns = asyncio.Semaphore(max_reads)

    async def create(self, stream_id: str, meta: bytes, *, replace: bool) -> Created:
        """Begin a stream; see :meth:`StreamStore.create`."""
        arguments = (meta, int(replace), new_epoch(0), self._lease_ms, self._ttl_ms, self._channel(stream_id))
        async with self._turns:
            epoch, fresh = await self._create(self._keys(stream_id), arguments)
        return Created(int(epoch), bool(fresh))

    async def append(self, appends: Sequence[Append]) -> Sequence[Outcome]:
        """Store records in one round trip; see :meth:`StreamStore.append`."""
        from redis.exceptions import NoScriptError

        replies = await self._append_all(appends)
        if any(isinstance(reply, NoScriptError) for reply in replies):
            await self._client.script_load(APPEND)
            replies = await self._append_all(appends)
        for reply in replies:
            if isinstance(reply, Exception):
                raise reply
        return [_text(reply) for reply in replies]  # type: ignore[misc]

    async def _append_all(self, appends: Sequence[Append]) -> list[Any]:
        # A script that is called by its object asks in each pipeline whether the server knows it: another round trip.
        async with self._client.pipeline(transaction=False) as pipeline:
            for append in appends:
                block = append.block or Block(append.epoch, 0, 0, b"")
                pipeline.evalsha(
                    *(self._append.sha, 2, *self._keys(append.stream_id)),
                    *(append.epoch, append.status, *block, self._lease_ms, self._ttl_ms),
                    *(self._max_stream_size, self._channel(append.stream_id)),
                )
            replies: list[Any] = await pipeline.execute(raise_on_error=False)
        return replies

    async def read(self, stream_id: str, after: Position, *, limit: int, wait: float = 0.0) -> Page | None:
        """Return a page; see :meth:`StreamStore.read`."""

        async def read() -> Page | None:
            if wait > 0:
                await self._subscribe(stream_id)
            most = _BLOCKS_AT_ONCE if limit > 0 else 0
            async with self._turns:
                reply = await self._read(self._keys(stream_id), (str(after), most))
            return _page(reply, limit)

        return await read_waiting(self._waiters, stream_id, after, wait, read)

    async def stop(self, stream_id: str) -> bool:
        """Ask the writer to stop; see :meth:`StreamStore.stop`."""
        async with self._turns:
            return bool(await self._stop(self._keys(stream_id)))

    async def delete(self, stream_id: str) -> None:
        """Drop a stream; see :meth:`StreamStore.delete`."""
        await self._client.delete(*self._keys(stream_id))
        await self._client.publish(self._channel(stream_id), "")

    async def aclose(self) -> None:
        """Close the store's connections."""
        if self._subscriber is not None:
            self._subscriber.cancel()
            with suppress(asyncio.CancelledError):
                await self._subscriber
        self._waiters.wake_all()
        if self._owned:
            await self._client.aclose()

    def _keys(self, stream_id: str) -> tuple[str, str]:
        # What is in braces decides the node of a cluster: both keys are on the same one.
        return f"{self._prefix}{{{stream_id}}}:state", f"{self._prefix}{{{stream_id}}}:log"

    def _channel(self, stream_id: str) -> str:
        return f"{self._prefix}{stream_id}"

    async def _subscribe(self, stream_id: str) -> None:
        """Listen for the stream's news on the one connection for that; without it, followers read once a second."""
        if stream_id in self._subscribed:
            return
        try:
            async with asyncio.timeout(_STEP_SECONDS), self._subscribing:
                pubsub = self._pubsub or await self._begin_listening()
                if stream_id not in self._subscribed:
                    await pubsub.subscribe(self._channel(stream_id))
                    self._subscribed.add(stream_id)
        except TimeoutError:
            if self._subscriber is not None:
                self._subscriber.cancel()

    async def _begin_listening(self) -> Any:
        """Open the connection for news, once the one before is closed."""
        if self._subscriber is not None:
            await asyncio.wait([self._subscriber])
        pubsub = self._client.pubsub(ignore_subscribe_messages=True)
        await pubsub.subscribe(f"{self._prefix}:")  # so that there is a connection to read
        self._pubsub = pubsub
        self._subscriber = asyncio.create_task(self._listen(pubsub), name="millstream-redis-subscriber")
        return pubsub

    async def _listen(self, pubsub: Any) -> None:
        """Wake the followers of each stream that has news; once a second, leave the streams without followers."""
        from redis.exceptions import RedisError

        try:
            while True:
                async with asyncio.timeout(_STEP_SECONDS):
                    message = await pubsub.get_message(timeout=1.0)
                if message is not None:
                    self._waiters.wake(_text(message["channel"]).removeprefix(self._prefix))
                    continue
                left = [stream_id for stream_id in self._subscribed if not self._waiters.has(stream_id)]
                if left:
                    async with asyncio.timeout(_STEP_SECONDS), self._subscribing:
                        self._subscribed.difference_update(left)
                        await pubsub.unsubscribe(*map(self._channel, left))
        except (RedisError, OSError):
            # Followers read once a second all the same; the next of them subscribes again.
            self._pubsub = None
            await asyncio.sleep(_RECONNECT_SECONDS)
        finally:
            # Nobody subscribes on a connection that is closed below.
            self._pubsub = None
            self._subscribed.clear()
            self._waiters.wake_all()
            with suppress(RedisError, OSError):
                await pubsub.aclose()


def _page(reply: Any, limit: int) -> Page | None:
    if reply is None:
        return None
    epoch, status, meta, first, end, expired, entries = reply
    number = int(epoch)
    blocks = take_up_to(map(_block, entries), limit)
    state: Any = _text(status)
    return Page(
        number, state, _bytes(meta), Position(number, int(first)), parse_position(_text(end)), bool(expired), blocks
    )


def _block(entry: Any) -> Block:
    id, fields = entry
    position = parse_position(_text(id))
    return Block(position.epoch, int(fields[1]), position.seq, _bytes(fields[3]))


def _text(value: bytes | str) -> str:
    return value.decode() if isinstance(value, bytes) else value


def _bytes(value: bytes | str) -> bytes:
    return value.encode() if isinstance(value, str) else value

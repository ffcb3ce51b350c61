"""``Follower``: the records of a stream behind a position, as the body of a response."""

from __future__ import annotations

import random
from collections.abc import AsyncGenerator, Mapping
from functools import partial
from typing import Any, Self

import orjson

from ...streaming.stream import AsyncStream
from .direct import FollowingSource, PassingProcessor
from .endings import error_records
from .errors import (
    ResumableStreamError,
    StoreUnavailableError,
    StreamFailedError,
    StreamStoppedError,
    WriterFencedError,
    WriterLostError,
)
from .framing import Block, Numbering, numbering_for
from .generation import Generation
from .ids import Position
from .retries import call_until
from .stores.base import Append, Page, StreamStore

__all__ = ("Follower", "Meta", "Retry", "StreamBody")

READ_SIZE = 64 << 10
_WAIT_SECONDS = 15.0

Retry = float | tuple[float, float] | None
"""Seconds after which a browser connects again, or the least and the most of them."""


class Meta:
    """What every server needs to know of a stream's records; it is stored with them."""

    __slots__ = ("headers", "media_type", "numbering", "wire")

    def __init__(self, wire: str | None, media_type: str, headers: Mapping[str, str]) -> None:
        self.wire, self.media_type, self.headers = wire, media_type, dict(headers)
        self.numbering: type[Numbering] = numbering_for(media_type)

    @property
    def has_error_records(self) -> bool:
        """Whether an error is a record; else the connection is cut."""
        return self.wire != "text" and (self.wire is not None or self.numbering.is_sse)

    def dump(self) -> bytes:
        """Return the bytes that are stored."""
        return orjson.dumps([self.wire, self.media_type, self.headers])

    @classmethod
    def load(cls, data: bytes) -> Meta:
        """Return what :meth:`dump` wrote."""
        return cls(*orjson.loads(data))


class StreamBody(AsyncStream[bytes]):
    """Records of a resumable stream, with the attributes that :class:`EventStreamResponse` needs."""

    __slots__ = ("_meta", "position", "stream_id")

    def __init__(self, outputs: AsyncGenerator[bytes, None], stream_id: str, meta: Meta) -> None:
        super().__init__(outputs)
        self.stream_id = stream_id
        self._meta = meta
        self.position: Position | None = None
        """The position behind the records so far; ``None`` until the stream is started."""

    @property
    def wire(self) -> str | None:
        """The name of the wire; ``None`` if there is none."""
        return self._meta.wire

    @property
    def media_type(self) -> str:
        """The content type."""
        return self._meta.media_type

    @property
    def headers(self) -> Mapping[str, str]:
        """The other headers: those of the wire, the stream's id, and its epoch once the stream is started."""
        own = {"Millstream-Stream-Id": self.stream_id}
        if self.position is not None:
            own["Millstream-Stream-Epoch"] = str(self.position.epoch)
        return {**self._meta.headers, **own}

    @property
    def ping(self) -> bytes:
        """Bytes that keep a silent connection alive.

        A comment has no blank line after it: the readers of OpenAI's SDKs and of httpx-sse would take that for an
        event without data, once a record has had an id.
        """
        if self._meta.numbering.is_sse:
            return b": keep-alive\n"
        return b"\n" if "json" in self._meta.media_type else b""


class Follower(StreamBody):
    """The records of a stream behind a position, and then those that come, up to the end.

    Each follower has its own pace: the latest records are read in the process that generates the stream, all others
    from the store, at most 64 KiB at once. :meth:`aclose` leaves the stream, which goes on.
    """

    __slots__ = ("_entered", "_generation", "_greeting", "_raises", "_store")

    def __init__(
        self,
        store: StreamStore,
        stream_id: str,
        meta: Meta,
        position: Position | None,
        generation: Generation | None = None,
        *,
        greeting: bytes = b"",
        raises: bool = False,
    ) -> None:
        super().__init__(self._follow(), stream_id, meta)
        self._store, self.position = store, position
        self._greeting, self._raises = greeting, raises
        self._generation, self._entered = generation, False

    async def aclose(self) -> None:
        """Leave the stream."""
        await super().aclose()
        self.leave()

    def is_preface(self, records: bytes) -> bool:
        """Return whether ``records``, the latest ones, precede the answer's first chunk."""
        generation, position = self._generation, self.position
        return generation is not None and position is not None and position.seq <= generation.last_of_preface

    def fail(self, error: BaseException) -> bytes:
        """Return the records of an error that ended this response.

        They are the stored ones where the stream ended with the error, and none where this server alone ends: the
        client finds the rest of the stream on another one.
        """
        generation = self._generation
        if self.position is not None and generation is not None and error is generation.error:
            found = generation.read(self._place().seq, 1 << 62)
            return b"" if found is None else found[0]
        if getattr(getattr(error, "public_error", None), "type", None) == "server_shutdown":
            return b""
        return error_records(self.wire, self.media_type, error)

    def _open_parts(self) -> tuple[FollowingSource, PassingProcessor] | None:
        """Return the follower as a source and a processor, for what sends records without a generator between."""
        greeting, self._greeting = self._greeting, b""
        return FollowingSource(self), PassingProcessor(greeting)

    async def start(self) -> Self:
        """Begin the stream, if that is not done; it is with the first record at the latest."""
        return self

    async def _follow(self) -> AsyncGenerator[bytes, None]:
        try:
            await self.start()
            self.enter()
            greeting, self._greeting = self._greeting, b""
            if greeting.endswith(b"\n\n"):
                yield greeting
                greeting = b""
            is_over = False
            while not is_over:
                data, is_over = await self.read_next()
                if data:
                    yield greeting + data if greeting else data
                    greeting = b""
        finally:
            self.leave()

    async def read_next(self) -> tuple[bytes, bool]:
        """Return the next records, and whether they are the last; wait if there are none."""
        place, generation = self._place(), self._generation
        while generation is not None and (found := generation.read(place.seq, READ_SIZE)) is not None:
            if generation.failed_early and self._raises and generation.error is not None:
                # Nothing but the preface was sent: the error can become a status.
                self._raises = False
                raise generation.error
            data, seq = found
            if data:
                self.position = Position(place.epoch, seq)
                return data, False
            if generation.ended:
                if generation.error is not None and not self._meta.has_error_records:
                    raise generation.error
                return b"", True
            await generation.wait()
        return await self._read(await self._read_page(place))

    async def _read_page(self, place: Position) -> Page | None:
        """Read the store, again and again while it fails and a lease lasts: its writer does the same."""
        read = partial(self._store.read, self.stream_id, place, limit=READ_SIZE, wait=_WAIT_SECONDS)
        try:
            return await call_until(read, self._store.lease)
        except Exception as error:
            raise StoreUnavailableError from error

    async def _read(self, page: Page | None) -> tuple[bytes, bool]:
        """Return the records of a page, and whether they are the last."""
        place = self._place()
        if page is None:
            return self._own_end(ResumableStreamError("the answer is no longer stored"))
        if page.epoch not in (place.epoch, place.epoch - 1):
            return self._own_end(WriterFencedError("the answer was replaced by a newer one"))
        if place < page.first:
            return self._own_end(ResumableStreamError("records that were not sent yet are no longer stored"))
        if page.blocks:
            return b"".join(map(self._take, page.blocks)), False
        if page.expired:
            await declare_lost(self._store, self.stream_id, page)
            return b"", False
        if page.status != "running":
            if page.status != "finished" and not self._meta.has_error_records:
                raise StreamStoppedError if page.status == "stopped" else StreamFailedError
            return b"", True
        return b"", False

    def _take(self, block: Block) -> bytes:
        place = self._place()
        self.position = block.end
        if block.epoch == place.epoch and block.first <= place.seq:
            return self._meta.numbering.cut(block, place.seq)
        return block.data

    def note(self, block: Block) -> None:
        """Take note of a block that was sent."""
        self.position = block.end

    def _own_end(self, error: ResumableStreamError) -> tuple[bytes, bool]:
        """Return the records of an end that is this follower's alone: they have no id."""
        if not self._meta.has_error_records:
            raise error
        return error_records(self.wire, self.media_type, error, self._place().seq), True

    def _place(self) -> Position:
        assert self.position is not None
        return self.position

    def enter(self) -> Generation | None:
        """Count as a follower of the generation, and return it, if it runs here."""
        if self._generation is not None and not self._entered:
            self._entered = True
            self._generation.join()
        return self._generation

    def leave(self) -> None:
        """Count no longer."""
        if self._entered and self._generation is not None:
            self._entered = False
            self._generation.leave()


async def declare_lost(store: StreamStore, stream_id: str, page: Page) -> None:
    """Record that a stream's writer is lost; of several followers that do so, the first one does it."""
    meta = Meta.load(page.meta)
    numbering: Any = meta.numbering(page.epoch + 1)
    block = numbering.add(error_records(meta.wire, meta.media_type, WriterLostError(), page.last.seq))
    await store.append([Append(stream_id, page.epoch, block or numbering.close(), "lost")])


def greeting_of(meta: Meta, position: Position, retry: Retry, *, whole: bool) -> bytes:
    """Return what precedes the first record: how soon to connect again, and the id of the position.

    It is ``whole`` if it ends with a blank line and may be sent before there is a record. On OpenAI's wires it never
    does: their readers take it for an event without data.
    """
    if not meta.numbering.is_sse:
        return b""
    lines = b""
    if retry is not None:
        seconds = random.uniform(*retry) if isinstance(retry, tuple) else retry
        lines = b"retry: %d\n" % round(seconds * 1000)
    if whole and not (meta.wire or "").startswith("openai."):
        return lines + f"id: {position}\n\n".encode()
    return lines

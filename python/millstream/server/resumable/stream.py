"""Streams that a client can take up again: ``resumable``, ``resume``, ``stop`` and ``shut_down_streams``."""

from __future__ import annotations

import asyncio
import re
import uuid
from collections.abc import AsyncIterable, Coroutine
from dataclasses import dataclass
from typing import Any, ClassVar, Literal, Self, TypeVar

from ...streaming.inputs import aclose_iterator
from ...wires.names import Wire
from ..bodies import as_body
from .errors import (
    InvalidStreamIdError,
    ResumableStreamError,
    StoreUnavailableError,
    StreamStoppedError,
    WriterFencedError,
    WriterShutdownError,
)
from .follower import Follower, Meta, Retry, greeting_of
from .generation import Generation, OnDisconnect, running_generation, running_generations
from .ids import Position, RequestedPosition, RequestHead, requested_position
from .stores.base import Created, Page, Status, StreamStore

__all__ = (
    "NotResumable",
    "ResumableStream",
    "StreamFinished",
    "check_stream_id",
    "make_stream_id",
    "resumable",
    "resume",
    "shut_down_streams",
    "stop",
)

OnExisting = Literal["replace", "join"]

Answer = TypeVar("Answer")

# How often a follower looks whether its stream has begun.
BEGINNING_SECONDS = 0.1

_STREAM_ID = re.compile(r"[A-Za-z0-9._~-]{1,128}", re.ASCII)


@dataclass(frozen=True, slots=True)
class StreamFinished:
    """The stream is over, and the client has all of it: a 204, after which no browser connects again."""

    status: Status


@dataclass(frozen=True, slots=True)
class NotResumable:
    """The stream cannot be continued at the client's position, and nothing is generated in its place.

    ``reason`` is ``unknown`` (it never existed, or expired), ``superseded`` (the position belongs to another answer
    under the same id) or ``trimmed`` (records behind the position are no longer stored).
    """

    reason: Literal["unknown", "superseded", "trimmed"]

    _MESSAGES: ClassVar[dict[str, str]] = {
        "unknown": "there is no such stream, or it has expired",
        "superseded": "the stream was replaced by a newer one",
        "trimmed": "records after this position are no longer stored",
    }

    @property
    def message(self) -> str:
        """The reason in words."""
        return self._MESSAGES[self.reason]

    @property
    def status_code(self) -> int:
        """The status of a response: 404 for an unknown stream, else 410."""
        return 404 if self.reason == "unknown" else 410


class ResumableStream(Follower):
    """A stream that is being generated, as its first client reads it; see :func:`resumable`."""

    __slots__ = ("_on_disconnect", "_on_existing", "_source")

    def __init__(
        self, source: Any, store: StreamStore, stream_id: str, on_disconnect: OnDisconnect, on_existing: OnExisting
    ) -> None:
        meta = Meta(source.wire, source.media_type, source.headers)
        super().__init__(store, stream_id, meta, None, raises=True)
        self._source, self._on_disconnect, self._on_existing = source, on_disconnect, on_existing

    async def start(self) -> Self:
        """Register the stream in the store, and begin to generate it; it does so with its first step at the latest.

        After that :attr:`headers` has the epoch, and an error of the store has been raised.
        """
        if self.position is None:
            try:
                created, page = await self._create()
            except BaseException:
                await aclose_iterator(self._source)
                raise
            self.position = Position(created.epoch, 0)
            if page is None:
                await self._generate(created.epoch)
            else:
                await aclose_iterator(self._source)
                self._meta = Meta.load(page.meta)
                self._generation = _generation_of(self._store, self.stream_id, created.epoch)
                self.enter()
        return self

    async def aclose(self) -> None:
        """Leave the stream; what was not started is closed."""
        await super().aclose()
        if self.position is None:
            await aclose_iterator(self._source)

    async def _create(self) -> tuple[Created, Page | None]:
        while True:
            replace = self._on_existing == "replace"
            creating = self._store.create(self.stream_id, self._meta.dump(), replace=replace)
            created = await _available(creating)
            if created.fresh:
                return created, None
            page = await _available(self._store.read(self.stream_id, Position(created.epoch, 0), limit=0))
            if page is not None and page.epoch == created.epoch:
                return created, page

    async def _generate(self, epoch: int) -> None:
        before = running_generation(self._store, self.stream_id)
        numbering = self._meta.numbering(epoch)
        generation = Generation(self._source, self._store, self.stream_id, numbering, epoch, self._on_disconnect)
        self._generation = generation
        self.enter()
        if before is not None:
            before.interrupt(WriterFencedError())


def resumable(
    stream: AsyncIterable[Any],
    store: StreamStore,
    *,
    stream_id: str | None = None,
    wire: Wire | None = None,
    on_disconnect: OnDisconnect = "continue",
    on_existing: OnExisting = "replace",
    retry: Retry = None,
    include_input: bool = False,
) -> ResumableStream:
    """Return ``stream`` as the body of a response that a client can take up again after its connection broke.

    The stream is read in a task of its own, numbered and kept in ``store``; :func:`resume` continues it on any server
    that shares the store. Each server-sent event gets an ``id``, ``<epoch>-<seq>``; on other wires a client counts:
    the lines of ``ndjson``, the bytes of ``text``.

    ``stream``
        what :class:`~millstream.server.EventStreamResponse` takes: ``astream_records(…, wire=…)``, chunks with
        ``wire``, or any async iterator of server-sent events.
    ``stream_id``
        the name for :func:`resume` and :func:`stop`: up to 128 letters, digits and ``.``, ``_``, ``~``, ``-``; by
        default a random one. Whoever knows it can read the stream: check in your routes whose it is.
    ``on_disconnect``
        when the client leaves and no other one follows here: ``"continue"`` generates on, ``"stop"`` closes the
        upstream.
    ``on_existing``
        for an id that is in use: ``"replace"`` fences the other writer and drops its records; ``"join"`` closes
        ``stream`` unread and follows the one that exists, so that a repeated request costs nothing.
    ``retry``
        seconds after which browsers connect again; a pair is a range, of which each client gets a random point.
    ``include_input``
        store and send inputs and metadata too, on the ``langchain.*`` wires.

    An error of the stream is recorded as the wire's error record. If it comes before the first chunk, the first
    client's body raises it, so that ``wait_for_first_chunk`` makes a status of it. ::

        @app.post("/chat/{stream_id}")
        async def chat(stream_id: str, prompt: str) -> EventStreamResponse:
            records = model.astream_records(prompt, wire="vercel.ui")
            return EventStreamResponse(resumable(records, store, stream_id=stream_id))
    """
    if on_disconnect not in ("continue", "stop"):
        raise ValueError(f"on_disconnect must be 'continue' or 'stop', not {on_disconnect!r}")
    if on_existing not in ("replace", "join"):
        raise ValueError(f"on_existing must be 'replace' or 'join', not {on_existing!r}")
    name = make_stream_id() if stream_id is None else check_stream_id(stream_id)
    source = as_body(stream, wire, include_input=include_input)
    body = ResumableStream(source, store, name, on_disconnect, on_existing)
    body._greeting = greeting_of(body._meta, Position(0, 0), retry, whole=False)
    return body


async def resume(
    store: StreamStore,
    stream_id: str,
    position: RequestHead | str | Position | None = None,
    *,
    retry: Retry = None,
    wait: float = 0.0,
) -> Follower | StreamFinished | NotResumable:
    """Return the records behind ``position``, and then those that come; or why there are none.

    ``position`` is a request, of which the header ``Last-Event-ID``, ``?last_event_id=`` and ``?starting_after=`` are
    read, or what one of them would have: an event's id, or a number alone, which is ``openai.responses``'s
    ``sequence_number``, and elsewhere the count of events, lines or bytes. Without a position the stream is sent from
    its beginning. A malformed one raises :class:`InvalidPositionError`.

    A stream that another process is about to begin, from a queue of tasks say, may begin within ``wait`` seconds.

    A :class:`Follower` is the body of a response. Its first frame is an event without data that has the id of the
    position. It may be resumed again, by any number of clients.
    """
    requested = requested_position(position)
    if _STREAM_ID.fullmatch(stream_id) is None:
        return NotResumable("unknown")
    page = await _first_page(store, stream_id, wait)
    if page is None:
        return NotResumable("unknown")
    meta = Meta.load(page.meta)
    place = _place_in(page, meta, requested)
    if place is None:
        return NotResumable("superseded")
    if place < page.first:
        return NotResumable("trimmed")
    knows_end = page.status == "finished" or (page.status != "running" and meta.has_error_records)
    if knows_end and place >= page.last:
        return StreamFinished(page.status)
    generation = _generation_of(store, stream_id, page.epoch)
    greeting = greeting_of(meta, place, retry, whole=True)
    return Follower(store, stream_id, meta, place, generation, greeting=greeting)


async def _first_page(store: StreamStore, stream_id: str, wait: float) -> Page | None:
    """Return the page at the beginning of a stream; ``None`` if it does not begin within ``wait`` seconds."""
    loop = asyncio.get_running_loop()
    until = loop.time() + wait
    while True:
        page = await _available(store.read(stream_id, Position(0, 0), limit=0))
        left = until - loop.time()
        if page is not None or left <= 0:
            return page
        await asyncio.sleep(min(BEGINNING_SECONDS, left))


async def stop(store: StreamStore, stream_id: str) -> bool:
    """Stop the generation of a stream, on whatever server it runs; return whether it was running.

    Its upstream is closed and its end recorded: followers get an error record of type ``stopped``. On another server
    that takes up to a second.
    """
    if _STREAM_ID.fullmatch(stream_id) is None:
        return False
    generation = running_generation(store, stream_id)
    if generation is None:
        return await _available(store.stop(stream_id))
    generation.interrupt(StreamStoppedError())
    await asyncio.wait([generation.task])
    return isinstance(generation.error, StreamStoppedError)


async def shut_down_streams(store: StreamStore, *, grace: float = 0.0) -> None:
    """End the streams that this event loop generates, after ``grace`` seconds in which they may end by themselves.

    Their ends are recorded: followers get an error record of type ``server_shutdown``. Call it before the store is
    closed. A loop that ends without it does the same, if the store is still open then.
    """
    generations = running_generations(store)
    tasks = [generation.task for generation in generations]
    if tasks and grace > 0:
        await asyncio.wait(tasks, timeout=grace)
    for generation in generations:
        generation.interrupt(WriterShutdownError())
    if tasks:
        await asyncio.wait(tasks)


def make_stream_id() -> str:
    """Return a new id, which cannot be guessed."""
    return uuid.uuid4().hex


def check_stream_id(stream_id: str) -> str:
    """Return ``stream_id``; :class:`InvalidStreamIdError` if it is not one."""
    if _STREAM_ID.fullmatch(stream_id) is None:
        raise InvalidStreamIdError
    return stream_id


async def _available(answer: Coroutine[Any, Any, Answer]) -> Answer:
    """Return the answer of a store; :class:`StoreUnavailableError` if it raises what is none of our errors."""
    try:
        return await answer
    except ResumableStreamError:
        raise
    except Exception as error:
        raise StoreUnavailableError from error


def _place_in(page: Page, meta: Meta, requested: RequestedPosition | None) -> Position | None:
    """Return the position in this generation that a client has; ``None`` if its position is one of another."""
    if requested is None:
        return Position(page.epoch, 0)
    if requested.epoch is None:
        return Position(page.epoch, requested.seq + (meta.wire == "openai.responses"))
    # The records of a lost writer's end have the next epoch.
    if requested.epoch == page.epoch or (page.status == "lost" and requested.epoch == page.epoch + 1):
        return Position(requested.epoch, requested.seq)
    return None


def _generation_of(store: StreamStore, stream_id: str, epoch: int) -> Generation | None:
    generation = running_generation(store, stream_id)
    return generation if generation is not None and generation.epoch == epoch else None

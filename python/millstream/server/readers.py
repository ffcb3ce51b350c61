"""Readers of a stream's pieces whose wait for the next one can end early: for keep-alive bytes, and to look around."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterable, Iterator, Sequence
from functools import partial

from ..streaming.channel import Channel
from ..streaming.inputs import aclose_iterator, close_iterator
from ..streaming.workers import TaskBody, ThreadBody, pump

__all__ = ("AsyncReader", "PlainReader", "Reader", "ThreadReader", "awaits_chunk")


def awaits_chunk(body: object, begun: Sequence[bytes]) -> bool:
    """Return whether the records of the first chunk are not among those that a body has begun with."""
    if not begun:
        return True
    is_preface = getattr(body, "is_preface", None)
    return is_preface is not None and is_preface(begun[-1])


class PlainReader:
    """Reads a sync stream in the thread that calls it, where each wait is as long as the stream's."""

    __slots__ = ("_content", "_pieces")

    def __init__(self, content: Iterable[bytes]) -> None:
        self._content = content
        self._pieces = iter(content)

    def wait(self, seconds: float) -> bool:
        """Return ``True``: :meth:`read` waits."""
        return True

    def read(self) -> bytes:
        """Return the next piece; :class:`StopIteration` is raised at the end."""
        return next(self._pieces)

    def close(self) -> None:
        """Close the stream."""
        close_iterator(self._pieces)
        close_iterator(self._content)


class ThreadReader:
    """Reads a sync stream in its own thread, with the context variables of the code that makes the reader."""

    __slots__ = ("_body", "_channel", "_content", "_has_started")

    def __init__(self, content: Iterable[bytes]) -> None:
        self._channel = Channel()
        self._body = ThreadBody(partial(_iterate_steps, content), self._channel)
        self._content: Iterable[bytes] | None = content
        self._has_started = False

    def wait(self, seconds: float) -> bool:
        """Wait for a piece or the end, at most ``seconds``; return whether :meth:`read` returns at once."""
        self._start()
        return self._channel.wait_readable(seconds)

    def read(self) -> bytes:
        """Return the pieces that have arrived; :class:`StopIteration` is raised at the end."""
        self._start()
        pieces = next(self._body)
        return pieces[0] if len(pieces) == 1 else b"".join(pieces)

    def close(self) -> None:
        """Close the stream. A connection of ours is closed at once, other code after the step that runs."""
        self._body.close()
        content, self._content = self._content, None
        if not self._has_started:
            close_iterator(content)

    def _start(self) -> None:
        if not self._has_started:
            self._has_started = True
            self._body.start()


Reader = PlainReader | ThreadReader


class AsyncReader:
    """Reads an async stream in its own task."""

    __slots__ = ("_body", "_channel", "_content", "_has_started")

    def __init__(self, content: AsyncIterator[bytes]) -> None:
        self._channel = Channel()
        self._body = TaskBody(partial(pump, content, self._channel, lambda piece: None), self._channel)
        self._content: AsyncIterator[bytes] | None = content
        self._has_started = False

    async def wait(self, seconds: float) -> bool:
        """Wait for a piece or the end, at most ``seconds``; return whether :meth:`read` returns at once."""
        self._start()
        return await self._channel.await_readable(seconds)

    async def read(self) -> bytes | None:
        """Return the pieces that have arrived; ``None`` at the end."""
        self._start()
        for pieces in await self._body.read():
            return pieces[0] if len(pieces) == 1 else b"".join(pieces)
        return None

    async def aclose(self) -> None:
        """Close the stream."""
        await self._body.aclose()
        content, self._content = self._content, None
        if not self._has_started:
            await aclose_iterator(content)

    def _start(self) -> None:
        if not self._has_started:
            self._has_started = True
            self._body.start()


def _iterate_steps(content: Iterable[bytes]) -> Iterator[tuple[bytes]]:
    pieces = iter(content)
    try:
        for piece in pieces:
            yield (piece,)
    finally:
        close_iterator(pieces)
        close_iterator(content)

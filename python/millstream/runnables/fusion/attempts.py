"""Retries and fallbacks of what opens a connection of ours: other attempts under the one generator that reads it.

A stream with retries or fallbacks is read as the stream of its last attempt is, once that has an output: the source
has read each attempt so far (:func:`~millstream.streaming.drive.begin`), and hands the body and the outputs to the
driver. So a chunk costs what it costs without them. Where handlers are notified, the attempts' runs have to be, and
``retry.py`` and ``fallbacks.py`` run the attempts step by step.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import Any

from ...streaming.drive import abegin, begin
from ...streaming.protocols import Processor, ProcessorAround, Source
from ..attempts import Attempts, acall_attempts, call_attempts

__all__ = ("AttemptedEvents", "AttemptedStream", "NoBody")

Begin = Callable[[], tuple[Source, Processor[Any]]]
"""Returns the source and the processor of the next attempt; the processor has started."""


class AttemptedStream(ProcessorAround[Any]):
    """The source and the processor of a stream that has attempts: those of the last attempt, once it has begun.

    An attempt fails if its source cannot be opened, its body breaks off, or its processor ends with an error, before
    there is an output.
    """

    __slots__ = ("_attempts", "_begin", "_begun", "_inner", "_is_over")

    def __init__(self, attempts: Attempts, begin: Begin) -> None:
        self._attempts = attempts
        self._begin: Begin | None = begin
        self._inner: Any = None
        self._begun: Sequence[Any] = ()
        self._is_over = False

    # The source.

    def open(self) -> Any:
        """Return the body of the first attempt that does not fail."""
        return call_attempts(self._attempts, self._open_next)

    async def aopen(self) -> Any:
        """Return the body of the first attempt that does not fail."""
        return await acall_attempts(self._attempts, self._aopen_next)

    def _open_next(self) -> Any:
        source = self._start_next()
        try:
            body, outputs = begin(source, self._inner)
            try:
                self._settle(outputs)
            except BaseException:
                body.close()
                raise
            return body
        except BaseException:
            self._inner.release()
            raise
        finally:
            del source

    async def _aopen_next(self) -> Any:
        source = self._start_next()
        try:
            body, outputs = await abegin(source, self._inner)
            try:
                self._settle(outputs)
            except BaseException:
                await body.aclose()
                raise
            return body
        except BaseException:
            self._inner.release()
            raise
        finally:
            del source

    def _start_next(self) -> Source:
        assert self._begin is not None
        source, self._inner = self._begin()
        return source

    def _settle(self, outputs: Sequence[Any]) -> None:
        """Take the first outputs of an attempt; raise the error of one that has ended without any."""
        inner = self._inner
        self._is_over = not outputs
        if self._is_over:
            outputs = inner.close()
        self._begun = outputs
        if self._is_over and not outputs and inner.error is not None:
            raise inner.error
        self._begin = None

    # The processor.

    def opened(self, body: object) -> Sequence[Any]:
        """Return the outputs so far."""
        begun, self._begun = self._begun, ()
        return begun

    @property
    def feed(self) -> Callable[[Any], Sequence[Any]]:
        """The last attempt's own function."""
        feed: Callable[[Any], Sequence[Any]] = self._inner.feed
        return feed

    @property
    def done(self) -> Any:
        """Empty while the last attempt goes on."""
        return (True,) if self._is_over or self._inner.error is not None else self._inner.done

    def early_disconnect(self) -> None:
        """Return ``None``: there are no other attempts once there is an output."""
        return None

    def close(self) -> Sequence[Any]:
        """Return the last outputs."""
        return () if self._is_over else self._inner.close()

    @property
    def error(self) -> BaseException | None:
        """The exception to raise after :meth:`close`."""
        error: BaseException | None = self._inner.error
        return error

    def release(self) -> None:
        """Drop exceptions, and what would make another attempt."""
        self._begin = None
        if self._inner is not None:
            self._inner.release()


class AttemptedEvents(AttemptedStream):
    """The events of a stream that has attempts, where each attempt is a run of its own.

    The processor of an attempt has the event of its start, which does not count as an output of the attempt.
    """

    __slots__ = ("_first", "_starts")

    def __init__(self, attempts: Attempts, begin: Begin) -> None:
        super().__init__(attempts, begin)
        self._first: Source | None = None
        self._starts: list[Any] = []

    def start(self) -> Sequence[Any]:
        """Return the event of the first attempt's start."""
        self._first = super()._start_next()
        starts: Sequence[Any] = self._inner.start()
        return starts

    def _start_next(self) -> Source:
        source, self._first = self._first, None
        if source is None:
            source = super()._start_next()
            self._starts += self._inner.start()
        return source

    def opened(self, body: object) -> Sequence[Any]:
        """Return the events so far: those of the starts of the other attempts come first."""
        starts, self._starts = self._starts, []
        return [*starts, *super().opened(body)]


class NoBody:
    """The body of a source that could not be opened, for sync code and for async code: it has no items."""

    def __iter__(self) -> Iterator[Any]:
        return iter(())

    async def read(self) -> Sequence[Any]:
        """Return nothing, which is the end."""
        return ()

    def drain(self) -> None:
        """Do nothing."""

    async def adrain(self) -> None:
        """Do nothing."""

    def close(self) -> None:
        """Do nothing."""

    async def aclose(self) -> None:
        """Do nothing."""

"""The streams we hand out, and the two short drivers behind them.

A *source* opens a body and a *part* turns what the body yields into what the consumer wants: text,
stream events, records. Parts are synchronous, so sync and async share everything but the loop, and
a whole chain of parts is one generator straight over the connection: leaving it closes the
connection within that statement (sync) or within a turn of the loop (async).
"""

from collections.abc import AsyncGenerator, Callable, Generator, Iterator, Sequence, Sized
from types import TracebackType
from typing import Any, Generic, NoReturn, Protocol, Self, TypeVar

from .._beginnings import abegin_again, begin_again
from ..errors import APIConnectionError, StreamError

__all__ = (
    *("AsyncBody", "AsyncStream", "Body", "Part", "RefusedStream", "Source", "Stream"),
    *("adrive", "drive", "refusing"),
)

Out = TypeVar("Out")
Out_co = TypeVar("Out_co", covariant=True)


class Body(Protocol):
    """What a source opens: raw items, each one network read or one chunk of a user's generator."""

    def __iter__(self) -> Iterator[Any]:
        """Read."""

    def drain(self) -> None:
        """Read on to the end, briefly, after the part is done."""

    def close(self) -> None:
        """Let go, at once."""


class AsyncBody(Protocol):
    """:class:`Body` for async code, which waits for many raw items at once where many are there."""

    async def read(self) -> Sequence[Any]:
        """Wait until there is something, and return all that is there; what is empty is the end."""

    async def adrain(self) -> None:
        """Read on to the end, briefly, after the part is done."""

    async def aclose(self) -> None:
        """Let go, at once."""


class Source(Protocol):
    """Where a stream's raw items come from."""

    def open(self) -> Body:
        """Begin: send the request, call the user's generator."""

    async def aopen(self) -> AsyncBody:
        """:meth:`open` for async code."""


class Part(Protocol[Out_co]):
    """Turns raw items into outputs.

    ``begin`` runs before the source is opened, ``feed`` takes each raw item, ``finish`` runs once at
    the end. None of them raises for the stream's own errors: what was right is handed out first,
    then the driver raises ``failure``.
    """

    @property
    def feed(self) -> Callable[[Any], Sequence[Out_co]]:
        """Return what one raw item brings; asked for once, so that a step costs one call."""

    @property
    def over(self) -> Sized:
        """Return what is empty until nothing more can come out; asked for once, looked at after every item."""

    @property
    def failure(self) -> BaseException | None:
        """Return the exception to raise after ``finish``."""

    def begin(self) -> Sequence[Out_co]:
        """Return what comes out before the source is opened."""

    def opened(self, body: Any) -> None:
        """Take note of the body that was opened, before its first item; a second one takes the first one's place."""

    def idle(self) -> bool:
        """Take note of an item that brought nothing; ``True`` (and a ``failure``) if that has gone on for too long."""

    def lost(self, error: Exception) -> None:
        """Take note that the body broke off; ``finish`` decides whether that is a ``failure``."""

    def cut(self) -> StreamError | None:
        """Return how the body broke off before anything came of it, where another may do better.

        Nothing else is fed then: :meth:`finish` is next, or :meth:`opened` with the body that the source's
        ``reopen(error)`` (``areopen`` for async code) returned.
        """

    def finish(self) -> Sequence[Out_co]:
        """Return what the end brings, and set ``failure`` where the stream did not end well."""

    def broken(self, error: BaseException) -> None:
        """Take note that the stream is over by ``error``: an exception that goes up, or the consumer's leaving."""


def drive(source: Source, part: Part[Out]) -> Generator[Out, None, None]:
    """Run ``part`` over ``source``, for sync code."""
    opener: Any = source
    del source
    body: Any = None
    over: Any = None
    try:
        yield from part.begin()
        body = opener.open()
        try:
            again = body
            while again is not None:
                body, again = again, None
                part.opened(body)
                over = part.over
                try:
                    for outputs in map(part.feed, body):
                        # Most reads bring one output; setting up a loop for it costs as much as a step.
                        if len(outputs) == 1:
                            # What the request was made of is not kept for the length of the stream.
                            opener = None
                            yield outputs[0]
                        elif outputs:
                            opener = None
                            yield from outputs
                        if over or (not outputs and part.idle()):
                            break
                except (APIConnectionError, StreamError) as error:
                    part.lost(error)
                    again = begin_again(opener, part, body)
            yield from part.finish()
            if part.failure is not None:
                raise part.failure
            body.drain()
        finally:
            body.close()
    except BaseException as error:
        part.broken(error)
        raise
    finally:
        # A traceback keeps this frame. Were these in it, they would keep the exception they hold: a cycle,
        # and what is in it would stay until the next collection.
        del opener, part, body, over


async def adrive(source: Source, part: Part[Out]) -> AsyncGenerator[Out, None]:
    """Run ``part`` over ``source``, for async code."""
    opener: Any = source
    del source
    body: Any = None
    feed = over = body
    try:
        for output in part.begin():
            yield output
        body = await opener.aopen()
        try:
            again = body
            while again is not None:
                body, again = again, None
                part.opened(body)
                feed, over = part.feed, part.over
                try:
                    while not over and (raws := await body.read()):
                        for outputs in map(feed, raws):
                            if len(outputs) == 1:
                                opener = None
                                yield outputs[0]
                            else:
                                for output in outputs:
                                    opener = None
                                    yield output
                            if over or (not outputs and part.idle()):
                                over = True
                                break
                except (APIConnectionError, StreamError) as error:
                    part.lost(error)
                    again = await abegin_again(opener, part, body)
            for output in part.finish():
                yield output
            if part.failure is not None:
                raise part.failure
            await body.adrain()
        finally:
            await body.aclose()
    except BaseException as error:
        part.broken(error)
        raise
    finally:
        del opener, part, body, feed, over


class Stream(Generic[Out]):
    """A sync stream: an iterator with :meth:`close`, and a context manager.

    Leaving it early closes the upstream connection: by ``close``, at the end of ``with``, or when
    the last reference to it goes.
    """

    __slots__ = ("_outputs",)

    def __init__(self, outputs: Generator[Out, None, None]) -> None:
        self._outputs = outputs

    def __iter__(self) -> Generator[Out, None, None]:
        """Return the generator itself: a step through it costs no forwarding."""
        return self._outputs

    def __next__(self) -> Out:
        """Return the next output."""
        return next(self._outputs)

    def close(self) -> None:
        """Close the stream, and the connection with it, before this call returns."""
        self._outputs.close()

    def __enter__(self) -> Self:
        """Return the stream itself."""
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Close the stream."""
        self.close()


class AsyncStream(Generic[Out]):
    """An async stream: an async iterator with :meth:`aclose`, and an async context manager.

    Leaving it early closes the upstream connection: by ``aclose``, at the end of ``async with``, by
    cancellation, or within a turn of the loop when the last reference to it goes.
    """

    __slots__ = ("_outputs",)

    def __init__(self, outputs: AsyncGenerator[Out, None]) -> None:
        self._outputs = outputs

    def __iter__(self) -> NoReturn:
        """Raise :class:`TypeError`, which says what to write."""
        raise TypeError(
            "this stream is for async code: write `async for chunk in model.astream(...)`,"
            " or in sync code `for chunk in model.stream(...)`"
        )

    def __aiter__(self) -> AsyncGenerator[Out, None]:
        """Return the async generator itself: a step through it costs no forwarding."""
        return self._outputs

    async def __anext__(self) -> Out:
        """Return the next output."""
        return await anext(self._outputs)

    async def aclose(self) -> None:
        """Close the stream, and the connection with it, before this call returns."""
        await self._outputs.aclose()

    async def __aenter__(self) -> Self:
        """Return the stream itself."""
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Close the stream."""
        await self.aclose()


class RefusedStream(AsyncStream[Any]):
    """An async stream that raises ``error`` when it is read; or awaited, as that of another version of events is."""

    __slots__ = ("_error",)

    def __init__(self, error: Exception) -> None:
        super().__init__(refusing(error))
        self._error = error

    def __await__(self) -> NoReturn:
        """Raise the error."""
        raise self._error


async def refusing(error: Exception) -> AsyncGenerator[Any, None]:
    """Raise ``error`` on the first step, where an async generator would."""
    raise error
    yield {}  # which makes it a generator

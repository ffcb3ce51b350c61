"""The streams we hand out: iterators that can be closed, and context managers."""

from collections.abc import AsyncGenerator, Generator
from types import TracebackType
from typing import TYPE_CHECKING, Any, Generic, NoReturn, Self, TypeVar

__all__ = (
    "AsyncClosedAtExit",
    "AsyncStream",
    "ClosedAtExit",
    "EventStream",
    "Out",
    "RefusedStream",
    "Stream",
    "SyncEventStream",
    "raise_on_first_step",
)


Out = TypeVar("Out", covariant=True)


class ClosedAtExit:
    """A stream as a context manager, which is closed at the end of ``with``."""

    __slots__ = ()

    def close(self) -> None:
        """Close the stream."""
        raise NotImplementedError

    def __enter__(self) -> Self:
        """Return the stream itself."""
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Close the stream."""
        self.close()


class AsyncClosedAtExit:
    """:class:`ClosedAtExit` for async code."""

    __slots__ = ()

    async def aclose(self) -> None:
        """Close the stream."""
        raise NotImplementedError

    async def __aenter__(self) -> Self:
        """Return the stream itself."""
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Close the stream."""
        await self.aclose()


class Stream(ClosedAtExit, Generic[Out]):
    """A sync stream: an iterator with :meth:`close`, and a context manager.

    Leaving it early closes the upstream connection: by ``close``, at the end of ``with``, or when
    the last reference to it goes.
    """

    __slots__ = ("_model", "_outputs")

    def __init__(self, outputs: Generator[Out, None, None], model: str = "") -> None:
        self._outputs = outputs
        # The name of the model that answers, for wires that show one.
        self._model = model

    def __iter__(self) -> Generator[Out, None, None]:
        """Return the generator itself: a step through it costs no forwarding."""
        return self._outputs

    def __next__(self) -> Out:
        """Return the next output."""
        return next(self._outputs)

    def close(self) -> None:
        """Close the stream, and the connection with it, before this call returns."""
        self._outputs.close()


class AsyncStream(AsyncClosedAtExit, Generic[Out]):
    """An async stream: an async iterator with :meth:`aclose`, and an async context manager.

    Leaving it early closes the upstream connection: by ``aclose``, at the end of ``async with``, by
    cancellation, or within a turn of the loop when the last reference to it goes.
    """

    __slots__ = ("_model", "_outputs")

    def __init__(self, outputs: AsyncGenerator[Out, None], model: str = "") -> None:
        self._outputs = outputs
        # The name of the model that answers, for wires that show one.
        self._model = model

    if not TYPE_CHECKING:  # so that a type checker reports `for`

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


class EventStream(AsyncStream[Out]):
    """An async stream of stream events; a server knows by the class how to write them."""

    __slots__ = ()


class SyncEventStream(Stream[Out]):
    """:class:`EventStream` for sync code."""

    __slots__ = ()


class RefusedStream(AsyncStream[Any]):
    """An async stream that raises ``error`` when it is read; or awaited, as that of another version of events is."""

    __slots__ = ("_error",)

    def __init__(self, error: Exception) -> None:
        super().__init__(raise_on_first_step(error))
        self._error = error

    def __await__(self) -> NoReturn:
        """Raise the error."""
        raise self._error


async def raise_on_first_step(error: Exception) -> AsyncGenerator[Any, None]:
    """Raise ``error`` on the first step, where an async generator would."""
    raise error
    yield {}  # which makes it a generator

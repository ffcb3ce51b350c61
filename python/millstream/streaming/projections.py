"""Projections: the views of one kind of a stream's items, read as often as wanted.

A projection reads what has arrived from its :class:`~.kept_items.KeptItems`, and asks its reader for more when it has
read all of it. So nothing runs ahead of the readers, and each reader sees everything from the start.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Generator, Iterator
from typing import Any, Generic, Self, TypeVar

from .kept_items import KeptItems

__all__ = ("AsyncProjection", "AsyncProjectionIterator", "AsyncTextProjection", "SyncProjection", "SyncTextProjection")

Item = TypeVar("Item", covariant=True)
Value = TypeVar("Value", covariant=True)

Pull = Callable[[], bool]
"""Asks the producer for more; returns whether there may be more."""
AsyncPull = Callable[[], Awaitable[bool]]
""":data:`Pull` for async code."""


class _Projection(Generic[Item, Value]):
    """The producer's side of a projection, and its state."""

    __slots__ = ("_source",)

    def __init__(self, source: KeptItems | None = None) -> None:
        self._source = KeptItems() if source is None else source

    @property
    def done(self) -> bool:
        """Whether nothing more comes, be it for an error."""
        return self._source.done

    @property
    def error(self) -> BaseException | None:
        """The error that ended the stream."""
        return self._source.error

    def push(self, delta: Any) -> None:
        """Add an item."""
        self._source.push(delta)

    def complete(self, final_value: Any) -> None:
        """End with a value."""
        self._source.complete(final_value)

    def fail(self, error: BaseException) -> None:
        """End with an error."""
        self._source.fail(error)


class SyncProjection(_Projection[Item, Value]):
    """An iterable of items, each iteration from the start, with their value in the end: :meth:`get`."""

    __slots__ = ("_request_more",)

    def __init__(self, source: KeptItems | None = None, pull: Pull | None = None) -> None:
        super().__init__(source)
        self._request_more = pull

    def set_request_more(self, cb: Pull | None) -> None:
        """Set the function that asks for more."""
        self._request_more = cb

    def __iter__(self) -> Iterator[Item]:
        """Yield the items as they come; raise the error that ends them."""
        source, items, place = self._source, self._source.items, 0
        while True:
            while place < len(items):
                yield items[place]
                place += 1
            has_more = not source.done and self._request_more is not None and self._request_more()
            if not has_more and place == len(items):
                break
        # A traceback keeps this frame, and the error would be in a cycle with it.
        error = source.error
        del self, source, items
        if error is not None:
            try:
                raise error
            finally:
                del error

    def get(self) -> Value:
        """Read to the end, and return the value; raise the error that ended the stream."""
        while not self._source.done and self._request_more is not None and self._request_more():
            pass
        source = self._source
        del self
        value: Value = _result(source)
        return value


class _Text:
    """What the texts of both kinds of projections have."""

    __slots__ = ()

    _source: KeptItems

    def push(self, delta: str) -> None:
        """Add a text."""
        self._source.push(_as_text(self, delta, "delta"))

    def complete(self, final_value: str) -> None:
        """End with the whole text."""
        self._source.complete(_as_text(self, final_value, "final value"))


class SyncTextProjection(_Text, SyncProjection[str, str]):
    """The pieces of a text; ``str()`` and :meth:`get` return it whole."""

    __slots__ = ()

    def get(self) -> str:
        """Read to the end, and return the whole text; an empty one if there is nothing to read from."""
        return super().get() or ""

    def __str__(self) -> str:
        """Read to the end, and return the whole text."""
        return self.get()

    def __bool__(self) -> bool:
        """Return whether a piece has arrived; this reads nothing."""
        return bool(self._source.items)

    def __repr__(self) -> str:
        """Show the text so far; this reads nothing."""
        return repr(self._source.value if self._source.has_value else "".join(self._source.items))


class AsyncProjection(_Projection[Item, Value]):
    """An async iterable of items, each iteration from the start; awaited, it returns their value in the end.

    Without a function that asks for more, it waits for what a producer in the same event loop pushes.
    """

    __slots__ = ("_arequest_more",)

    def __init__(self, source: KeptItems | None = None, pull: AsyncPull | None = None) -> None:
        super().__init__(source)
        self._arequest_more = pull

    def set_arequest_more(self, cb: AsyncPull | None) -> None:
        """Set the function that asks for more."""
        self._arequest_more = cb

    def __aiter__(self) -> AsyncProjectionIterator[Item]:
        """Iterate over the items as they come; raise the error that ends them."""
        return AsyncProjectionIterator(self)

    def __await__(self) -> Generator[Any, None, Value]:
        """Read to the end, and return the value; raise the error that ended the stream."""
        return self._read().__await__()

    async def _read(self) -> Value:
        while not self._source.done and await self._ask():
            pass
        source = self._source
        del self
        value: Value = _result(source)
        return value

    def _ask(self) -> Awaitable[bool]:
        """Ask for more, or wait for what is pushed; the result is whether there may be more."""
        return self._wait() if self._arequest_more is None else self._arequest_more()

    async def _wait(self) -> bool:
        await self._source.wait()
        return True


class AsyncTextProjection(_Text, AsyncProjection[str, str]):
    """The pieces of a text; awaited, it returns the whole text."""

    __slots__ = ()

    async def _read(self) -> str:
        return await super()._read() or ""


class AsyncProjectionIterator(Generic[Item]):
    """One iteration over an :class:`AsyncProjection`."""

    __slots__ = ("_place", "_projection")

    def __init__(self, projection: AsyncProjection[Item, Any]) -> None:
        self._projection = projection
        self._place = 0

    def __aiter__(self) -> Self:
        return self

    async def __anext__(self) -> Item:
        source = self._projection._source
        items, place = source.items, self._place
        while place == len(items):
            has_more = not source.done and await self._projection._ask()
            # Another reader of this iterator may have read on.
            place = self._place
            if not has_more and place == len(items):
                try:
                    _raise_error(source)
                finally:
                    # A traceback keeps this frame, and the error would be in a cycle with it.
                    del self, source, items
                raise StopAsyncIteration
        self._place = place + 1
        item: Item = items[place]
        return item


def _raise_error(source: KeptItems) -> None:
    error = source.error
    del source
    if error is not None:
        try:
            raise error
        finally:
            del error


def _result(source: KeptItems) -> Any:
    """Return the value of a stream, or raise the error that ended it."""
    error, value = source.error, source.value
    del source
    if error is None:
        return value
    try:
        raise error
    finally:
        del error


def _as_text(projection: object, value: object, what: str) -> str:
    if not isinstance(value, str):
        raise TypeError(f"{type(projection).__name__} requires a string {what}")
    return value

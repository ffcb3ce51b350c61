"""Users' models as sources and parts of a stream: what ``_call`` and ``_stream`` bring, as text."""

import asyncio
import contextvars
import threading
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator, Sequence
from typing import Any, Protocol

from ..outputs import GenerationChunk, LLMResult
from ..outputs.generation import sum_chunks
from ..runnables.stream import Part

__all__ = ("ChunkSource", "ChunkText", "FromThread", "ResultSource", "ResultText", "TextPart")


class TextPart(Part[str], Protocol):
    """A part that makes a model's text, and knows afterwards what the run brought."""

    @property
    def streams(self) -> bool:
        """Whether the text comes in chunks; not so where one call brings it whole."""

    def result(self) -> LLMResult:
        """Return what the run brought, once it is over."""


class _Never:
    """The watch of a stream that only its own end ends."""

    done = False


class _UserText:
    """What the parts over users' code share: their exceptions go up as they are."""

    watch = _Never()
    streams = True

    def __init__(self) -> None:
        self.failure: BaseException | None = None

    def begin(self) -> Sequence[str]:
        """Return nothing."""
        return ()

    def idle(self) -> bool:
        """Let a user's model take its time."""
        return False

    def lost(self, error: Exception) -> None:
        """Keep a stream error of the user's code; it goes up as it is."""
        self.failure = error

    def broken(self, error: BaseException) -> None:
        """Note nothing."""


class ChunkText(_UserText):
    """The text of the chunks that ``_stream`` or ``_astream`` yields; ``keeps`` them for :meth:`result`, if asked."""

    def __init__(self, *, keeps: bool) -> None:
        super().__init__()
        self._kept: list[Any] | None = [] if keeps else None
        self._any = False

    def feed(self, chunk: Any) -> Sequence[str]:
        """Return the chunk's text, an empty one too."""
        try:
            text: str = chunk.text
        except AttributeError:
            raise TypeError(f"_stream() must yield GenerationChunk objects, not {type(chunk).__name__}") from None
        self._any = True
        if self._kept is not None:
            self._kept.append(chunk)
        return (text,)

    def finish(self) -> Sequence[str]:
        """Fail where nothing was yielded."""
        if not self._any and self.failure is None:
            self.failure = ValueError("No generation chunks were returned")
        return ()

    def result(self) -> LLMResult:
        """Return the sum of the chunks."""
        return LLMResult([[sum_chunks(self._kept or [GenerationChunk("")])]])


class ResultText(_UserText):
    """The text of the one result that a model without ``_stream`` brings."""

    streams = False

    def __init__(self) -> None:
        super().__init__()
        self._result: LLMResult | None = None

    def feed(self, result: LLMResult) -> Sequence[str]:
        """Return the text of the first generation."""
        self._result = result
        return (result.generations[0][0].text,)

    def finish(self) -> Sequence[str]:
        """Return nothing: the text is out."""
        return ()

    def result(self) -> LLMResult:
        """Return the result itself."""
        return self._result or LLMResult([[]])


class _Items:
    """A body of items that are there already, or come from a user's iterator, which is closed with it."""

    def __init__(self, items: Any) -> None:
        self._items = items

    def __iter__(self) -> Iterator[Any]:
        return iter(self._items)

    def drain(self) -> None:
        """Read no further: a user's generator is not ours to run on."""

    def close(self) -> None:
        """Close the iterator, where it can be closed."""
        if (close := getattr(self._items, "close", None)) is not None:
            close()


class _AsyncItems:
    """:class:`_Items` for async code."""

    def __init__(self, items: AsyncIterator[Any]) -> None:
        self._items = items

    def __aiter__(self) -> AsyncIterator[Any]:
        return self._items.__aiter__()

    async def adrain(self) -> None:
        """Read no further."""

    async def aclose(self) -> None:
        """Close the iterator, where it can be closed."""
        if (aclose := getattr(self._items, "aclose", None)) is not None:
            await aclose()


class _One:
    """An async iterator over one item."""

    def __init__(self, item: Any) -> None:
        self._left = [item]

    def __aiter__(self) -> "_One":
        return self

    async def __anext__(self) -> Any:
        if not self._left:
            raise StopAsyncIteration
        return self._left.pop()


class FromThread:
    """A user's sync iterator, stepped in the loop's executor, in one context for the whole stream.

    Closing it while a step runs closes it after that step, in the executor: what blocks a thread
    cannot be interrupted, and the loop does not wait for it.
    """

    _END: Any = object()

    def __init__(self, make: Callable[[], Iterator[Any]]) -> None:
        self._make = make
        self._items: Iterator[Any] | None = None
        self._closed = False
        self._lock = threading.Lock()
        self._context = contextvars.copy_context()

    def __aiter__(self) -> "FromThread":
        return self

    async def __anext__(self) -> Any:
        item = await asyncio.get_running_loop().run_in_executor(None, self._step)
        if item is self._END:
            raise StopAsyncIteration
        return item

    async def aclose(self) -> None:
        """Close the iterator; where a step is running, after it."""
        self._closed = True
        steps = self._lock.locked()
        closed = asyncio.get_running_loop().run_in_executor(None, self._close)
        if not steps:
            await closed

    def _step(self) -> Any:
        with self._lock:
            if self._closed:
                return self._END
            return self._context.run(self._next)

    def _next(self) -> Any:
        if self._items is None:
            self._items = iter(self._make())
        return next(self._items, self._END)

    def _close(self) -> None:
        with self._lock:
            close = getattr(self._items, "close", None)
            if close is not None:
                self._context.run(close)


class ChunkSource:
    """Calls ``_stream`` or ``_astream``."""

    def __init__(self, stream: Callable[[], Iterator[Any]], astream: Callable[[], AsyncIterator[Any]]) -> None:
        self._stream = stream
        self._astream = astream

    def open(self) -> _Items:
        """Call ``_stream``."""
        return _Items(self._stream())

    async def aopen(self) -> _AsyncItems:
        """Call ``_astream``."""
        return _AsyncItems(self._astream())


class ResultSource:
    """Calls the model once."""

    def __init__(self, call: Callable[[], LLMResult], acall: Callable[[], Awaitable[LLMResult]]) -> None:
        self._call = call
        self._acall = acall

    def open(self) -> _Items:
        """Call, and return the result as the only item."""
        return _Items((self._call(),))

    async def aopen(self) -> _AsyncItems:
        """Call, and return the result as the only item."""
        return _AsyncItems(_One(await self._acall()))

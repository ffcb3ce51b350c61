"""Streams without handlers: no callback is to be called, so LangChain's machinery is not needed.

Whether there are handlers is LangChain's own decision, taken when the stream is first read: handlers in the
config, in the model, from a parent run, in context variables, by way of hooks, tracing, ``verbose`` and debug mode.
"""

from __future__ import annotations

from collections.abc import AsyncGenerator, Callable, Generator
from typing import Any, Final

from langchain_core.callbacks import CallbackManager
from langchain_core.runnables.config import RunnableConfig

from ...streaming.protocols import ChunkProcessor, Source
from ...streaming.stream import AsyncStream, Out, Stream

__all__ = ("EVENTS_VERSION", "AsyncDeferredStream", "DeferredStream", "Opened", "is_observed")

EVENTS_VERSION: Final = "v2"
"""The version of stream events that can be made without LangChain, which makes the others."""

Opened = tuple[Source, ChunkProcessor[Any]]
"""The source and the processor of a stream of outputs."""


def is_observed(config: RunnableConfig, callbacks: Any, verbose: bool) -> bool:
    """Return whether a run with these callbacks, those of the run's config and of its owner, has any handlers."""
    return bool(CallbackManager.configure(config.get("callbacks"), callbacks, verbose).handlers)


class DeferredStream(Stream[Out]):
    """A stream that begins with its first step, as a generator does: ``begin`` then returns its generator."""

    __slots__ = ("_begin",)

    def __init__(self, begin: Callable[[], Generator[Out, None, None]]) -> None:
        self._begin: Callable[[], Generator[Out, None, None]] | None = begin

    def __iter__(self) -> Generator[Out, None, None]:
        """Return the generator itself: a step through it costs no forwarding."""
        if self._begin is not None:
            begin, self._begin = self._begin, None
            self._outputs = _no_outputs()
            self._outputs = begin()
        return self._outputs

    def __next__(self) -> Out:
        """Return the next output."""
        return next(iter(self))

    def close(self) -> None:
        """Close the stream, and the connection with it, before this call returns."""
        if self._begin is None:
            self._outputs.close()
        else:
            self._begin, self._outputs = None, _no_outputs()


class AsyncDeferredStream(AsyncStream[Out]):
    """:class:`DeferredStream` for async code."""

    __slots__ = ("_begin",)

    def __init__(self, begin: Callable[[], AsyncGenerator[Out, None]]) -> None:
        self._begin: Callable[[], AsyncGenerator[Out, None]] | None = begin

    def __aiter__(self) -> AsyncGenerator[Out, None]:
        """Return the async generator itself: a step through it costs no forwarding."""
        if self._begin is not None:
            begin, self._begin = self._begin, None
            self._outputs = _ano_outputs()
            self._outputs = begin()
        return self._outputs

    async def __anext__(self) -> Out:
        """Return the next output."""
        return await anext(aiter(self))

    async def aclose(self) -> None:
        """Close the stream, and the connection with it, before this call returns."""
        if self._begin is None:
            await self._outputs.aclose()
        else:
            self._begin, self._outputs = None, _ano_outputs()


def _no_outputs() -> Generator[Any, None, None]:
    """Return a generator without items."""
    return
    yield


async def _ano_outputs() -> AsyncGenerator[Any, None]:
    """Return an async generator without items."""
    return
    yield

"""Sources and the processor of users' models: the results of ``generate`` and the chunks of ``_stream``."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Generator, Iterator, Sequence
from typing import TYPE_CHECKING, Any

from ..outputs import LLMResult
from ..streaming.channel import Channel
from ..streaming.inputs import NestedIterator
from ..streaming.isolation import PassThrough
from ..streaming.protocols import ChunkProcessor
from ..streaming.workers import TaskBody, ThreadBody

if TYPE_CHECKING:
    from .model_run import ModelRun

__all__ = ("CalledSource", "RunChunks", "StreamedSource")


class RunChunks(PassThrough, ChunkProcessor[LLMResult]):
    """The processor of users' code: its chunks, or the one result of a model that does not stream.

    Exceptions of that code are raised unchanged; the run has already reported them to the handlers.
    """

    __slots__ = ("_run", "streams")

    mixed = True

    def __init__(self, run: ModelRun, *, streams: bool) -> None:
        super().__init__()
        self.streams = streams
        self._run = run

    def _read(self, items: Sequence[Any]) -> Sequence[Any]:
        """Return the output of every item, also if it is an empty text."""
        output = self._run.model_type.to_output
        if self.streams:
            return [output(chunk) for chunk in items]
        return [output(result.generations[0][0]) for result in items]

    def result(self) -> LLMResult:
        """Return the result of the run."""
        return self._run.result()

    def ending(self) -> tuple[str | None, Any] | None:
        """Return the finish reason and the token counts that the texts of an LLM do not have."""
        return self._run.ending()


class StreamedSource:
    """The source of a run that streams.

    In sync code the model's ``_stream`` runs in the consumer's steps, or in a thread if the run has a
    channel. In async code ``_astream`` runs in a task; a model with only ``_stream`` runs in a thread. A
    native stream (``is_native``) without a channel runs in the consumer's steps in async code too.
    """

    def __init__(self, run: ModelRun, *, uses_astream: bool, is_native: bool = False) -> None:
        self._run = run
        self._uses_astream = uses_astream
        self._is_native = is_native

    def open(self) -> Any:
        """Start the run."""
        run = self._run
        return _Steps(run.chunks()) if run.channel is None else ThreadBody(run.chunks, run.channel)

    async def aopen(self) -> Any:
        """Return the run's body; its first step starts the run."""
        if self._is_native and self._run.channel is None:
            return _AsyncSteps(self._run.achunks())
        channel = _open_channel(self._run)
        return TaskBody(self._run.send_chunks, channel) if self._uses_astream else ThreadBody(self._run.chunks, channel)


class CalledSource:
    """The source of a run that calls ``generate`` once."""

    def __init__(self, run: ModelRun) -> None:
        self._run = run

    def open(self) -> Any:
        """Start the run."""
        run = self._run
        return _Steps(run.call()) if run.channel is None else ThreadBody(run.call, run.channel)

    async def aopen(self) -> Any:
        """Return the run's body; its first step starts the run."""
        return TaskBody(self._run.send_result, _open_channel(self._run))


class _Steps:
    """A body that runs in the consumer's steps."""

    def __init__(self, items: Generator[Any, None, None]) -> None:
        self._items = items

    def __iter__(self) -> Iterator[Any]:
        return self._items

    def drain(self) -> None:
        """Do nothing: a body that has ended has nothing left to read."""

    def close(self) -> None:
        """Close the run."""
        self._items.close()


class _AsyncSteps:
    """A body that runs in the consumer's steps, for async code."""

    def __init__(self, items: AsyncGenerator[Any, None]) -> None:
        self._items = NestedIterator(items)

    async def read(self) -> Sequence[Any]:
        """Return the next chunk, as one raw item."""
        async for item in self._items:
            return (item,)
        return ()

    async def adrain(self) -> None:
        """Do nothing: a body that has ended has nothing left to read."""

    async def aclose(self) -> None:
        """Close the run."""
        await self._items.aclose()


def _open_channel(run: ModelRun) -> Channel:
    if run.channel is None:
        run.channel = Channel(rendezvous=run.rendezvous)
    return run.channel

"""Users' models as sources and parts of a stream: what ``_call`` and ``_stream`` bring, as text."""

from __future__ import annotations

from collections.abc import Generator, Iterator, Sequence
from typing import TYPE_CHECKING, Any, Protocol

from ..events.event_records import Recorder
from ..outputs import LLMResult
from ..runnables.drivers import OwnTask, OwnThread
from ..runnables.handover import Handover
from ..runnables.stream import Part

if TYPE_CHECKING:
    from .runs import ModelRun

__all__ = ("CalledSource", "RunText", "StreamedSource", "TextPart")


class TextPart(Part[str], Protocol):
    """A part that makes a model's text, and knows afterwards what the run brought.

    ``streams`` says whether the text comes in chunks (not so where one call brings it whole),
    ``mixed`` whether raw items are lists in which events of runs below stand between the chunks.
    """

    @property
    def streams(self) -> bool:
        """Whether the text comes in chunks."""

    @property
    def mixed(self) -> bool:
        """Whether events of runs below stand between the chunks."""

    def result(self) -> LLMResult:
        """Return what the run brought, once it is over."""

    def recorder(self) -> Recorder | None:
        """Return what makes records of raw items and is to be called in place of ``feed``, or ``None``."""


class RunText:
    """The part over users' code: texts of its chunks, or of the one result of a model that does not stream.

    Exceptions of that code go up as they are; its run has told the handlers of them.
    """

    # Only its own end ends such a stream.
    over = ()
    mixed = True

    def __init__(self, run: ModelRun, *, streams: bool) -> None:
        self.streams = streams
        self.failure: BaseException | None = None
        self._run = run

    def begin(self) -> Sequence[str]:
        """Return nothing."""
        return ()

    def feed(self, items: Sequence[Any]) -> Sequence[str]:
        """Return the items' texts, empty ones too."""
        if self.streams:
            return [chunk.text for chunk in items]
        return [result.generations[0][0].text for result in items]

    def idle(self) -> bool:
        """Let a user's model take its time."""
        return False

    def lost(self, error: Exception) -> None:
        """Keep a stream error of the user's code; it goes up as it is."""
        self.failure = error

    def finish(self) -> Sequence[str]:
        """Return nothing: the text is out."""
        return ()

    def broken(self, error: BaseException) -> None:
        """Note nothing."""

    def result(self) -> LLMResult:
        """Return what the run brought."""
        return self._run.result()

    def recorder(self) -> None:
        """Return nothing: users' chunks are Python objects anyway."""


class StreamedSource:
    """The source of a run that streams.

    In sync code its model is stepped by the consumer's own steps, or in a thread where it has a
    line; in async code in a task, or in a thread where it has only ``_stream``.
    """

    def __init__(self, run: ModelRun, *, awaits: bool) -> None:
        self._run = run
        self._awaits = awaits

    def open(self) -> Any:
        """Begin the run."""
        run = self._run
        return _Steps(run.chunks()) if run.line is None else OwnThread(run.chunks, run.line)

    async def aopen(self) -> Any:
        """Begin the run, with the first step."""
        line = _line_of(self._run)
        return OwnTask(self._run.perform, line) if self._awaits else OwnThread(self._run.chunks, line)


class CalledSource:
    """The source of a run that is called once."""

    def __init__(self, run: ModelRun) -> None:
        self._run = run

    def open(self) -> Any:
        """Begin the run."""
        run = self._run
        return _Steps(run.call()) if run.line is None else OwnThread(run.call, run.line)

    async def aopen(self) -> Any:
        """Begin the run, with the first step."""
        return OwnTask(self._run.acall, _line_of(self._run))


class _Steps:
    """A body that runs in the consumer's own steps."""

    def __init__(self, items: Generator[Any, None, None]) -> None:
        self._items = items

    def __iter__(self) -> Iterator[Any]:
        return self._items

    def drain(self) -> None:
        """Read no further: it is at its end."""

    def close(self) -> None:
        """Close the run."""
        self._items.close()


def _line_of(run: ModelRun) -> Handover:
    if run.line is None:
        run.line = Handover(lockstep=run.lockstep)
    return run.line

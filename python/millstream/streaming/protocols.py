"""What a stream is made of: a source opens a body, a processor turns its raw items into outputs, a stage transforms."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence, Sized
from typing import Any, Protocol, TypeVar

from ..errors import StreamError

__all__ = ("AsyncBody", "Body", "ChunkPart", "Joiner", "Part", "RecordPart", "Recorder", "Source", "Stage")

In_contra = TypeVar("In_contra", contravariant=True)
Out_co = TypeVar("Out_co", covariant=True)
Result_co = TypeVar("Result_co", covariant=True)


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


class ChunkPart(Part[Any], Protocol[Result_co]):
    """A part that makes a model's chunks, texts or messages, and knows afterwards what the run brought.

    ``streams`` says whether the answer comes in chunks (not so where one call brings it whole),
    ``mixed`` whether raw items are lists in which events of runs below stand between the chunks.
    """

    @property
    def streams(self) -> bool:
        """Whether the answer comes in chunks."""

    @property
    def mixed(self) -> bool:
        """Whether events of runs below stand between the chunks."""

    def result(self) -> Result_co:
        """Return what the run brought, once it is over."""

    def recorder(self, write: Callable[[Sequence[Any]], bytes]) -> Recorder | None:
        """Return what makes records of raw items and is to be called in place of ``feed``, or ``None``.

        ``write`` returns the records of outputs that are more than text.
        """

    def joined(self, parts: list[Any]) -> bytes:
        """Return the records of what a recorder returned in parts."""

    def plain(self, text: str) -> Any:
        """Return the output that is ``text`` and nothing else, where there is a recorder."""


class Stage(Protocol[In_contra, Out_co]):
    """One stream's transformation, without I/O: what one item brings, and what the end brings.

    A Runnable that transforms so says it by ``_stage()``, which returns a new stage for each stream
    (or ``None``, where a subclass of a user's own has to be asked in another way). Chains feed stages
    from inside the one generator that reads the connection, so sync and async share everything.
    """

    def feed(self, item: In_contra, /) -> Sequence[Out_co]:
        """Return what comes out by ``item``: nothing, one output or many."""

    def close(self) -> Sequence[Out_co]:
        """Return what the end of the input brings."""


Recorder = Callable[[Any, bytes, bytes], Any]
"""Returns the records of a raw item: each text as JSON between a prefix and a suffix.

They are one ``bytes``, or a list of parts with such ``bytes`` among them, which a :data:`Joiner` makes one.
"""


Joiner = Callable[[list[Any]], bytes]
"""Returns as records what a recorder returned in parts."""


class RecordPart(Protocol):
    """A :class:`Part` whose outputs are records: one ``bytes`` object for all that a raw item brings."""

    prefix: bytes
    suffix: bytes

    @property
    def recorder(self) -> Recorder:
        """Return what turns a raw item into records, to be called with ``prefix`` and ``suffix``."""

    def joined(self, parts: list[Any]) -> bytes:
        """Return the records of what the recorder returned in parts."""

    @property
    def over(self) -> Sized:
        """Return what is empty until the stream is over."""

    @property
    def failure(self) -> BaseException | None:
        """Return the exception to raise after :meth:`finish`."""

    def begin(self) -> bytes:
        """Return the records of what comes before the source is opened."""

    def opened(self, body: Any) -> None:
        """:meth:`Part.opened`."""

    def idle(self) -> bool:
        """:meth:`Part.idle`."""

    def lost(self, error: Exception) -> None:
        """:meth:`Part.lost`."""

    def cut(self) -> StreamError | None:
        """:meth:`Part.cut`."""

    def finish(self) -> bytes:
        """Return the last records, and the mark of the end where the stream ended well."""

    def broken(self, error: BaseException) -> None:
        """:meth:`Part.broken`."""

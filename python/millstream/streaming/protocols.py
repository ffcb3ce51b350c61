"""What a stream is made of: a source opens a body, a processor turns its raw items into outputs, a stage transforms."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence, Sized
from typing import Any, Generic, Protocol, TypeVar

from ..errors import StreamError

__all__ = (
    "AsyncBody",
    "Body",
    "ChunkProcessor",
    "ChunkProcessorAround",
    "Joiner",
    "Processor",
    "ProcessorAround",
    "RecordProcessor",
    "Recorder",
    "Source",
    "Stage",
    "WireFeed",
)

In_contra = TypeVar("In_contra", contravariant=True)
Out = TypeVar("Out")
Out_co = TypeVar("Out_co", covariant=True)
Result_co = TypeVar("Result_co", covariant=True)

Recorder = Callable[[Any, Any, Any], Any]
"""Returns the records of a raw item: each text as JSON between a prefix and a suffix, or as a wire's writer has it.

They are one ``bytes``, or a list of parts with such ``bytes`` among them, which a :data:`Joiner` makes one.
"""
WireFeed = tuple[Callable[[Any, Any, bool], bytes], bool]
"""The method that writes raw items into a writer, and whether it is to write the text alone."""
Joiner = Callable[[list[Any]], bytes]
"""Returns the records of what a recorder returned in parts, as one."""


class Body(Protocol):
    """What a source opens: raw items, each one network read or one chunk of a user's generator."""

    def __iter__(self) -> Iterator[Any]:
        """Iterate over the raw items."""

    def drain(self) -> None:
        """Read on to the end, briefly, after the processor is done."""

    def close(self) -> None:
        """Close the connection or the generator, at once."""


class AsyncBody(Protocol):
    """:class:`Body` for async code: one wait returns all raw items that have arrived."""

    async def read(self) -> Sequence[Any]:
        """Wait for a raw item, and return all that have arrived; an empty sequence is the end."""

    async def adrain(self) -> None:
        """Read on to the end, briefly, after the processor is done."""

    async def aclose(self) -> None:
        """Close the connection or the generator, at once."""


class Source(Protocol):
    """Where a stream's raw items come from."""

    def open(self) -> Body:
        """Open a body: send the request, or call the user's generator."""

    async def aopen(self) -> AsyncBody:
        """:meth:`open` for async code."""


class Processor(Generic[Out]):
    """Turns raw items into outputs; a subclass says how, and has what is here for the rest.

    ``start`` runs before the source is opened, ``opened`` with each body, ``feed`` takes each raw item,
    ``close`` runs once at the end. None of them raises for the stream's own errors: what was right is
    handed out first, then the driver raises ``error``. The driver reads ``feed`` and ``done`` once a
    body, so that a step costs one call. ``yields_text`` says whether all outputs are plain strings.
    """

    __slots__ = ()

    yields_text: bool = False

    @property
    def feed(self) -> Callable[[Any], Sequence[Out]]:
        """The function that returns the outputs of one raw item."""
        raise NotImplementedError

    @property
    def done(self) -> Sized:
        """Empty until there are no more outputs. A list, since its truth value is the cheapest thing to poll."""
        return ()

    @property
    def error(self) -> BaseException | None:
        """The exception to raise after :meth:`close`."""
        return None

    @property
    def text(self) -> str | None:
        """The text of the outputs so far, where it is kept."""
        return None

    def start(self) -> Sequence[Out]:
        """Return the outputs before the source is opened."""
        return ()

    def opened(self, body: object) -> Sequence[Out] | None:
        """Take note of the body, before its first item; a second body replaces the first one.

        Returns the outputs of what the source has read already, if it has: see :func:`~.drive.begin`.
        """
        return None

    def on_idle(self) -> bool:
        """Take note of an item without outputs; ``True`` (and an ``error``) if that has gone on for too long."""
        return False

    def on_disconnect(self, error: Exception) -> None:
        """Take note that the body broke off; :meth:`close` decides whether that is an ``error``."""

    def early_disconnect(self) -> StreamError | None:
        """Return how the body failed, if that was before any output and another try may succeed.

        It is called whenever a body has ended before any output, also one that ended well. Nothing else is fed then:
        :meth:`close` is next, or :meth:`opened` with the body that the source's ``reopen(error)`` (``areopen`` for
        async code) returned.
        """
        return None

    def write_into(self, writer: Any, *, text_only: bool = False) -> WireFeed | None:
        """Return the function that writes a raw item's outputs into the core's writer of a wire, or ``None``.

        It is to be called in place of ``feed``, with the raw item, the writer and whether the text alone is written,
        and returns the records; those of :meth:`close` are ``bytes`` then. ``text_only`` asks for the text alone.
        """
        return None

    def close(self) -> Sequence[Out]:
        """Return the last outputs, and set ``error`` where the stream did not end well."""
        return ()

    def release(self) -> None:
        """Drop exceptions whose frames know this processor, when the stream is over in whatever way."""


class ProcessorAround(Processor[Out]):
    """A processor that makes its outputs of those of another one, ``_inner``, and has its errors and its end."""

    __slots__ = ()

    _inner: Processor[Any]

    @property
    def done(self) -> Sized:
        """:attr:`Processor.done` of the inner one."""
        return self._inner.done

    @property
    def error(self) -> BaseException | None:
        """:attr:`Processor.error` of the inner one."""
        return self._inner.error

    @property
    def text(self) -> str | None:
        """:attr:`Processor.text` of the inner one."""
        return self._inner.text

    def opened(self, body: object) -> Sequence[Out] | None:
        """:meth:`Processor.opened` of the inner one."""
        return self._inner.opened(body)

    def on_idle(self) -> bool:
        """:meth:`Processor.on_idle` of the inner one."""
        return self._inner.on_idle()

    def on_disconnect(self, error: Exception) -> None:
        """:meth:`Processor.on_disconnect` of the inner one."""
        self._inner.on_disconnect(error)

    def early_disconnect(self) -> StreamError | None:
        """:meth:`Processor.early_disconnect` of the inner one."""
        return self._inner.early_disconnect()

    def release(self) -> None:
        """:meth:`Processor.release` of the inner one."""
        self._inner.release()


class ChunkProcessor(Processor[Any], Generic[Result_co]):
    """A processor whose outputs are a model's chunks, texts or messages, and which has the result afterwards.

    ``streams`` says whether the answer comes in chunks (not so where one call returns it whole),
    ``mixed`` whether raw items are lists in which events of child runs stand between the chunks.
    """

    __slots__ = ()

    streams: bool = True
    mixed: bool = False

    def result(self) -> Result_co:
        """Return the result of the run, once it is over."""
        raise NotImplementedError

    def recorder(self, write: Callable[[Sequence[Any]], bytes]) -> Recorder | None:
        """Return what makes records of raw items and is to be called in place of ``feed``, or ``None``.

        ``write`` returns the records of outputs that are more than text.
        """
        return None

    def joined(self, parts: list[Any]) -> bytes:
        """Return the records of what a recorder returned in parts."""
        return b""

    def ending(self) -> tuple[str | None, Any] | None:
        """Return the finish reason and the token counts, where the chunks do not have them; else ``None``."""
        return None

    def plain(self, text: str) -> Any:
        """Return the output that is ``text`` and nothing else, where there is a recorder."""
        return text

    @property
    def content_counter(self) -> Callable[[], int]:
        """The function that returns how many chunks of this body had content; of a native stream."""
        raise NotImplementedError

    @property
    def has_output(self) -> bool:
        """Whether there was a chunk, of a native stream that collects its result."""
        raise NotImplementedError

    def summary(self) -> Result_co:
        """Return the result where :meth:`write_into` was called: what is known of an answer without any chunk."""
        return self.result()


class ChunkProcessorAround(ProcessorAround[Any], ChunkProcessor[Result_co]):
    """A processor of chunks that has everything of another one, ``_inner``."""

    __slots__ = ("_inner", "mixed", "streams", "yields_text")

    def __init__(self, inner: ChunkProcessor[Result_co]) -> None:
        self._inner: ChunkProcessor[Result_co] = inner
        self.streams, self.mixed, self.yields_text = inner.streams, inner.mixed, inner.yields_text

    @property
    def feed(self) -> Callable[[Any], Sequence[Any]]:
        """:attr:`Processor.feed` of the inner one."""
        return self._inner.feed

    @property
    def content_counter(self) -> Callable[[], int]:
        """:attr:`ChunkProcessor.content_counter` of the inner one."""
        return self._inner.content_counter

    @property
    def has_output(self) -> bool:
        """:attr:`ChunkProcessor.has_output` of the inner one."""
        return self._inner.has_output

    def start(self) -> Sequence[Any]:
        """:meth:`Processor.start` of the inner one."""
        return self._inner.start()

    def write_into(self, writer: Any, *, text_only: bool = False) -> WireFeed | None:
        """:meth:`Processor.write_into` of the inner one."""
        return self._inner.write_into(writer, text_only=text_only)

    def recorder(self, write: Callable[[Sequence[Any]], bytes]) -> Recorder | None:
        """:meth:`ChunkProcessor.recorder` of the inner one."""
        return self._inner.recorder(write)

    def joined(self, parts: list[Any]) -> bytes:
        """:meth:`ChunkProcessor.joined` of the inner one."""
        return self._inner.joined(parts)

    def close(self) -> Sequence[Any]:
        """:meth:`Processor.close` of the inner one."""
        return self._inner.close()

    def result(self) -> Result_co:
        """:meth:`ChunkProcessor.result` of the inner one."""
        return self._inner.result()

    def summary(self) -> Result_co:
        """:meth:`ChunkProcessor.summary` of the inner one."""
        return self._inner.summary()

    def ending(self) -> tuple[str | None, Any] | None:
        """:meth:`ChunkProcessor.ending` of the inner one."""
        return self._inner.ending()

    def plain(self, text: str) -> Any:
        """:meth:`ChunkProcessor.plain` of the inner one."""
        return self._inner.plain(text)


class Stage(Protocol[In_contra, Out_co]):
    """One stream's transformation, without I/O: the outputs of one item, and those of the end.

    A Runnable of ours returns one from ``_as_stage()``, a new one for each stream. Chains feed stages from
    inside the one generator that reads the connection, so sync and async share everything. A stage with a true
    ``keeps_text`` returns the text of each item, unchanged, and nothing else.
    """

    __slots__ = ()

    keeps_text: bool = False

    def feed(self, item: In_contra, /) -> Sequence[Out_co]:
        """Return the outputs of ``item``: none, one or many."""

    def close(self) -> Sequence[Out_co]:
        """Return the outputs of the end of the input; by default there are none."""
        return ()


class RecordProcessor(ProcessorAround[Any]):
    """A processor of records: its outputs, at each place, are one ``bytes`` for all of them.

    ``prefix`` and ``suffix`` are what the recorder is called with: those of each record, or the writer of a wire and
    whether it writes the text alone. They are known once ``recorder`` has been read.
    """

    __slots__ = ()

    prefix: Any
    suffix: Any

    @property
    def recorder(self) -> Recorder:
        """The function that returns the records of a raw item, to be called with ``prefix`` and ``suffix``."""
        raise NotImplementedError

    def joined(self, parts: list[Any]) -> bytes:
        """Return the records of what the recorder returned in parts."""
        raise NotImplementedError

    def start(self) -> bytes:
        """Return the records before the source is opened."""
        return b""

    def opened(self, body: object) -> bytes:
        """Take note of the body; return the records of what the source has read already."""
        raise NotImplementedError

    def close(self) -> bytes:
        """Return the last records."""
        return b""

"""``Pump``: sends the records of a stream from the callback that reads the connection, without a step of a task.

:func:`~millstream.streaming.drive.adrive_records` opens the source, tries again, closes and raises, whoever sends. With
a pump it reads the body through it. Until the first record has been sent, and where the body is not a connection of
ours, the pump only passes reads on. From then on the connection's callback makes the records of each read in one call
and hands them to the sink, while the driver waits in one read. That read returns at the end, and wherever the callback
cannot go on: the sink has to wait for its client, or the processor is done.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence, Sized
from typing import Any, Protocol

from .protocols import Recorder, RecordProcessor

__all__ = ("Pump", "RecordSink")

Read = Callable[[], Awaitable[Sequence[Any]]]


class RecordSink(Protocol):
    """Where a pump sends records."""

    @property
    def is_direct(self) -> bool:
        """Whether :meth:`post` may be called."""

    @property
    def post(self) -> Callable[[bytes], bool]:
        """Sends records from a callback; returns ``False`` if the task has to call :meth:`finish`."""

    @property
    def client(self) -> tuple[Any, ...] | None:
        """The arguments with which the core's relay sends as :attr:`post` does; ``None`` if it cannot."""

    @property
    def is_pending(self) -> bool:
        """Whether records that :meth:`post` began to send have not been sent yet."""

    async def finish(self) -> None:
        """Wait until the records are sent that :meth:`post` began to send."""


class Pump:
    """Reads the bodies of one stream. :meth:`go` is called after each record that was sent.

    ``is_attached`` is whether a body is open: the upstream has answered.
    """

    __slots__ = ("_body", "_done", "_is_going", "_processor", "_recorder", "_sink", "is_attached")

    def __init__(self, sink: RecordSink) -> None:
        self._sink = sink
        self._body: Any = None
        self._processor: Any = None
        self._recorder: Any = None
        self._is_going = self.is_attached = False
        self._done: Sized = ()

    def attach(self, body: Any, processor: RecordProcessor, recorder: Recorder) -> Read:
        """Return the function that reads ``body``, the next one of the stream, for ``processor``."""
        self.is_attached = True
        if not hasattr(body, "read_into"):
            return body.read  # type: ignore[no-any-return]
        self._body, self._processor, self._recorder, self._done = body, processor, recorder, processor.done
        return self._read

    @property
    def is_ending(self) -> bool:
        """Whether the connection is one of ours and has ended: the records that remain need no wait."""
        return bool(self._done)

    def go(self) -> None:
        """Begin to send from the callback, if that is possible: the driver opens no other body from now on."""
        if self._body is not None and self._sink.is_direct:
            self._is_going = True

    def release(self) -> None:
        """Drop the body and the processor: a traceback may keep the frames that know the pump."""
        self._is_going = False
        self._body = self._processor = self._recorder = None

    async def _read(self) -> Sequence[Any]:
        body, sink, done = self._body, self._sink, self._done
        if not self._is_going:
            return await body.read()  # type: ignore[no-any-return]
        try:
            while True:
                raws: Sequence[Any] = await body.read_into(self)
                if not sink.is_pending:
                    return raws
                await sink.finish()
                if done:
                    return ()
        finally:
            # A traceback keeps this frame, and the processor may have the exception.
            del body, done

    def make_take(self) -> Callable[[Any], bool]:
        """Return the function that sends the records of one read, and returns whether to go on."""
        processor, recorder, done, post = self._processor, self._recorder, self._done, self._sink.post
        prefix, suffix, joined, on_idle = processor.prefix, processor.suffix, processor.joined, processor.on_idle

        def take(raw: Any) -> bool:
            records = recorder(raw, prefix, suffix)
            if type(records) is list:
                records = joined(records)
            if records:
                return post(records) and not done
            return not done and not on_idle()

        return take

    def make_relay_parts(self) -> tuple[tuple[Any, ...], tuple[Any, ...]] | None:
        """Return the arguments with which the core does the same as :meth:`make_take`'s function, if it can."""
        client = self._sink.client
        if client is None:
            return None
        processor = self._processor
        prefix, suffix, joined, on_idle = processor.prefix, processor.suffix, processor.joined, processor.on_idle
        return (self._recorder, prefix, suffix, joined, on_idle, self._done), client

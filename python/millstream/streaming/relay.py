"""``Pump``: sends the records of a stream from the callback that reads the connection, without a step of a task.

:func:`~millstream.streaming.drive.adrive_records` opens the source, tries again, closes and raises, whoever sends. With
a pump it reads the body through it. Until the first record has been sent, and where the body is not a connection of
ours, the pump only passes reads on. From then on the connection's callback makes the records of each read in one call
and hands them to the sink, while the driver waits in one read. That read returns at the end, and wherever the callback
cannot go on: the sink has to wait for its client, or the processor is done.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
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
    def is_pending(self) -> bool:
        """Whether what :meth:`post` began has not been sent yet."""

    async def finish(self) -> None:
        """Wait until what :meth:`post` began is sent."""


class Pump:
    """Reads the bodies of one stream. :meth:`go` is called after each record that the driver has yielded."""

    __slots__ = (
        *("_body", "_done", "_is_going", "_joined", "_on_idle", "_post"),
        *("_prefix", "_recorder", "_sink", "_suffix"),
    )

    def __init__(self, sink: RecordSink) -> None:
        self._sink = sink
        self._body: Any = None
        self._is_going = False

    def attach(self, body: Any, processor: RecordProcessor, recorder: Recorder) -> Read:
        """Return what reads ``body``, the next one of the stream, for ``processor``."""
        if not hasattr(body, "read_into"):
            return body.read  # type: ignore[no-any-return]
        self._body = body
        self._recorder, self._prefix, self._suffix = recorder, processor.prefix, processor.suffix
        self._joined, self._on_idle, self._done = processor.joined, processor.on_idle, processor.done
        return self._read

    def go(self) -> None:
        """Begin to send from the callback, if that is possible: the driver opens no other body from now on."""
        if self._body is not None and not self._is_going and self._sink.is_direct:
            self._is_going, self._post = True, self._sink.post

    async def _read(self) -> Sequence[Any]:
        body, sink = self._body, self._sink
        if not self._is_going:
            return await body.read()  # type: ignore[no-any-return]
        while True:
            raws: Sequence[Any] = await body.read_into(self._take)
            if not sink.is_pending:
                return raws
            await sink.finish()
            if self._done:
                return ()

    def _take(self, raw: Any) -> bool:
        """Send the records of one read; return whether to go on."""
        records = self._recorder(raw, self._prefix, self._suffix)
        if type(records) is list:
            records = self._joined(records)
        if records:
            return self._post(records) and not self._done
        return not self._done and not self._on_idle()

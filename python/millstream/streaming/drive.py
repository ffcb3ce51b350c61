"""The drivers: a processor over a source as one generator, for sync code, for async code, and for records.

Where a body breaks off before anything came out of it, nobody has seen anything: the source may open
another one then, and the stream begins anew.
"""

from __future__ import annotations

from collections.abc import AsyncGenerator, Generator, Iterator
from typing import TYPE_CHECKING, Any

from ..errors import APIConnectionError, StreamError
from .protocols import AsyncBody, Processor, RecordProcessor, Source
from .stream import Out

if TYPE_CHECKING:
    from .relay import Pump

__all__ = ("abegin", "adrive", "adrive_records", "begin", "drive")


def drive(source: Source, processor: Processor[Out]) -> Generator[Out, None, None]:
    """Run ``processor`` over ``source``, for sync code; the rules are those of :func:`adrive`."""
    opener: Any = source
    del source
    body: Any = None
    done: Any = None
    try:
        yield from processor.start()
        body = opener.open()
        try:
            again = body
            while again is not None:
                body, again = again, None
                if begun := processor.opened(body):
                    opener = None
                    yield from begun
                done = processor.done
                try:
                    for outputs in map(processor.feed, () if done else body):
                        # Most reads have one output; setting up a loop for it costs as much as a step.
                        if len(outputs) == 1:
                            # What the request was made of is not kept for the length of the stream.
                            opener = None
                            yield outputs[0]
                        elif outputs:
                            opener = None
                            yield from outputs
                        if done or (not outputs and processor.on_idle()):
                            break
                except (APIConnectionError, StreamError) as error:
                    processor.on_disconnect(error)
                again = _begin_again(opener, processor, body)
            yield from processor.close()
            if processor.error is not None:
                raise processor.error
            body.drain()
        finally:
            body.close()
    finally:
        processor.release()
        # A traceback keeps this frame. Were these in it, they would keep the exception they hold: a cycle,
        # and what is in it would stay until the next collection.
        del opener, processor, body, done


async def adrive(source: Source, processor: Processor[Out]) -> AsyncGenerator[Out, None]:
    """Run ``processor`` over ``source``, for async code: one generator straight over the connection.

    * No timeout, cancel scope or context variable is held across a ``yield``: a consumer's cancellation
      reaches the ``yield`` or the read, and the ``finally`` closes the body.
    * A stream's error is raised last, after the outputs that came before it and those of ``close()``.
    * The first output sets ``opener`` to ``None``. A body that breaks off from then on is not replaced,
      and the request is freed, which may be large.
    * ``feed`` and ``done`` are read once a body, so that an item costs one call and one truth test.
    * The locals are deleted at the end. A traceback keeps this frame, and the frame would keep the
      exception by way of the processor: a cycle, and the connection in it would wait for the collector.

    :func:`drive` and :func:`adrive_records` follow the same lines; a change to one is a change to all three.
    """
    opener: Any = source
    del source
    body: Any = None
    feed = done = body
    try:
        for output in processor.start():
            yield output
        body = await opener.aopen()
        try:
            again = body
            while again is not None:
                body, again = again, None
                for output in processor.opened(body) or ():
                    opener = None
                    yield output
                feed, done = processor.feed, processor.done
                try:
                    while not done and (raws := await body.read()):
                        for outputs in map(feed, raws):
                            if len(outputs) == 1:
                                opener = None
                                yield outputs[0]
                            else:
                                for output in outputs:
                                    opener = None
                                    yield output
                            if done or (not outputs and processor.on_idle()):
                                done = True
                                break
                except (APIConnectionError, StreamError) as error:
                    processor.on_disconnect(error)
                again = await _abegin_again(opener, processor, body)
            for output in processor.close():
                yield output
            if processor.error is not None:
                raise processor.error
            await body.adrain()
        finally:
            await body.aclose()
    finally:
        processor.release()
        del opener, processor, body, feed, done


async def adrive_records(
    source: Source, processor: RecordProcessor, pump: Pump | None = None
) -> AsyncGenerator[bytes, None]:
    """Run ``processor`` over ``source`` as :func:`adrive` does, at one call and one step per raw item.

    A ``pump`` reads each body in its place, and may send records itself once one was yielded.
    """
    opener: Any = source
    del source
    body: Any = None
    recorder = read = done = body
    try:
        if records := processor.start():
            yield records
        body = await opener.aopen()
        try:
            again = body
            while again is not None:
                body, again = again, None
                if records := processor.opened(body):
                    opener = None
                    yield records
                recorder, prefix, suffix, done = processor.recorder, processor.prefix, processor.suffix, processor.done
                read = body.read if pump is None else pump.attach(body, processor, recorder)
                try:
                    while not done and (raws := await read()):
                        for raw in raws:
                            records = recorder(raw, prefix, suffix)
                            if type(records) is list:
                                records = processor.joined(records)
                            if records:
                                # What the request was made of is not kept for the length of the stream.
                                opener = None
                                yield records
                            if done or (not records and processor.on_idle()):
                                done = True
                                break
                        # With a pump, the next read may take as long as the stream.
                        del raws, raw, records
                except (APIConnectionError, StreamError) as error:
                    processor.on_disconnect(error)
                again = await _abegin_again(opener, processor, body)
            if records := processor.close():
                yield records
            if processor.error is not None:
                raise processor.error
            await body.adrain()
        finally:
            await body.aclose()
    finally:
        processor.release()
        # A traceback keeps this frame, as it does the driver's.
        del opener, processor, body, recorder, read, pump, done


def begin(source: Source, processor: Processor[Out]) -> tuple[_Begun, list[Out]]:
    """Open a body and read it as far as the first outputs; return the rest of it, and these outputs.

    Without outputs, the body has ended, or the processor is done. The body is closed if this raises.
    """
    opener: Any = source
    body: Any = opener.open()
    try:
        again = body
        while again is not None:
            body, again = again, None
            raws = iter(body)
            outputs, done = list(processor.opened(body) or ()), processor.done
            try:
                for raw in () if outputs or done else raws:
                    outputs = list(processor.feed(raw))
                    if outputs or done or processor.on_idle():
                        break
            except (APIConnectionError, StreamError) as error:
                processor.on_disconnect(error)
            if not outputs:
                again = _begin_again(opener, processor, body)
        return _Begun(raws, body), outputs
    except BaseException:
        body.close()
        raise
    finally:
        del source, opener, processor, body


async def abegin(source: Source, processor: Processor[Out]) -> tuple[AsyncBody, list[Out]]:
    """:func:`begin` for async code: the outputs are those of all raw items that have arrived."""
    opener: Any = source
    body: Any = await opener.aopen()
    try:
        again = body
        while again is not None:
            body, again = again, None
            outputs, done = list(processor.opened(body) or ()), processor.done
            try:
                while not outputs and not done and (raws := await body.read()):
                    for some in map(processor.feed, raws):
                        outputs += some
                        if done or (not some and processor.on_idle()):
                            done = (True,)
                            break
            except (APIConnectionError, StreamError) as error:
                processor.on_disconnect(error)
            if not outputs:
                again = await _abegin_again(opener, processor, body)
        return body, outputs
    except BaseException:
        await body.aclose()
        raise
    finally:
        del source, opener, processor, body


class _Begun:
    """A body that has been read in part."""

    __slots__ = ("_body", "_raws")

    def __init__(self, raws: Iterator[Any], body: Any) -> None:
        self._raws = raws
        self._body = body

    def __iter__(self) -> Iterator[Any]:
        return self._raws

    def drain(self) -> None:
        """Drain the body."""
        self._body.drain()

    def close(self) -> None:
        """Close the body."""
        self._body.close()


def _begin_again(source: Any, processor: Any, body: Any) -> Any:
    """Return another body of ``source`` in place of ``body``, which has ended; ``None`` where there is none.

    A lost connection is tried again only while the consumer has seen nothing, so that no text comes twice.
    Three parties have a say. The driver passes ``None`` as ``source`` once something has come out. The
    processor answers ``early_disconnect()``: the failure, by default if a connection (not a timeout, an error
    or an end mark) ended a stream without a single delta. The source answers ``reopen(failure)``: it waits and
    sends the request again, or returns ``None`` where ``max_retries`` or ``total_timeout`` is used up.
    The tries count together with those that got no response at all. ``opened`` of the processor then
    starts over with a new decoder.
    """
    failure: Any = None
    try:
        if source is None or (failure := processor.early_disconnect()) is None:
            return None
        body.close()
        return source.reopen(failure)
    finally:
        # What reopening raises keeps this frame.
        del source, processor, body, failure


async def _abegin_again(source: Any, processor: Any, body: Any) -> Any:
    """:func:`_begin_again` for async code."""
    failure: Any = None
    try:
        if source is None or (failure := processor.early_disconnect()) is None:
            return None
        await body.aclose()
        return await source.areopen(failure)
    finally:
        del source, processor, body, failure

"""The drivers: a processor over a source as one generator, for sync code, for async code, and for records.

Where a body breaks off before anything came out of it, nobody has seen anything: the source may open
another one then, and the stream begins anew.
"""

from __future__ import annotations

from collections.abc import AsyncGenerator, Generator
from typing import Any

from ..errors import APIConnectionError, StreamError
from .protocols import Part, RecordPart, Source
from .stream import Out

__all__ = ("adrive", "drive", "relayed")


def drive(source: Source, part: Part[Out]) -> Generator[Out, None, None]:
    """Run ``part`` over ``source``, for sync code."""
    opener: Any = source
    del source
    body: Any = None
    over: Any = None
    try:
        yield from part.begin()
        body = opener.open()
        try:
            again = body
            while again is not None:
                body, again = again, None
                part.opened(body)
                over = part.over
                try:
                    for outputs in map(part.feed, body):
                        # Most reads bring one output; setting up a loop for it costs as much as a step.
                        if len(outputs) == 1:
                            # What the request was made of is not kept for the length of the stream.
                            opener = None
                            yield outputs[0]
                        elif outputs:
                            opener = None
                            yield from outputs
                        if over or (not outputs and part.idle()):
                            break
                except (APIConnectionError, StreamError) as error:
                    part.lost(error)
                    again = _begin_again(opener, part, body)
            yield from part.finish()
            if part.failure is not None:
                raise part.failure
            body.drain()
        finally:
            body.close()
    except BaseException as error:
        part.broken(error)
        raise
    finally:
        # A traceback keeps this frame. Were these in it, they would keep the exception they hold: a cycle,
        # and what is in it would stay until the next collection.
        del opener, part, body, over


async def adrive(source: Source, part: Part[Out]) -> AsyncGenerator[Out, None]:
    """Run ``part`` over ``source``, for async code."""
    opener: Any = source
    del source
    body: Any = None
    feed = over = body
    try:
        for output in part.begin():
            yield output
        body = await opener.aopen()
        try:
            again = body
            while again is not None:
                body, again = again, None
                part.opened(body)
                feed, over = part.feed, part.over
                try:
                    while not over and (raws := await body.read()):
                        for outputs in map(feed, raws):
                            if len(outputs) == 1:
                                opener = None
                                yield outputs[0]
                            else:
                                for output in outputs:
                                    opener = None
                                    yield output
                            if over or (not outputs and part.idle()):
                                over = True
                                break
                except (APIConnectionError, StreamError) as error:
                    part.lost(error)
                    again = await _abegin_again(opener, part, body)
            for output in part.finish():
                yield output
            if part.failure is not None:
                raise part.failure
            await body.adrain()
        finally:
            await body.aclose()
    except BaseException as error:
        part.broken(error)
        raise
    finally:
        del opener, part, body, feed, over


async def relayed(source: Source, part: RecordPart) -> AsyncGenerator[bytes, None]:
    """Run ``part`` over ``source``: what ``adrive`` does, at one call and one step per raw item."""
    opener: Any = source
    del source
    body: Any = None
    recorder = over = body
    try:
        if records := part.begin():
            yield records
        body = await opener.aopen()
        try:
            again = body
            while again is not None:
                body, again = again, None
                part.opened(body)
                recorder, prefix, suffix, over = part.recorder, part.prefix, part.suffix, part.over
                try:
                    while not over and (raws := await body.read()):
                        for raw in raws:
                            records = recorder(raw, prefix, suffix)
                            if type(records) is list:
                                records = part.joined(records)
                            if records:
                                # What the request was made of is not kept for the length of the stream.
                                opener = None
                                yield records
                            if over or (not records and part.idle()):
                                over = True
                                break
                except (APIConnectionError, StreamError) as error:
                    part.lost(error)
                    again = await _abegin_again(opener, part, body)
            if records := part.finish():
                yield records
            if part.failure is not None:
                raise part.failure
            await body.adrain()
        finally:
            await body.aclose()
    except BaseException as error:
        part.broken(error)
        raise
    finally:
        # A traceback keeps this frame, as it does the driver's.
        del opener, part, body, recorder, over


def _begin_again(source: Any, part: Any, body: Any) -> Any:
    """Return another body of ``source`` in place of ``body``, which broke off; ``None`` where there is none.

    ``source`` is ``None`` where something has come out.
    """
    failure: Any = None
    try:
        if source is None or (failure := part.cut()) is None:
            return None
        body.close()
        return source.reopen(failure)
    finally:
        # What reopening raises keeps this frame.
        del source, part, body, failure


async def _abegin_again(source: Any, part: Any, body: Any) -> Any:
    """:func:`_begin_again` for async code."""
    failure: Any = None
    try:
        if source is None or (failure := part.cut()) is None:
            return None
        await body.aclose()
        return await source.areopen(failure)
    finally:
        del source, part, body, failure

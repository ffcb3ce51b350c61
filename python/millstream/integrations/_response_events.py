"""The events behind ``iter_sse`` and ``aiter_sse``: one parser over the body of a response."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Generator
from typing import TYPE_CHECKING

from .._backend import SSEParser
from ..errors import StreamDecodeError
from ._decoded_response import acheck_status, check_status

if TYPE_CHECKING:
    from .._backend import ServerSentEvent
    from ._bodies.base import AsyncBody, Body, ResponseBody

__all__ = ("aiterate_events", "iterate_events")

_EVENT_STREAM = "text/event-stream"


def iterate_events(body: Body, parser: SSEParser, size: int) -> Generator[ServerSentEvent, None, None]:
    """Yield the events of ``body``, and close it. ``size`` is the maximum size of an event."""
    try:
        check_status(body)
        _check_type(body)
        feed = parser.feed
        for data in body:
            events = feed(data)
            yield from events
            if not events or len(data) > size:
                _check_size(parser)
        yield from parser.close()
    finally:
        body.close()


async def aiterate_events(body: AsyncBody, parser: SSEParser, size: int) -> AsyncGenerator[ServerSentEvent, None]:
    """:func:`iterate_events` for async code."""
    try:
        await acheck_status(body)
        _check_type(body)
        feed = parser.feed
        while reads := await body.read():
            for data in reads:
                for event in (events := feed(data)):
                    yield event
                if not events or len(data) > size:
                    _check_size(parser)
        for event in parser.close():
            yield event
    finally:
        await body.aclose()


def _check_size(parser: SSEParser) -> None:
    """Raise the parser's error. Only a read without events, or one larger than an event may be, can cause it."""
    if parser.failure is not None:
        raise parser.failure


def _check_type(body: ResponseBody) -> None:
    """Raise for a response that says to be anything but an event stream: it would look like one without events.

    From here on, the reads raise the client's own exceptions.
    """
    body.passes_errors = True
    content_type = body.headers.get("content-type", _EVENT_STREAM)
    if _EVENT_STREAM not in content_type.lower():
        raise StreamDecodeError(
            f"the response is not an event stream: its content-type is {content_type!r}, not {_EVENT_STREAM!r}"
            " (pass an iterable of its bytes to read it nevertheless)"
        )

"""Reads the streamed response of any HTTP client: its text, deltas or records, or its server-sent events.

``decode`` and ``iter_sse`` are for sync code, ``adecode`` and ``aiter_sse`` for async code. They take a response whose
body has not been read: of httpx, httpx2, requests, urllib3, aiohttp or ``urllib.request``, the object of the OpenAI
SDK's ``with_streaming_response``, or an iterable of bytes. None of these libraries is imported.
"""

from __future__ import annotations

from collections.abc import AsyncGenerator, Generator
from typing import TYPE_CHECKING, Any, Literal, TypedDict, Unpack, overload

from .._backend import SSEParser
from ..streaming.drive import adrive, drive
from ..streaming.stream import AsyncStream, Stream
from ._bodies import open_async_body, open_body
from ._decoded_response import Deltas, Records, ResponseSource, Texts, find_format
from ._response_events import aiterate_events, iterate_events

if TYPE_CHECKING:
    from .._backend import Delta, ServerSentEvent
    from ._bodies import AsyncBody, Body

__all__ = ("adecode", "aiter_sse", "decode", "iter_sse")

Output = Literal["text", "deltas", "records"]

_PROCESSORS: dict[str, Any] = {"text": Texts, "deltas": Deltas, "records": Records}


class Options(TypedDict, total=False):
    """The options of each output, as the decoder has them: ``max_event_size`` is 16 MiB by default."""

    format: str | None
    n: int | None
    max_event_size: int


class RecordOptions(Options, total=False):
    """Those of records, which stand between ``b"data: "`` and a blank line by default."""

    prefix: bytes
    suffix: bytes


class ResponseStream(Stream[Any]):
    """A stream over a response of the caller's, which :meth:`close` closes even if nothing has been read."""

    __slots__ = ("_body",)

    def __init__(self, outputs: Generator[Any, None, None], body: Body) -> None:
        super().__init__(outputs)
        self._body = body

    def close(self) -> None:
        """Close the stream and the response, before this call returns."""
        super().close()
        self._body.close()


class AsyncResponseStream(AsyncStream[Any]):
    """:class:`ResponseStream` for async code."""

    __slots__ = ("_body",)

    def __init__(self, outputs: AsyncGenerator[Any, None], body: AsyncBody) -> None:
        super().__init__(outputs)
        self._body = body

    async def aclose(self) -> None:
        """Close the stream and the response, before this call returns."""
        try:
            await super().aclose()
        finally:
            await self._body.aclose()


@overload
def decode(response: Any, output: Literal["text"] = "text", **options: Unpack[Options]) -> Stream[str]: ...
@overload
def decode(response: Any, output: Literal["deltas"], **options: Unpack[Options]) -> Stream[Delta]: ...
@overload
def decode(response: Any, output: Literal["records"], **options: Unpack[RecordOptions]) -> Stream[bytes]: ...
def decode(response: Any, output: Output = "text", **options: Any) -> Stream[Any]:
    r"""Return a stream of what a model's streamed ``response`` says; the response is closed with it.

    ``output`` is ``"text"``, the text of choice 0 in pieces, ``"deltas"``, each :class:`~millstream.Delta`, or
    ``"records"``: for each network read one ``bytes``, ready to be sent, in which each text is JSON between ``prefix``
    and ``suffix``. ``format`` is one of :class:`~millstream.StreamDecoder`; by default it is found by the path of
    the response's URL, or else by the first payload. ``n`` and ``max_event_size`` are the decoder's, too.

    Outputs arrive with the network read that completes them. The first step raises
    :class:`~millstream.errors.APIStatusError` for an error status, with the server's reason. After all that was right,
    the stream raises :class:`~millstream.errors.StreamTruncatedError` if it was cut off,
    :class:`~millstream.errors.StreamStalledError` if the client's timeout ended it,
    :class:`~millstream.errors.ProviderError` for an error in the stream: all with the text so far, and with the
    client's exception as their cause. The request is not sent again.

    >>> from millstream.integrations.responses import decode
    >>> body = [b'data: {"choices": [{"delta": {"content": "Hel"}}]}\n\n', b'data: {"choices": [{"delta": {"co',
    ...         b'ntent": "lo"}, "finish_reason": "stop"}]}\n\ndata: [DONE]\n\n']
    >>> list(decode(body))
    ['Hel', 'lo']
    >>> b"".join(decode(body, "records"))
    b'data: "Hel"\n\ndata: "lo"\n\n'
    """
    processor = _make_processor(response, output, **options)
    body = open_body(response)
    return ResponseStream(drive(ResponseSource(body), processor), body)


@overload
def adecode(response: Any, output: Literal["text"] = "text", **options: Unpack[Options]) -> AsyncStream[str]: ...
@overload
def adecode(response: Any, output: Literal["deltas"], **options: Unpack[Options]) -> AsyncStream[Delta]: ...
@overload
def adecode(response: Any, output: Literal["records"], **options: Unpack[RecordOptions]) -> AsyncStream[bytes]: ...
def adecode(response: Any, output: Output = "text", **options: Any) -> AsyncStream[Any]:
    r"""Return an async stream of what a model's streamed ``response`` says; see :func:`decode`.

    >>> import asyncio
    >>> from millstream.integrations.responses import adecode
    >>> async def body():
    ...     yield b'data: {"choices": [{"text": "Hello", "finish_reason": "stop"}]}\n\ndata: [DONE]\n\n'
    >>> async def main():
    ...     async for text in adecode(body()):
    ...         print(text)
    >>> asyncio.run(main())
    Hello
    """
    processor = _make_processor(response, output, **options)
    body = open_async_body(response)
    return AsyncResponseStream(adrive(ResponseSource(body), processor), body)


def iter_sse(response: Any, *, max_event_size: int = 16777216, eof: str = "discard") -> Stream[ServerSentEvent]:
    r"""Return a stream of the server-sent events of ``response``, which is closed with it.

    They are those of :class:`~millstream.SSEParser`, whose arguments these are: exactly the WHATWG specification's. The
    first step raises :class:`~millstream.errors.APIStatusError` for an error status, and
    :class:`~millstream.errors.StreamDecodeError` for a response of another type than ``text/event-stream``; an iterable
    of bytes, such as ``response.iter_bytes()``, has no type. A broken connection raises the client's own exception, and
    an event that is too large :class:`~millstream.errors.EventTooLargeError`. The request is not sent again.

    >>> from millstream.integrations.responses import iter_sse
    >>> for event in iter_sse([b"event: greeting\nid: 1\nda", b"ta: Hello\n\n"]):
    ...     print(event.event, event.id, event.data)
    greeting 1 Hello
    """
    parser, body = SSEParser(max_event_size=max_event_size, eof=eof), open_body(response)
    return ResponseStream(iterate_events(body, parser, max_event_size), body)


def aiter_sse(response: Any, *, max_event_size: int = 16777216, eof: str = "discard") -> AsyncStream[ServerSentEvent]:
    r"""Return an async stream of the server-sent events of ``response``; see :func:`iter_sse`.

    >>> import asyncio
    >>> from millstream.integrations.responses import aiter_sse
    >>> async def body():
    ...     yield b"data: Hello\n\n"
    >>> async def main():
    ...     async for event in aiter_sse(body()):
    ...         print(event.data)
    >>> asyncio.run(main())
    Hello
    """
    parser, body = SSEParser(max_event_size=max_event_size, eof=eof), open_async_body(response)
    return AsyncResponseStream(aiterate_events(body, parser, max_event_size), body)


def _make_processor(response: Any, output: Output, *, format: str | None = None, **options: Any) -> Any:
    """Return the processor for ``output``; raises for wrong arguments, as the decoder does."""
    if output not in _PROCESSORS:
        raise ValueError(f"output must be one of {', '.join(map(repr, _PROCESSORS))}, not {output!r}")
    allowed = (RecordOptions if output == "records" else Options).__annotations__
    for name in options:
        if name not in allowed:
            raise TypeError(f"the output {output!r} takes no argument {name!r}: it takes {', '.join(allowed)}")
    return _PROCESSORS[output](find_format(response) if format is None else format, **options)

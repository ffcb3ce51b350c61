"""``django_response``: a stream as the response of a Django view, under ASGI or under WSGI.

Django has two ways to send a stream, and reads it whole first where it is given the other kind; the responses here
refuse that.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Iterator, Mapping
from contextlib import aclosing
from math import inf
from typing import TYPE_CHECKING, Any

from django.http import HttpResponse, StreamingHttpResponse

from .bodies import as_body, as_sync_body, check_limit, response_headers
from .errors import error_response
from .readers import AsyncReader, awaits_chunk
from .wsgi import Pieces, report_error

if TYPE_CHECKING:
    from ..wires.names import Wire

__all__ = ("adjango_response", "django_response")


def django_response(
    content: Any,
    *,
    wire: Wire | None = None,
    status_code: int = 200,
    headers: Mapping[str, str] | None = None,
    wait_for_first_chunk: bool = False,
    ping_interval: float | None = 15.0,
    include_input: bool = False,
    on_error: Callable[[Exception], None] | None = None,
) -> Any:
    """Return a Django response that sends ``content``.

    Under ASGI it is an async stream, which an async view returns; under WSGI a sync one, which a sync view returns::

        async def chat(request):
            return django_response(chain.astream(request.POST["question"]))

    The arguments are those of :class:`EventStreamResponse`. The stream is closed when the client leaves: under ASGI
    at once; under WSGI within a second if the server is gunicorn or Werkzeug, else at the second write after it. To
    wait for the first chunk of an async stream, await :func:`adjango_response`.
    """
    if hasattr(content, "__aiter__"):
        if wait_for_first_chunk:
            raise TypeError(
                "waiting for the first chunk of an async stream has to be awaited:"
                " `return await adjango_response(stream, wait_for_first_chunk=True)`"
            )
        body: Any = as_body(content, wire, include_input=include_input)
        pieces: Any = AsyncPieces(body, ping_interval, on_error)
    else:
        body = as_sync_body(content, wire, include_input=include_input)
        pieces = Pieces(body, ping_interval, on_error)
        if wait_for_first_chunk:
            try:
                pieces.begin()
            except Exception as error:
                pieces.close()
                return _failure(error, body, on_error)
    return EventStreamHttpResponse(pieces, status_code, response_headers(body, headers))


async def adjango_response(
    content: Any,
    *,
    wire: Wire | None = None,
    status_code: int = 200,
    headers: Mapping[str, str] | None = None,
    wait_for_first_chunk: bool = False,
    ping_interval: float | None = 15.0,
    include_input: bool = False,
    on_error: Callable[[Exception], None] | None = None,
) -> Any:
    """:func:`django_response` for an async stream, with ``wait_for_first_chunk``."""
    body: Any = as_body(content, wire, include_input=include_input)
    pieces = AsyncPieces(body, ping_interval, on_error)
    if wait_for_first_chunk:
        try:
            await pieces.begin()
        except BaseException as error:
            await pieces.aclose()
            if not isinstance(error, Exception):
                raise
            return _failure(error, body, on_error)
    return EventStreamHttpResponse(pieces, status_code, response_headers(body, headers))


class EventStreamHttpResponse(StreamingHttpResponse):  # type: ignore[misc]
    """A streaming response that is sent as it comes, or not at all."""

    def __init__(self, pieces: Any, status_code: int, headers: list[tuple[str, str]]) -> None:
        super().__init__(pieces, status=status_code, headers=dict(headers))
        self._pieces = pieces

    def has_header(self, header: str) -> bool:
        """Return whether the response has a header, or ``Content-Encoding``.

        Django's ``GZipMiddleware`` would hold records back until some kilobytes are there. It leaves a response alone
        that has a coding.
        """
        return header.lower() == "content-encoding" or bool(super().has_header(header))

    def __iter__(self) -> Iterator[bytes]:
        """Return the iterator of a sync stream, for WSGI."""
        if self.is_async:
            raise TypeError(
                "an async stream needs Django's ASGI handler: serve the app with `get_asgi_application()`, or return"
                " `django_response(chain.stream_records(...))` from a sync view"
            )
        self._pieces.watch(_find_environ(self))
        return iter(self.streaming_content)

    async def __aiter__(self) -> AsyncIterator[bytes]:
        """Yield the pieces of an async stream, for ASGI."""
        if not self.is_async:
            self._pieces.close()
            raise TypeError(
                "under Django's ASGI handler a response needs an async stream: return"
                " `django_response(chain.astream_records(...))` from an async view"
            )
        try:
            # A middleware may have wrapped the stream in a generator of its own.
            async with aclosing(self.streaming_content) as pieces:
                async for piece in pieces:
                    yield piece
        finally:
            await self._pieces.aclose()


class AsyncPieces:
    """The body of a response as Django iterates over it: records, keep-alive bytes, and the record of an error."""

    def __init__(self, body: Any, ping_interval: float | None, on_error: Callable[[Exception], None] | None) -> None:
        self._body = body
        self._interval = check_limit(ping_interval, "ping_interval")
        self._on_error = on_error
        self._reader = AsyncReader(body)
        self._begun = b""
        self._has_ended = False

    async def begin(self) -> None:
        """Wait for the first chunk; its records, and those before it, become the first piece."""
        begun: list[bytes] = []
        while awaits_chunk(self._body, begun):
            if (piece := await self._reader.read()) is None:
                self._has_ended = True
                break
            begun.append(piece)
        self._begun = b"".join(begun)

    def __aiter__(self) -> AsyncIterator[bytes]:
        return self

    async def __anext__(self) -> bytes:
        """Return the next piece."""
        if begun := self._begun:
            self._begun = b""
            return begun
        if self._has_ended:
            raise StopAsyncIteration
        try:
            if self._interval < inf and not await self._reader.wait(self._interval):
                return self._body.ping  # type: ignore[no-any-return]
            piece = await self._reader.read()
        except Exception as error:
            self._has_ended = True
            report_error(error, self._on_error)
            if record := self._body.fail(error):
                return record  # type: ignore[no-any-return]
            raise
        if piece is None:
            self._has_ended = True
            raise StopAsyncIteration
        return piece

    async def aclose(self) -> None:
        """Close the stream."""
        self._has_ended = True
        await self._reader.aclose()


def _find_environ(response: StreamingHttpResponse) -> Mapping[str, Any]:
    """Return the WSGI environment of the request that Django's handler closes after ``response``."""
    for close in getattr(response, "_resource_closers", ()):
        environ = getattr(getattr(close, "__self__", None), "environ", None)
        if isinstance(environ, dict):
            return environ
    return {}


def _failure(error: Exception, body: Any, on_error: Callable[[Exception], None] | None) -> Any:
    report_error(error, on_error)
    status, headers, text = error_response(error, body.wire)
    return HttpResponse(text, status=status, headers=dict(headers))

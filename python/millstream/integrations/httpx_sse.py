"""The interface of ``httpx-sse`` over httpx and httpx2: change the import, and events are parsed from bytes.

``from httpx_sse import …`` becomes ``from millstream.integrations.httpx_sse import …``.

The events are those of the WHATWG specification, where ``httpx-sse`` 0.4.3 differs: a block without ``data`` is not an
event, whatever its ``id``, ``event`` or ``retry``; one byte order mark is skipped; the text is UTF-8 whatever the
charset of the content type; ``retry`` is decimal digits. An event has a maximum size, the response is closed as soon as
its events are left, and the headers that are passed are not changed.
"""

from __future__ import annotations

import sys
from collections.abc import AsyncGenerator, Generator, Iterator
from contextlib import asynccontextmanager, contextmanager, suppress
from functools import cache
from typing import TYPE_CHECKING, Any

from .._backend import HTTPXServerSentEvent as ServerSentEvent
from .._backend import SSEParser
from ..errors import EventTooLargeError
from ._bodies.base import raise_as
from ._bodies.httpx import aopen_reads, as_client_error, open_reads

if TYPE_CHECKING:
    import httpx
    import httpx2

    Response = httpx.Response | httpx2.Response
    Client = httpx.Client | httpx2.Client
    AsyncClient = httpx.AsyncClient | httpx2.AsyncClient

__all__ = ("EventSource", "SSEError", "ServerSentEvent", "aconnect_sse", "connect_sse")

_EVENT_STREAM = "text/event-stream"
_MAX_EVENT_SIZE = 16777216


def _find_transport_errors() -> tuple[type[Exception], ...]:
    """Return ``TransportError`` of httpx and httpx2, as far as they are loaded; at least one of them is."""
    loaded: list[Any] = [sys.modules[name] for name in ("httpx", "httpx2") if sys.modules.get(name) is not None]
    # One name may be an alias of the other library.
    return tuple(dict.fromkeys(library.TransportError for library in loaded or [_load_library()]))


def _load_library() -> Any:
    """Import httpx, or else httpx2, and return it."""
    with suppress(ImportError):
        import httpx

        return httpx
    try:
        import httpx2
    except ImportError as error:
        raise ImportError("millstream.integrations.httpx_sse needs httpx or httpx2: pip install httpx") from error
    return httpx2


class SSEError(*_find_transport_errors()):  # type: ignore[misc]
    """The response is not an event stream, or an event is too large.

    One raised for a response of httpx is an ``httpx.TransportError``, and for httpx2 an ``httpx2.TransportError``. This
    class itself is that of the libraries that were imported before this module.
    """


@cache
def _error_class(library: str) -> type[SSEError]:
    """Return ``SSEError``, or a subclass of it that is a ``TransportError`` of ``library``, too."""
    theirs = getattr(sys.modules.get(library), "TransportError", SSEError)
    if issubclass(SSEError, theirs):
        return SSEError
    return type("SSEError", (SSEError, theirs), {"__module__": __name__, "__doc__": SSEError.__doc__})


class EventSource:
    """The server-sent events of ``response``, of httpx or httpx2.

    ``max_event_size`` limits what one event may hold, in bytes; a larger one raises :class:`SSEError`.
    """

    def __init__(self, response: Response, *, max_event_size: int = _MAX_EVENT_SIZE) -> None:
        self._response: Any = response
        self._max_event_size = max_event_size

    @property
    def response(self) -> Response:
        """The response, for its status and headers."""
        response: Response = self._response
        return response

    def iter_sse(self) -> Iterator[ServerSentEvent]:
        """Yield the events, each as soon as its last byte has arrived; the response is closed with this iterator.

        Raises :class:`SSEError` for a response of another type than ``text/event-stream``, and the client's own
        exceptions, such as ``httpx.ReadError``, if the connection breaks. ``num_bytes_downloaded`` of the response is
        less than 4 KiB behind on the way, and exact afterwards.
        """
        response, parser = self._response, self._make_parser()
        reads, counter = open_reads(response)
        try:
            # CPython runs this loop in less time than `yield from` an iterator that is not a generator.
            for event in parser._iterate_counted(reads, counter):  # noqa: UP028
                yield event
        except Exception as error:
            raise_as(_as_own_error(response, error))
        finally:
            counter._num_bytes_downloaded = parser._counted
            with suppress(AttributeError):
                reads.close()
            with suppress(RuntimeError):
                response.close()

    async def aiter_sse(self) -> AsyncGenerator[ServerSentEvent, None]:
        """:meth:`iter_sse` for a response of an async client."""
        response, parser = self._response, self._make_parser()
        reads, counter = aopen_reads(response)
        feed: Any = parser._feed_counted
        try:
            async for data in reads:
                found = feed(data, counter)
                # Nearly every read completes one event.
                if type(found) is not list:
                    yield found
                    continue
                for event in found:
                    yield event
                if parser.failure is not None:
                    break
            parser.close()
        except Exception as error:
            raise_as(_as_own_error(response, error))
        finally:
            counter._num_bytes_downloaded = parser._counted
            try:
                with suppress(AttributeError):
                    await reads.aclose()
            finally:
                with suppress(RuntimeError):
                    await response.aclose()

    def _make_parser(self) -> SSEParser:
        content_type = self._response.headers.get("content-type", "").partition(";")[0]
        if _EVENT_STREAM not in content_type.lower():
            raise _error_class(_find_library(self._response))(
                f"The response is not an event stream: its content-type is {content_type!r}, not {_EVENT_STREAM!r}"
            )
        return SSEParser(max_event_size=self._max_event_size)


@contextmanager
def connect_sse(
    client: Client, method: str, url: Any, *, max_event_size: int = _MAX_EVENT_SIZE, **kwargs: Any
) -> Generator[EventSource]:
    r"""Send a request and return a context manager for the :class:`EventSource` of its response.

    ``kwargs`` are those of ``client.stream``. The request asks for an event stream that was not stored
    (``Accept``, ``Cache-Control``). The response is closed at the end of the block; its status is not checked.

    >>> import httpx
    >>> from millstream.integrations.httpx_sse import connect_sse
    >>> def respond(request):
    ...     headers = {"content-type": "text/event-stream"}
    ...     return httpx.Response(200, headers=headers, content=[b"event: greeting\nda", b"ta: Hello\n\n"])
    >>> with httpx.Client(transport=httpx.MockTransport(respond)) as client:
    ...     with connect_sse(client, "GET", "http://example.com/events") as source:
    ...         list(source.iter_sse())
    [ServerSentEvent(event='greeting', data='Hello')]
    """
    with client.stream(method, url, headers=_with_accept(client, kwargs), **kwargs) as response:
        yield EventSource(response, max_event_size=max_event_size)


@asynccontextmanager
async def aconnect_sse(
    client: AsyncClient, method: str, url: Any, *, max_event_size: int = _MAX_EVENT_SIZE, **kwargs: Any
) -> AsyncGenerator[EventSource]:
    """:func:`connect_sse` for an async client."""
    async with client.stream(method, url, headers=_with_accept(client, kwargs), **kwargs) as response:
        yield EventSource(response, max_event_size=max_event_size)


def _with_accept(client: Any, kwargs: dict[str, Any]) -> Any:
    """Take the headers out of ``kwargs``, and return them with those of a request for an event stream."""
    headers = type(client.headers)(kwargs.pop("headers", None))
    headers["Accept"] = _EVENT_STREAM
    headers["Cache-Control"] = "no-store"
    return headers


def _as_own_error(response: Any, error: Exception) -> Exception:
    """Return ``error`` as the exception that the iterator raises: ours, or the client's."""
    if isinstance(error, EventTooLargeError):
        failure = _error_class(_find_library(response))(str(error))
        failure.__cause__ = error
        return failure
    return as_client_error(response, error)


def _find_library(response: Any) -> str:
    """Return the name of the library that the class of ``response`` comes from."""
    names = (kind.__module__.partition(".")[0] for kind in type(response).__mro__)
    return next((name for name in names if name in ("httpx", "httpx2")), "")

"""The interface of ``httpx-sse`` over httpx and httpx2: change the import, and events are parsed from bytes.

::

    from millstream.integrations.httpx_sse import connect_sse    # was: from httpx_sse import connect_sse

    with httpx.Client() as client, connect_sse(client, "GET", url) as source:
        for event in source.iter_sse():
            print(event.event, event.data, event.id, event.retry)

The events are those of the WHATWG specification, where ``httpx-sse`` 0.4.3 differs: a block without ``data`` is not an
event, whatever its ``id``, ``event`` or ``retry``; one byte order mark is skipped; the text is UTF-8 whatever the
charset of the content type; ``retry`` is decimal digits. An event has a maximum size, the response is closed as soon as
its events are left, and the headers that are passed are not changed.
"""

from __future__ import annotations

import json
import sys
from collections.abc import AsyncGenerator, Generator, Iterator
from contextlib import asynccontextmanager, contextmanager, suppress
from functools import cache
from typing import TYPE_CHECKING, Any

from .._backend import SSEParser
from ..errors import EventTooLargeError
from .bodies.httpx import aopen_reads, as_client_error, open_reads

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
    loaded = [name for name in ("httpx", "httpx2") if sys.modules.get(name) is not None]
    for name in () if loaded else ("httpx", "httpx2"):
        with suppress(ImportError):
            __import__(name)
            loaded = [name]
            break
    if not loaded:
        raise ImportError("millstream.integrations.httpx_sse needs httpx or httpx2: pip install httpx")
    # One name may be an alias of the other library.
    return tuple(dict.fromkeys(sys.modules[name].TransportError for name in loaded))


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


class ServerSentEvent:
    """A server-sent event; an argument that is empty or ``None`` is the field's default.

    ``event`` is its type, ``data`` the data lines joined by LF, ``id`` the last event ID of the stream, and ``retry``
    the reconnection time in milliseconds that came with the event, or ``None``.

    >>> from millstream.integrations.httpx_sse import ServerSentEvent
    >>> ServerSentEvent(data='{"ok": true}', id="7")
    ServerSentEvent(event='message', data='{"ok": true}', id='7')
    """

    __slots__ = ("__weakref__", "_data", "_event", "_id", "_retry")

    def __init__(
        self, event: str | None = None, data: str | None = None, id: str | None = None, retry: int | None = None
    ) -> None:
        self._event = event or "message"
        self._data = data or ""
        self._id = id or ""
        self._retry = retry

    @property
    def event(self) -> str:
        """The event's type: ``"message"`` where the stream named none."""
        return self._event

    @property
    def data(self) -> str:
        """The data lines, joined by LF."""
        return self._data

    @property
    def id(self) -> str:
        """The last event ID of the stream as of this event: ``""`` if it never had one."""
        return self._id

    @property
    def retry(self) -> int | None:
        """The reconnection time in milliseconds from this event's own block, or ``None``."""
        return self._retry

    def json(self) -> Any:
        """Return the data as JSON; raises ``json.JSONDecodeError`` if it is not valid JSON."""
        return json.loads(self._data)

    def __repr__(self) -> str:
        """Return the event's type, and the other fields that have a value."""
        shown = [f"event={self._event!r}"]
        shown += [f"data={self._data!r}"] if self._data else []
        shown += [f"id={self._id!r}"] if self._id else []
        shown += [f"retry={self._retry!r}"] if self._retry is not None else []
        return f"ServerSentEvent({', '.join(shown)})"


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
        exceptions, such as ``httpx.ReadError``, if the connection breaks.
        """
        response, parser, size = self._response, self._make_parser(), self._max_event_size
        reads, counter = open_reads(response)
        try:
            feed = parser.feed
            for data in reads:
                counter._num_bytes_downloaded += len(data)
                events = feed(data)
                for event in events:
                    yield ServerSentEvent(event.event, event.data, event.id, event.retry)
                # Only such a read can make an event too large; the parser then raises.
                if (not events or len(data) > size) and parser.failure is not None:
                    break
            parser.close()
        except Exception as error:
            if (failure := _as_own_error(response, error)) is error:
                raise
            raise failure from failure.__cause__
        finally:
            with suppress(AttributeError):
                reads.close()
            with suppress(RuntimeError):
                response.close()

    async def aiter_sse(self) -> AsyncGenerator[ServerSentEvent, None]:
        """:meth:`iter_sse` for a response of an async client."""
        response, parser, size = self._response, self._make_parser(), self._max_event_size
        reads, counter = aopen_reads(response)
        try:
            feed = parser.feed
            async for data in reads:
                counter._num_bytes_downloaded += len(data)
                events = feed(data)
                for event in events:
                    yield ServerSentEvent(event.event, event.data, event.id, event.retry)
                # Only such a read can make an event too large; the parser then raises.
                if (not events or len(data) > size) and parser.failure is not None:
                    break
            parser.close()
        except Exception as error:
            if (failure := _as_own_error(response, error)) is error:
                raise
            raise failure from failure.__cause__
        finally:
            try:
                with suppress(AttributeError):
                    await reads.aclose()
            finally:
                with suppress(RuntimeError):
                    await response.aclose()

    def _make_parser(self) -> SSEParser:
        content_type = self._response.headers.get("content-type", "").partition(";")[0]
        if _EVENT_STREAM not in content_type:
            raise _error_class(_find_library(self._response))(
                f"The response is not an event stream: its content-type is {content_type!r}, not {_EVENT_STREAM!r}"
            )
        return SSEParser(max_event_size=self._max_event_size)


@contextmanager
def connect_sse(
    client: Client, method: str, url: Any, *, max_event_size: int = _MAX_EVENT_SIZE, **kwargs: Any
) -> Generator[EventSource]:
    """Send a request and return a context manager for the :class:`EventSource` of its response.

    ``kwargs`` are those of ``client.stream``. The request asks for an event stream that was not stored
    (``Accept``, ``Cache-Control``). The response is closed at the end of the block; its status is not checked.
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

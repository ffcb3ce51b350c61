"""``WSGIEventStreamResponse``: a sync stream as the response of a WSGI application, as Flask's views return it."""

from __future__ import annotations

import select
import socket
from collections.abc import Callable, Iterable, Iterator, Mapping
from http import HTTPStatus
from math import inf
from typing import TYPE_CHECKING, Any

from .bodies import as_sync_body, check_limit, response_headers
from .errors import error_response, log_error, logger
from .readers import PlainReader, Reader, ThreadReader, awaits_chunk

if TYPE_CHECKING:
    from wsgiref.types import StartResponse, WSGIEnvironment

    from ..wires.names import Wire

__all__ = ("WSGIEventStreamResponse",)

_LOOK_SECONDS = 1.0
"""How often a silent response looks whether its client is still there, where the server has the socket at hand."""

_SOCKETS = ("gunicorn.socket", "werkzeug.socket")
"""Where servers keep the client's socket in the environment of a request."""


class WSGIEventStreamResponse:
    """A sync stream as a response: a WSGI application, which a Flask view may return.

    ::

        @app.post("/chat")
        def chat():
            return WSGIEventStreamResponse(chain.stream(request.json["question"]))

    ``content`` is what ``stream_records`` returns, a stream of chunks or events, or any iterable of ``bytes``,
    ``str`` or :class:`~millstream.ServerSentEvent`. The arguments are those of :class:`EventStreamResponse`, and so
    are the headers, the statuses and the records of errors.

    The stream is read in its own thread, with the context variables of the view, Flask's ``request`` among them.
    While it is silent for ``ping_interval`` seconds, keep-alive bytes are written; ``None`` writes none, and reads
    the stream in the server's thread. The stream is closed, with its connection to the model, when the client has
    left. A WSGI application learns that by a failed write, so at the next record or keep-alive; gunicorn and
    Werkzeug have the client's socket at hand, which is looked at every second.
    ``docs/how-to/flask.md`` says what else WSGI cannot do.
    """

    def __init__(
        self,
        content: Iterable[Any],
        *,
        wire: Wire | None = None,
        status_code: int = 200,
        headers: Mapping[str, str] | None = None,
        wait_for_first_chunk: bool = False,
        ping_interval: float | None = 15.0,
        include_input: bool = False,
        on_error: Callable[[Exception], None] | None = None,
    ) -> None:
        self.body: Any = as_sync_body(content, wire, include_input=include_input)
        self.status_code = status_code
        self.headers = response_headers(self.body, headers)
        self._waits = wait_for_first_chunk
        self._on_error = on_error
        self._pieces = Pieces(self.body, ping_interval, on_error)

    def __call__(self, environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        """Start the response, and return its body; WSGI servers call it, once."""
        pieces = self._pieces
        if environ.get("REQUEST_METHOD") == "HEAD":
            pieces.close()
            start_response(status_line(self.status_code), self.headers)
            return []
        pieces.watch(environ)
        if self._waits:
            try:
                pieces.begin()
            except Exception as error:
                pieces.close()
                report_error(error, self._on_error)
                status, headers, text = error_response(error, self.body.wire)
                start_response(status_line(status), headers)
                return [text]
        start_response(status_line(self.status_code), self.headers)
        return pieces


class Pieces:
    """The body of a response as its server iterates over it: records, keep-alive bytes, and the record of an error.

    The first piece is empty, so that the head leaves before there is a record.
    """

    def __init__(self, body: Any, ping_interval: float | None, on_error: Callable[[Exception], None] | None) -> None:
        self._body = body
        self._interval = check_limit(ping_interval, "ping_interval")
        self._on_error = on_error
        self._reader: Reader = PlainReader(body) if ping_interval is None else ThreadReader(body)
        self._begun: bytes | None = b""
        self._has_ended = False
        self._socket: Any = None

    def watch(self, environ: Mapping[str, Any]) -> None:
        """Look at the client's socket while the stream is silent, if ``environ`` has it."""
        self._socket = next((environ[name] for name in _SOCKETS if name in environ), None)

    def begin(self) -> None:
        """Wait for the first chunk; its records, and those before it, become the first piece.

        Raises the error of a stream that has no chunk.
        """
        begun: list[bytes] = []
        try:
            while awaits_chunk(self._body, begun):
                if not self._wait(inf):
                    break
                begun.append(self._reader.read())
        except StopIteration:
            self._has_ended = True
        self._begun = b"".join(begun)

    def __iter__(self) -> Iterator[bytes]:
        return self

    def __next__(self) -> bytes:
        if (begun := self._begun) is not None:
            self._begun = None
            return begun
        if self._has_ended:
            raise StopIteration
        try:
            if self._wait(self._interval):
                return self._reader.read()
        except StopIteration:
            self._has_ended = True
            raise
        except Exception as error:
            self._has_ended = True
            report_error(error, self._on_error)
            if record := self._body.fail(error):
                return record  # type: ignore[no-any-return]
            raise
        if self._has_ended:
            raise StopIteration
        return self._body.ping  # type: ignore[no-any-return]

    def close(self) -> None:
        """Close the stream; the server calls it when the response has ended, or its client has left."""
        self._has_ended = True
        self._reader.close()

    def _wait(self, seconds: float) -> bool:
        """Wait for a record or the end, at most ``seconds``; return whether there is one of them.

        A client that leaves meanwhile ends the body.
        """
        while not self._reader.wait(min(seconds, _LOOK_SECONDS)):
            if self._socket is not None and has_left(self._socket):
                self.close()
                return False
            seconds -= _LOOK_SECONDS
            if seconds <= 0:
                return False
        return True


def report_error(error: Exception, on_error: Callable[[Exception], None] | None) -> None:
    """Log ``error``, and call the hook of the app."""
    log_error(error)
    if on_error is not None:
        try:
            on_error(error)
        except Exception:
            logger.exception("on_error raised an exception")


def has_left(connection: Any) -> bool:
    """Return whether the client at the other end of a socket has closed it; ``False`` where that is not known."""
    try:
        poll = select.poll()
        poll.register(connection, select.POLLIN)
        return bool(poll.poll(0)) and not connection.recv(1, socket.MSG_PEEK)
    except (ConnectionError, TimeoutError):
        return True
    except (AttributeError, OSError, ValueError):
        # There is no poll on Windows, and no peeking on an encrypted connection.
        return False


def status_line(status: int) -> str:
    """Return a status with its phrase, as WSGI wants it."""
    try:
        return f"{status} {HTTPStatus(status).phrase}"
    except ValueError:
        return f"{status} Unknown"

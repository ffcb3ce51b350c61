"""WSGI applications behind servers on the loopback interface, and clients that read from them or leave."""

from __future__ import annotations

import http.client
import socket
import threading
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from socketserver import ThreadingMixIn
from typing import TYPE_CHECKING, Any, NamedTuple
from wsgiref.simple_server import WSGIRequestHandler, WSGIServer

from werkzeug.serving import WSGIRequestHandler as WerkzeugHandler
from werkzeug.serving import make_server

if TYPE_CHECKING:
    from wsgiref.types import WSGIApplication

__all__ = ("SERVERS", "Answer", "ask", "leaving", "running", "serving")


class Answer(NamedTuple):
    """A whole response; ``is_cut`` is whether the connection ended before the body did."""

    status: int
    headers: dict[str, str]
    body: bytes
    is_cut: bool


class _ReferenceServer(ThreadingMixIn, WSGIServer):
    """The standard library's server, with a thread for each connection, which it joins when it is closed."""


class _ReferenceHandler(WSGIRequestHandler):
    def log_message(self, *_: object) -> None:
        pass


class _WerkzeugHandler(WerkzeugHandler):
    """The handler of ``flask run``, with the bodies in chunks of HTTP/1.1."""

    protocol_version = "HTTP/1.1"

    def log(self, *_: object) -> None:
        pass


def _reference(app: Any) -> Any:
    server = _ReferenceServer(("127.0.0.1", 0), _ReferenceHandler)
    server.set_app(app)
    return server


def _werkzeug(app: Any) -> Any:
    server: Any = make_server("127.0.0.1", 0, app, threaded=True, request_handler=_WerkzeugHandler)
    # Closing it joins the threads of its connections.
    server.daemon_threads = False
    return server


SERVERS: dict[str, Callable[[Any], Any]] = {"wsgiref": _reference, "werkzeug": _werkzeug}


@contextmanager
def serving(app: WSGIApplication, kind: str = "wsgiref") -> Iterator[int]:
    """Run ``app`` behind a server; yield the port. No thread of the server is left at the end."""
    with running(SERVERS[kind](app)) as port:
        yield port


@contextmanager
def running(server: Any) -> Iterator[int]:
    """Run a server of ``socketserver`` in a thread."""
    thread = threading.Thread(target=server.serve_forever, args=(0.02,), name="wsgi-server")
    thread.start()
    try:
        yield server.server_address[1]
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


def ask(port: int, path: str = "/", method: str = "GET") -> Answer:
    """Return the response to a request, in full."""
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=20)
    try:
        connection.request(method, path)
        response = connection.getresponse()
        headers = {name.lower(): value for name, value in response.getheaders()}
        try:
            body, is_cut = response.read(), False
        except http.client.IncompleteRead as error:
            body, is_cut = error.partial, True
        return Answer(response.status, headers, body, is_cut)
    finally:
        connection.close()


@contextmanager
def leaving(
    port: int, path: str = "/", until: bytes = b"", headers: Mapping[str, str] | None = None
) -> Iterator[bytes]:
    """Read a response until ``until`` has arrived, and leave after the block."""
    with socket.create_connection(("127.0.0.1", port), timeout=20) as client:
        lines = [f"GET {path} HTTP/1.1", "host: test", *(f"{name}: {value}" for name, value in (headers or {}).items())]
        client.sendall("\r\n".join([*lines, "", ""]).encode())
        yield b"".join(_pieces(client, until))


def _pieces(client: socket.socket, until: bytes) -> Iterable[bytes]:
    seen = b""
    while (until or b"\r\n\r\n") not in seen:
        piece = client.recv(65536)
        assert piece, seen
        seen += piece
        yield piece

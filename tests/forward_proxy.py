"""A forward proxy on the loopback interface, for plain HTTP."""

from __future__ import annotations

import http.client
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, NamedTuple
from urllib.parse import urlsplit

from wsgi_servers import running

__all__ = ("Proxy", "run_proxy")


class Proxy(NamedTuple):
    """A running proxy: its URL with a password, and the URL and credentials of each request that it has passed on."""

    url: str
    requests: list[tuple[str, str | None]]


@contextmanager
def run_proxy(upstream: str) -> Iterator[Proxy]:
    """Run a proxy that passes every request on to the server at ``upstream``, whatever its host."""
    requests: list[tuple[str, str | None]] = []

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            requests.append((self.path, self.headers.get("proxy-authorization")))
            connection = http.client.HTTPConnection(urlsplit(upstream).netloc, timeout=60)
            body = self.rfile.read(int(self.headers["content-length"]))
            connection.request("POST", urlsplit(self.path).path, body, {"content-type": "application/json"})
            answer = connection.getresponse()
            self.send_response(answer.status)
            self.send_header("content-type", str(answer.getheader("content-type")))
            self.end_headers()
            self.wfile.write(answer.read())
            connection.close()

        def log_message(self, *_: Any) -> None:
            pass

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server, running(server) as port:
        yield Proxy(f"http://user:password@127.0.0.1:{port}", requests)

"""A server that runs one function per connection: for misbehaving servers, and for TLS."""

import contextlib
import socket
import ssl
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

__all__ = ("CERTIFICATE", "client_context", "read_request", "scripted", "server_context", "tls_front")

CERTIFICATE = Path(__file__).parent / "tls" / "cert.pem"


@contextmanager
def scripted(*scripts: Callable[[socket.socket], None]) -> Iterator[str]:
    """Serve one connection by each of ``scripts``, in turn, and yield the base URL.

    Each script runs in a thread of its own. Its socket is closed after it, and at the end.
    """
    listener = socket.create_server(("127.0.0.1", 0))
    sockets: list[socket.socket] = []
    threads: list[threading.Thread] = []

    def serve(sock: socket.socket, script: Callable[[socket.socket], None]) -> None:
        # Errors here are the client's doing: the test checks the client.
        with contextlib.suppress(OSError), sock:
            script(sock)

    def accept() -> None:
        for script in scripts:
            try:
                sock, _ = listener.accept()
            except OSError:
                return
            sockets.append(sock)
            threads.append(threading.Thread(target=serve, args=(sock, script), daemon=True))
            threads[-1].start()

    acceptor = threading.Thread(target=accept, daemon=True)
    acceptor.start()
    try:
        yield f"http://127.0.0.1:{listener.getsockname()[1]}/v1"
    finally:
        with contextlib.suppress(OSError):
            listener.shutdown(socket.SHUT_RDWR)
        listener.close()
        acceptor.join()
        for sock in sockets:
            with contextlib.suppress(OSError):
                sock.shutdown(socket.SHUT_RDWR)
        for thread in threads:
            thread.join()


def read_request(sock: socket.socket) -> bytes:
    """Return one request, head and body; empty if the client has left."""
    data = b""
    while b"\r\n\r\n" not in data:
        if not (read := sock.recv(65_536)):
            return b""
        data += read
    head, _, body = data.partition(b"\r\n\r\n")
    length = next(
        (int(line.partition(b":")[2]) for line in head.split(b"\r\n") if line.lower().startswith(b"content-length")), 0
    )
    while len(body) < length:
        body += sock.recv(65_536)
    return head + b"\r\n\r\n" + body


def server_context(*protocols: str) -> ssl.SSLContext:
    """Return a context with the tests' certificate."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(CERTIFICATE, CERTIFICATE.with_name("key.pem"))
    context.set_alpn_protocols(list(protocols))
    return context


def client_context(*protocols: str) -> ssl.SSLContext:
    """Return a context that trusts the tests' certificate."""
    context = ssl.create_default_context(cafile=str(CERTIFICATE))
    context.set_alpn_protocols(list(protocols))
    return context


@contextmanager
def tls_front(url: str, connections: int, context: ssl.SSLContext | None = None) -> Iterator[str]:
    """Put TLS in front of the server at ``url``, for that many connections, and yield the new base URL."""
    host, _, port = url.partition("://")[2].partition("/")[0].partition(":")
    context = context or server_context()

    def script(sock: socket.socket) -> None:
        with (
            context.wrap_socket(sock, server_side=True) as secure,
            socket.create_connection((host, int(port))) as plain,
        ):
            other = threading.Thread(target=_pump, args=(plain, secure), daemon=True)
            other.start()
            _pump(secure, plain)
            other.join()

    with scripted(*[script] * connections) as plain_url:
        yield plain_url.replace("http://", "https://")


def _pump(source: socket.socket, target: socket.socket) -> None:
    with contextlib.suppress(OSError):
        while data := source.recv(65_536):
            target.sendall(data)
    for sock in (source, target):
        with contextlib.suppress(OSError):
            sock.shutdown(socket.SHUT_RDWR)

"""Addresses at which no server answers: one that refuses connections, and one that never accepts them."""

import contextlib
import socket
from collections.abc import Iterator

__all__ = ("refusing_url", "unaccepting_url")

_HOST = "127.0.0.1"


@contextlib.contextmanager
def refusing_url() -> Iterator[str]:
    """Yield a base URL whose port refuses connections; no other process can bind it meanwhile."""
    with socket.socket() as sock:
        sock.bind((_HOST, 0))
        yield _url(sock)


@contextlib.contextmanager
def unaccepting_url() -> Iterator[str]:
    """Yield a base URL that neither accepts nor refuses connections: its backlog is full (on Linux)."""
    with contextlib.ExitStack() as stack:
        listening = stack.enter_context(socket.socket())
        listening.bind((_HOST, 0))
        listening.listen(0)
        # The first connections fill the backlog; the handshakes of all later ones are dropped.
        for _ in range(4):
            filler = stack.enter_context(socket.socket())
            filler.setblocking(False)
            filler.connect_ex(listening.getsockname())
        yield _url(listening)


def _url(sock: socket.socket) -> str:
    return f"http://{_HOST}:{sock.getsockname()[1]}/v1"

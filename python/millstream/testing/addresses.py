"""Addresses at which no server answers: one that refuses connections, and one that never accepts them."""

import contextlib
import socket
from collections.abc import Iterator

__all__ = ("refusing_url", "unaccepting_url")

_HOST = "127.0.0.1"


@contextlib.contextmanager
def refusing_url() -> Iterator[str]:
    """Give a base URL whose port refuses connections; no other process can take it meanwhile."""
    with socket.socket() as sock:
        sock.bind((_HOST, 0))
        yield _url(sock)


@contextlib.contextmanager
def unaccepting_url() -> Iterator[str]:
    """Give a base URL that connections are never made to, nor refused: its queue is full (on Linux)."""
    with contextlib.ExitStack() as stack:
        listening = stack.enter_context(socket.socket())
        listening.bind((_HOST, 0))
        listening.listen(0)
        # The first ones fill the queue; the handshakes of those behind it, and of whoever comes next, are dropped.
        for _ in range(4):
            filler = stack.enter_context(socket.socket())
            filler.setblocking(False)
            filler.connect_ex(listening.getsockname())
        yield _url(listening)


def _url(sock: socket.socket) -> str:
    return f"http://{_HOST}:{sock.getsockname()[1]}/v1"

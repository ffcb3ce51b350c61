"""Connects to a host in sync code, by racing its addresses (RFC 8305); see ``connecting``."""

from __future__ import annotations

import selectors
import socket
from collections import deque
from math import inf
from time import monotonic
from typing import TYPE_CHECKING, Any

from .addresses import (
    HEAD_START,
    Address,
    attempt_error,
    interleave_families,
    is_in_progress,
    merge_errors,
    parse_address,
    start_connect,
)
from .tls import check_protocol

if TYPE_CHECKING:
    import ssl

    from .origins import Origin

__all__ = ("connect", "open_socket")

# poll needs no file descriptor of its own, unlike epoll; select is for systems without poll.
_Selector: type[selectors.BaseSelector] = getattr(selectors, "PollSelector", selectors.SelectSelector)


def connect(host: str, port: int, deadline: float) -> socket.socket:
    """Return a non-blocking socket connected to ``host``.

    Raises :class:`OSError` if no address can be reached, and :class:`TimeoutError` after ``deadline``, on the
    monotonic clock; it is one deadline for all addresses.
    """
    with _Selector() as selector:
        race = _Race(selector, _resolve(host, port))
        try:
            return race.run(deadline)
        finally:
            race.close()


def open_socket(origin: Origin, context: ssl.SSLContext | None, deadline: float) -> socket.socket:
    """Return a connected socket, with TLS for https."""
    sock = connect(origin.host, origin.port, deadline)
    try:
        if context is None:
            return sock
        _limit(sock, deadline)
        sock = context.wrap_socket(sock, server_hostname=origin.host)
        check_protocol(sock)
    except BaseException:
        sock.close()
        raise
    return sock


def _limit(sock: socket.socket, deadline: float) -> None:
    left = deadline - monotonic()
    if left <= 0:
        raise TimeoutError("timed out")
    sock.settimeout(None if left == inf else left)


def _resolve(host: str, port: int) -> list[Address]:
    return parse_address(host, port) or interleave_families(socket.getaddrinfo(host, port, type=socket.SOCK_STREAM))


class _Race:
    """The running attempts, each registered with ``selector``."""

    def __init__(self, selector: selectors.BaseSelector, addresses: list[Address]) -> None:
        self._selector = selector
        self._left = deque(addresses)
        self._errors: list[OSError] = []

    def run(self, deadline: float) -> socket.socket:
        """Return the first socket that connects; the next attempt begins after each head start."""
        while True:
            if (sock := self._try_next()) is not None:
                return sock
            if not self._selector.get_map():
                raise merge_errors(self._errors)
            until = min(deadline, monotonic() + HEAD_START) if self._left else deadline
            if (sock := self._wait(until)) is not None:
                return sock
            if monotonic() >= deadline:
                raise TimeoutError("timed out")

    def close(self) -> None:
        """Close the sockets of all other attempts."""
        # The exception's traceback refers to this object: a reference back would be a cycle.
        self._errors = []
        for key in tuple((self._selector.get_map() or {}).values()):
            self._leave(key.fileobj)
            key.fileobj.close()  # type: ignore[union-attr]

    def _try_next(self) -> socket.socket | None:
        """Start attempts until one is running; return the socket if it has connected at once."""
        while self._left:
            family, address = self._left.popleft()
            try:
                sock, code = start_connect(family, address)
            except OSError as error:
                self._errors.append(error)
                continue
            if code == 0:
                return sock
            if is_in_progress(code):
                self._selector.register(sock, selectors.EVENT_WRITE, address)
                return None
            sock.close()
            self._errors.append(attempt_error(code, address))
        return None

    def _wait(self, until: float) -> socket.socket | None:
        """Wait for the end of any attempt; return its socket if it has connected."""
        ready = self._selector.select(None if until == float("inf") else max(until - monotonic(), 0.0))
        for key, _ in ready:
            sock: Any = key.fileobj
            code = sock.getsockopt(socket.SOL_SOCKET, socket.SO_ERROR)
            self._leave(sock)
            if code == 0:
                return sock  # type: ignore[no-any-return]
            sock.close()
            self._errors.append(attempt_error(code, key.data))
        return None

    def _leave(self, sock: Any) -> None:
        self._selector.unregister(sock)

"""A connection of sync code: one blocking socket."""

from __future__ import annotations

import contextlib
import socket
import time
from math import inf
from os import getpid
from typing import TYPE_CHECKING

from ..watchdog import shut_down
from .exchange import READ_SIZE
from .origins import Origin

if TYPE_CHECKING:
    from .exchange import HTTPConnection

__all__ = ("Connection",)


class Connection:
    """One connected socket."""

    __slots__ = ("_pid", "framing", "idle_since", "is_reused", "origin", "parked_since", "socket")

    def __init__(self, origin: Origin, sock: socket.socket) -> None:
        self.origin = origin
        self.socket = sock
        self.framing: HTTPConnection | None = None
        self.idle_since = self.parked_since = 0.0
        self.is_reused = False
        self._pid = getpid()

    def receive(self, seconds: float) -> bytes:
        """Return the next data, empty at the end; raises :class:`TimeoutError` after ``seconds``."""
        self.wait_for(seconds)
        return self.socket.recv(READ_SIZE)

    def wait_for(self, seconds: float) -> None:
        """Set the timeout of the socket, above zero: a timeout of zero would make it non-blocking."""
        self.socket.settimeout(None if seconds == inf else max(seconds, 0.0001))

    def look(self) -> bytes | None:
        """Read without blocking: return data, empty at the end, or ``None`` if there is nothing yet."""
        self.socket.setblocking(False)
        try:
            return self.socket.recv(READ_SIZE)
        except BlockingIOError:
            return None
        except OSError as error:
            # The exceptions of TLS for "not now", by name: importing ssl is expensive, and plain HTTP does not need it.
            if type(error).__name__ in ("SSLWantReadError", "SSLWantWriteError"):
                return None
            raise

    def settle(self, framing: HTTPConnection, seconds: float) -> bool:
        """Wait for the end of a body; return whether it came, and the connection can be used."""
        deadline = time.monotonic() + seconds
        try:
            while not framing.ended and framing.failure is None:
                left = deadline - time.monotonic()
                data = self.look() if left <= 0 else self.receive(left)
                if not data:
                    if data is not None:
                        framing.close()
                    break
                framing.feed(data)
        except TimeoutError:
            return False
        except OSError:
            framing.close()
        return framing.reusable and self.is_sound()

    def is_sound(self) -> bool:
        """Return whether an exchange may begin: the peer has neither closed the connection nor sent anything."""
        try:
            return self.look() is None
        except OSError:
            return False

    def has_spoken(self) -> bool:
        """Return whether the peer has sent data before the request."""
        try:
            return bool(self.look())
        except OSError:
            return False

    def abort(self) -> None:
        """Close the socket; shut down first, so that the server notices it even if a child process has a copy."""
        if getpid() == self._pid:
            shut_down(self.socket)
        with contextlib.suppress(OSError):
            self.socket.close()

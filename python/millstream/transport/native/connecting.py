"""A connected socket for an event loop, whichever of a host's addresses answers first.

The loops' own way to race addresses (RFC 8305) runs a task for each of them, which outlives a
cancellation by some turns and may lose a socket to it; uvloop has none. Here the race is callbacks
and one future: cancelled, it has closed every socket before the exception goes up.
"""

import asyncio
import socket
from collections import deque
from typing import Any

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

__all__ = ("connect",)


async def connect(loop: asyncio.AbstractEventLoop, host: str, port: int) -> socket.socket:
    """Return a socket that is connected to ``host``; raises :class:`OSError` where no address can be reached."""
    addresses = await _resolve(loop, host, port)
    if type(loop).add_writer is asyncio.AbstractEventLoop.add_writer:
        return await _one_by_one(loop, addresses)
    race = _Race(loop, addresses)
    try:
        race.try_next()
        if await race.over:
            return race.winner()
        raise race.error()
    finally:
        race.close()


async def _resolve(loop: asyncio.AbstractEventLoop, host: str, port: int) -> list[Address]:
    return parse_address(host, port) or interleave_families(await loop.getaddrinfo(host, port, type=socket.SOCK_STREAM))


async def _one_by_one(loop: asyncio.AbstractEventLoop, addresses: list[Address]) -> socket.socket:
    """:func:`connect` for a loop that does not tell when a socket is ready: Windows' proactor."""
    reasons: list[str] = []
    for family, address in addresses:
        sock = socket.socket(family, socket.SOCK_STREAM)
        try:
            sock.setblocking(False)
            sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            await loop.sock_connect(sock, address)
        except OSError as error:
            sock.close()
            reasons.append(str(error))
        except BaseException:
            sock.close()
            raise
        else:
            return sock
    raise OSError("; ".join(reasons) or "the host has no address")


class _Race:
    """The attempts under way; ``over`` gets whether one of them was the first to connect."""

    def __init__(self, loop: asyncio.AbstractEventLoop, addresses: list[Address]) -> None:
        self.over: asyncio.Future[bool] = loop.create_future()
        self._loop = loop
        self._left = deque(addresses)
        self._running: list[socket.socket] = []
        self._winner: socket.socket | None = None
        self._errors: list[OSError] = []
        self._timer: asyncio.TimerHandle | None = None

    def try_next(self) -> None:
        """Try the next address; where none is left and none runs, the race is lost."""
        self._stop_timer()
        while self._left and not self.over.done():
            if self._try(*self._left.popleft()):
                if self._left and not self.over.done():
                    self._timer = self._loop.call_later(HEAD_START, self.try_next)
                return
        if not self._running and not self.over.done():
            self.over.set_result(False)

    def winner(self) -> socket.socket:
        """Return the connected socket; it is the caller's."""
        winner, self._winner = self._winner, None
        assert winner is not None
        return winner

    def error(self) -> OSError:
        """Return what went wrong; it is kept nowhere else, or its traceback would be part of a cycle."""
        errors, self._errors = self._errors, []
        return merge_errors(errors)

    def close(self) -> None:
        """Close whatever nobody has taken."""
        self._stop_timer()
        self._left.clear()
        for sock in tuple(self._running):
            self._leave(sock)
            sock.close()
        if self._winner is not None:
            self.winner().close()

    def _try(self, family: int, address: Any) -> bool:
        """Begin to connect, and return whether that is under way or done."""
        try:
            sock, code = start_connect(family, address)
        except OSError as error:
            self._errors.append(error)
            return False
        if not is_in_progress(code):
            return self._finish_attempt(sock, code, address)
        self._running.append(sock)
        self._loop.add_writer(sock.fileno(), self._settle, sock, address)
        return True

    def _settle(self, sock: socket.socket, address: Any) -> None:
        """Take note that an attempt has come to its end, whichever."""
        self._leave(sock)
        if not self._finish_attempt(sock, sock.getsockopt(socket.SOL_SOCKET, socket.SO_ERROR), address):
            self.try_next()

    def _finish_attempt(self, sock: socket.socket, code: int, address: Any) -> bool:
        if code == 0 and not self.over.done():
            self._winner = sock
            self.over.set_result(True)
            return True
        sock.close()
        if code:
            self._errors.append(attempt_error(code, address))
        return False

    def _leave(self, sock: socket.socket) -> None:
        self._running.remove(sock)
        self._loop.remove_writer(sock.fileno())

    def _stop_timer(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None

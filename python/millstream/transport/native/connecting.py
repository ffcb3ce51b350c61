"""Connects to a host in an event loop, by racing its addresses (RFC 8305, "Happy Eyeballs").

The first address gets a head start of 250 ms, then the next attempt begins beside it, and so on; an attempt
that fails starts the next one at once. The first socket that connects wins, and all others are closed.

asyncio's own race runs a task for each address. After a cancellation these tasks live on for some turns of the
loop and may lose a socket; uvloop has no race at all. Here the race consists of callbacks and one future, so
that a cancelled :func:`connect` has closed every socket before the exception leaves it. ``racing`` is the same
for sync code, with a selector in place of the loop.
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
    """Return a socket connected to ``host``; raises :class:`OSError` if no address can be reached."""
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
    """Try one address after the other, for a loop without ``add_writer``: the proactor loop of Windows."""
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
    """The running attempts; the future ``over`` is set to whether one of them has connected."""

    def __init__(self, loop: asyncio.AbstractEventLoop, addresses: list[Address]) -> None:
        self.over: asyncio.Future[bool] = loop.create_future()
        self._loop = loop
        self._left = deque(addresses)
        self._running: list[socket.socket] = []
        self._winner: socket.socket | None = None
        self._errors: list[OSError] = []
        self._timer: asyncio.TimerHandle | None = None

    def try_next(self) -> None:
        """Start the next attempt; the race is lost if none is left and none is running."""
        self._stop_timer()
        while self._left and not self.over.done():
            if self._try(*self._left.popleft()):
                if self._left and not self.over.done():
                    self._timer = self._loop.call_later(HEAD_START, self.try_next)
                return
        if not self._running and not self.over.done():
            self.over.set_result(False)

    def winner(self) -> socket.socket:
        """Return the connected socket; the caller closes it."""
        winner, self._winner = self._winner, None
        assert winner is not None
        return winner

    def error(self) -> OSError:
        """Return the error, and drop the errors here: a traceback that leads back to itself would be a cycle."""
        errors, self._errors = self._errors, []
        return merge_errors(errors)

    def close(self) -> None:
        """Close all sockets, except for a winner that was returned."""
        self._stop_timer()
        self._left.clear()
        for sock in tuple(self._running):
            self._leave(sock)
            sock.close()
        if self._winner is not None:
            self.winner().close()

    def _try(self, family: int, address: Any) -> bool:
        """Start an attempt; return whether it is running or has connected."""
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
        """Handle the end of an attempt."""
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

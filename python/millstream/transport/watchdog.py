"""Deadlines for sync code, which has no event loop to schedule them.

There are two: a blocking read is interrupted after 100 ms, and an unfinished connection is given up after a
second. Each has one thread for the whole process, which ends after some idle seconds. A ``threading.Timer``
would start a thread for every stream, which costs as much as its request.
"""

import contextlib
import os
import socket
import threading
import time
from collections import deque
from collections.abc import Callable
from functools import partial
from typing import Any

__all__ = ("Watch", "call_later", "shut_down", "watch")

_IDLE_SECONDS = 5.0


class Watch:
    """A context manager: calls ``callback`` at the deadline, unless its block has ended by then."""

    __slots__ = ("_lock", "callback", "deadline")

    def __init__(self, callback: Callable[[], None], deadline: float, lock: threading.Lock) -> None:
        self.callback: Callable[[], None] | None = callback
        self.deadline = deadline
        self._lock = lock

    def __enter__(self) -> None:
        """Return: the clock is running."""

    def __exit__(self, *raised: object) -> None:
        """Cancel the callback."""
        with self._lock:
            self.callback = None


class _Watchdog:
    """One thread and its watches, in the order of their deadlines, since all of them wait equally long.

    ``_runs`` keeps a second thread from being started. ``_sleeps`` keeps :meth:`watch` from waking a thread
    that has a deadline to wait for anyway.
    """

    def __init__(self, seconds: float) -> None:
        self._seconds = seconds
        self._lock = threading.Lock()
        self._watches: deque[Watch] = deque()
        self._wake = threading.Semaphore(0)
        self._runs = False
        self._sleeps = False

    def watch(self, callback: Callable[[], None]) -> Watch:
        with self._lock:
            watch = Watch(callback, time.monotonic() + self._seconds, self._lock)
            self._watches.append(watch)
            if not self._runs:
                self._runs = True
                threading.Thread(target=self._run, name="millstream-watchdog", daemon=True).start()
            elif self._sleeps:
                self._sleeps = False
                self._wake.release()
        return watch

    def _run(self) -> None:
        while True:
            deadline = self._next()
            if deadline is not None:
                time.sleep(max(0.0, deadline - time.monotonic()))
            elif not self._wake.acquire(timeout=_IDLE_SECONDS):
                with self._lock:
                    if not self._watches:
                        self._runs = self._sleeps = False
                        return

    def _next(self) -> float | None:
        """Call what is due and return the next deadline, if there is one."""
        with self._lock:
            while self._watches:
                watch = self._watches[0]
                if watch.callback is not None and watch.deadline > time.monotonic():
                    return watch.deadline
                self._watches.popleft()
                if watch.callback is not None:
                    watch.callback()
            self._sleeps = True
            return None


_read_watchdog = _Watchdog(0.1)
_end_watchdog = _Watchdog(1.0)


def watch(sock: Any) -> Watch:
    """Shut ``sock`` down in 100 ms, unless the block of the watch has ended by then."""
    return _read_watchdog.watch(partial(shut_down, sock))


def call_later(callback: Callable[[], None]) -> None:
    """Call ``callback`` in a second; it must neither raise nor block."""
    _end_watchdog.watch(callback)


def shut_down(sock: Any) -> None:
    """End both directions of ``sock``, also for processes with a copy of it; it may be closed already."""
    with contextlib.suppress(OSError, ValueError):
        if isinstance(sock, socket.socket):
            # Not the method of SSLSocket, after which reads return undecrypted bytes.
            socket.socket.shutdown(sock, socket.SHUT_RDWR)
        elif (descriptor := sock.fileno()) >= 0:
            twin = socket.socket(fileno=descriptor)
            try:
                twin.shutdown(socket.SHUT_RDWR)
            finally:
                twin.detach()


def _reset_after_fork() -> None:
    """Replace the watchdogs: a fork does not copy their threads."""
    global _read_watchdog, _end_watchdog
    _read_watchdog, _end_watchdog = _Watchdog(0.1), _Watchdog(1.0)


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_reset_after_fork)

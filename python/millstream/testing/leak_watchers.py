"""What can leak, one watcher for each kind: it remembers what was there and tells what has come."""

import asyncio
import asyncio.runners
import contextlib
import logging
import os
import socket
import stat
import sys
import threading
import warnings
from collections.abc import AsyncGenerator, Collection, Iterator
from typing import Any, Protocol, TextIO
from weakref import WeakSet

from ..transport.idle import idle_descriptors
from .server import running_ports

__all__ = ("Allowance", "Descriptors", "Generators", "Tasks", "Threads", "Warnings", "Watcher")

# A thread that is past its last statement takes a moment to go.
_GOING_SECONDS = 0.1

# The generators whose only purpose is to be closed by their loop, and pools with them.
_KEEPERS = ("_close_at_loop_shutdown",)


class Allowance(Protocol):
    """What may stay."""

    idle_connections: int
    threads: Collection[str]


class Watcher(Protocol):
    """Watches one kind."""

    def start(self) -> None:
        """Remember what is there."""

    def stop(self) -> None:
        """Watch no longer."""

    def found(self, allowed: Allowance) -> Iterator[str]:
        """Yield a line for everything that has come since and is still there."""


class Tasks:
    """Tasks that are not done: of the running loop, and of each loop of ``asyncio.run`` at its end."""

    def start(self) -> None:
        """Remember the tasks of the running loop, if one runs."""
        self._before: WeakSet[asyncio.Task[Any]] = WeakSet(_tasks())
        self._left: list[str] = []
        # What asyncio.run cancels at the end would otherwise be gone without a trace.
        self._cancel = getattr(asyncio.runners, "_cancel_all_tasks", None)
        if self._cancel is not None:
            asyncio.runners._cancel_all_tasks = self._ended  # type: ignore[attr-defined]

    def stop(self) -> None:
        """Watch no longer."""
        if self._cancel is not None:
            asyncio.runners._cancel_all_tasks = self._cancel  # type: ignore[attr-defined]

    def found(self, allowed: Allowance) -> Iterator[str]:
        """Yield what loops had at their ends, and what the running one has."""
        yield from self._left
        yield from (_task(task) for task in _tasks() if task not in self._before)

    def _ended(self, loop: asyncio.AbstractEventLoop) -> None:
        self._left += [f"{_task(task)}, cancelled by the end of its loop" for task in asyncio.all_tasks(loop)]
        for generator in tuple(getattr(loop, "_asyncgens", ())):
            if _is_left(generator):
                self._left.append(f"{_generator(generator)}, closed by the end of its loop")
        assert self._cancel is not None
        self._cancel(loop)


class Generators:
    """Async generators of this thread that were begun, and neither exhausted nor closed."""

    def start(self) -> None:
        """Watch generators begin."""
        self._begun: WeakSet[AsyncGenerator[Any, Any]] = WeakSet()
        self._hooks = sys.get_asyncgen_hooks()
        # A loop that is run in the block has hooks of its own; its end is watched with its tasks.
        finalizer = None if self._hooks.finalizer is None else self._finalize
        sys.set_asyncgen_hooks(firstiter=self._begin, finalizer=finalizer)
        self._own = sys.get_asyncgen_hooks()

    def stop(self) -> None:
        """Watch no longer."""
        if sys.get_asyncgen_hooks() == self._own:
            sys.set_asyncgen_hooks(*self._hooks)

    def found(self, allowed: Allowance) -> Iterator[str]:
        """Yield those that are still open."""
        yield from (_generator(generator) for generator in tuple(self._begun) if _is_left(generator))

    def _begin(self, generator: AsyncGenerator[Any, Any]) -> None:
        self._begun.add(generator)
        if self._hooks.firstiter is not None:
            self._hooks.firstiter(generator)

    def _finalize(self, generator: AsyncGenerator[Any, Any]) -> None:
        # Its last reference has gone, and the weak one with it; the loop is to close it, which it has not yet.
        self._begun.add(generator)
        if self._hooks.finalizer is not None:
            self._hooks.finalizer(generator)


class Threads:
    """Threads."""

    def start(self) -> None:
        """Remember those that run."""
        self._before = WeakSet(threading.enumerate())

    def stop(self) -> None:
        """Watch no longer."""

    def found(self, allowed: Allowance) -> Iterator[str]:
        """Yield those that have begun since and have not ended."""
        for thread in threading.enumerate():
            if thread in self._before or thread.name.startswith(tuple(allowed.threads)):
                continue
            if not isinstance(thread, threading._DummyThread):
                thread.join(_GOING_SECONDS)
            if thread.is_alive():
                yield f"thread {thread.name!r}"


class Descriptors:
    """File descriptors: sockets, pipes, files."""

    def start(self) -> None:
        """Remember those that are open."""
        self._before = _descriptors()

    def stop(self) -> None:
        """Watch no longer."""

    def found(self, allowed: Allowance) -> Iterator[str]:
        """Yield those opened since, but for Millstream's own idle connections, and for as many others as allowed."""
        connections = allowed.idle_connections
        idle = idle_descriptors()
        for descriptor, identity in sorted(_descriptors().items()):
            if self._before.get(descriptor) == identity or descriptor in idle:
                continue
            is_connection, line = _described(descriptor)
            connections -= is_connection
            if line and not (is_connection and connections >= 0):
                yield f"{line} (descriptor {descriptor})"


class Warnings(logging.Handler):
    """What Python and asyncio say about objects that went unclosed, unawaited or unretrieved."""

    def __init__(self) -> None:
        super().__init__(logging.ERROR)
        self._lines: list[str] = []
        self._filters = warnings.catch_warnings()

    def start(self) -> None:
        """Listen; other warnings go where they went."""
        self._filters.__enter__()
        self._show = warnings.showwarning
        warnings.filterwarnings("always", category=ResourceWarning)
        warnings.filterwarnings("always", ".* was never awaited", RuntimeWarning)
        warnings.showwarning = self._heard
        logging.getLogger("asyncio").addHandler(self)

    def stop(self) -> None:
        """Listen no longer."""
        logging.getLogger("asyncio").removeHandler(self)
        self._filters.__exit__(None, None, None)

    def found(self, allowed: Allowance) -> Iterator[str]:
        """Yield what was said."""
        yield from self._lines

    def emit(self, record: logging.LogRecord) -> None:
        """Take note of a line of asyncio's."""
        self._lines.append(f"asyncio: {record.getMessage()}")

    def _heard(
        self,
        message: Warning | str,
        category: type[Warning],
        filename: str,
        lineno: int,
        file: TextIO | None = None,
        line: str | None = None,
    ) -> None:
        unawaited = issubclass(category, RuntimeWarning) and str(message).endswith("was never awaited")
        if issubclass(category, ResourceWarning) or unawaited:
            self._lines.append(f"{category.__name__}: {message} (noticed at {filename}:{lineno})")
        else:
            self._show(message, category, filename, lineno, file, line)


def _tasks() -> set["asyncio.Task[Any]"]:
    """Return the tasks of the running loop but the one that asks."""
    try:
        return asyncio.all_tasks() - {asyncio.current_task()}
    except RuntimeError:
        return set()


def _task(task: "asyncio.Task[Any]") -> str:
    coroutine: Any = task.get_coro()
    line = f"task {task.get_name()!r} of {_where(coroutine, 'cr')}"
    # Known where asyncio's debug mode is on; the last frames are asyncio's own.
    stack = getattr(task, "_source_traceback", None) or ()
    created = [frame for frame in stack if os.path.dirname(frame.filename) != os.path.dirname(asyncio.__file__)]
    return line + (f", created at {created[-1].filename}:{created[-1].lineno}" if created else "")


def _generator(generator: Any) -> str:
    return f"async generator {_where(generator, 'ag')}"


def _is_left(generator: Any) -> bool:
    return generator.ag_frame is not None and generator.ag_code.co_name not in _KEEPERS


def _where(code: Any, prefix: str) -> str:
    """Return what a coroutine or generator is called, and the line at which it is."""
    name = getattr(code, "__qualname__", repr(code))
    frame = getattr(code, f"{prefix}_frame", None)
    return name if frame is None else f"{name}(), at {frame.f_code.co_filename}:{frame.f_lineno}"


def _descriptors() -> dict[int, tuple[int, int]]:
    """Return the open descriptors, each with what tells its file from others."""
    found = {}
    for descriptor in _numbers():
        # The one that listed the directory is closed by now, and other threads come and go.
        with contextlib.suppress(OSError):
            status = os.fstat(descriptor)
            found[descriptor] = status.st_dev, status.st_ino
    return found


def _numbers(directories: Collection[str] = ("/proc/self/fd", "/dev/fd")) -> list[int]:
    for directory in directories:
        with contextlib.suppress(OSError):
            return [int(name) for name in os.listdir(directory)]
    return list(range(1024))


def _described(descriptor: int) -> tuple[bool, str]:
    """Return whether a descriptor is a connection, and what it is; nothing for one that is closed or a MockServer's."""
    # A server's thread may close it between any two of these lines.
    with contextlib.suppress(OSError):
        mode = os.fstat(descriptor).st_mode
        if not stat.S_ISSOCK(mode):
            return False, _file(descriptor, mode)
        sock = socket.socket(fileno=descriptor)
        try:
            return _socket(sock)
        finally:
            sock.detach()
    return False, ""


def _file(descriptor: int, mode: int) -> str:
    try:
        return os.readlink(f"/proc/self/fd/{descriptor}")
    except OSError:
        return "pipe" if stat.S_ISFIFO(mode) else "file"


def _socket(sock: socket.socket) -> tuple[bool, str]:
    if sock.family not in (socket.AF_INET, socket.AF_INET6):
        return False, "socket"
    host, port = sock.getsockname()[:2]
    if port in running_ports():
        return False, ""
    try:
        peer_host, peer_port = sock.getpeername()[:2]
    except OSError:
        return _was_connected(sock, port), f"socket {host}:{port}, not connected"
    return True, f"connection {host}:{port} to {peer_host}:{peer_port}"


def _was_connected(sock: socket.socket, port: int) -> bool:
    """Return whether a socket without a peer was a connection: one in a pool that the other end has reset."""
    is_stream = sock.type == socket.SOCK_STREAM and port != 0
    return is_stream and not sock.getsockopt(socket.SOL_SOCKET, socket.SO_ACCEPTCONN)

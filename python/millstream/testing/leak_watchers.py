"""One watcher for each kind of leak: it records what exists at the start, and reports what is new at the end."""

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
from .loopback import running_ports

__all__ = ("Allowance", "Descriptors", "Generators", "Tasks", "Threads", "Warnings", "Watcher")

# A thread lives on for a moment after its last statement.
_GOING_SECONDS = 0.1

# Generators whose only purpose is to be closed by their loop, and to close its pool.
_KEEPERS = ("_close_at_loop_shutdown",)


class Allowance(Protocol):
    """What does not count as a leak."""

    idle_connections: int
    threads: Collection[str]


class Watcher(Protocol):
    """Watches one kind of leak."""

    def start(self) -> None:
        """Record what exists."""

    def stop(self) -> None:
        """Stop watching."""

    def found(self, allowed: Allowance) -> Iterator[str]:
        """Yield a line for everything that is new since the start and still exists."""


class Tasks:
    """Tasks that are not done: of the running loop, and of each loop of ``asyncio.run`` at its end."""

    def start(self) -> None:
        """Record the tasks of the running loop, if there is one."""
        self._before: WeakSet[asyncio.Task[Any]] = WeakSet(_tasks())
        self._left: list[str] = []
        # asyncio.run cancels the tasks that are left at its end, without a trace; this hook sees them before.
        self._cancel = getattr(asyncio.runners, "_cancel_all_tasks", None)
        if self._cancel is not None:
            asyncio.runners._cancel_all_tasks = self._ended  # type: ignore[attr-defined]

    def stop(self) -> None:
        """Stop watching."""
        if self._cancel is not None:
            asyncio.runners._cancel_all_tasks = self._cancel  # type: ignore[attr-defined]

    def found(self, allowed: Allowance) -> Iterator[str]:
        """Yield the tasks that loops had at their ends, and those of the running loop."""
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
    """Async generators of this thread that have started, and are neither exhausted nor closed."""

    def start(self) -> None:
        """Watch the start of generators."""
        self._begun: WeakSet[AsyncGenerator[Any, Any]] = WeakSet()
        self._hooks = sys.get_asyncgen_hooks()
        # A loop that runs inside the block has hooks of its own; ``Tasks`` reports the generators left at its end.
        finalizer = None if self._hooks.finalizer is None else self._finalize
        sys.set_asyncgen_hooks(firstiter=self._begin, finalizer=finalizer)
        self._own = sys.get_asyncgen_hooks()

    def stop(self) -> None:
        """Stop watching."""
        if sys.get_asyncgen_hooks() == self._own:
            sys.set_asyncgen_hooks(*self._hooks)

    def found(self, allowed: Allowance) -> Iterator[str]:
        """Yield the generators that are still open."""
        yield from (_generator(generator) for generator in tuple(self._begun) if _is_left(generator))

    def _begin(self, generator: AsyncGenerator[Any, Any]) -> None:
        self._begun.add(generator)
        if self._hooks.firstiter is not None:
            self._hooks.firstiter(generator)

    def _finalize(self, generator: AsyncGenerator[Any, Any]) -> None:
        # The last reference is gone, and the weak one with it; the loop has yet to close the generator.
        self._begun.add(generator)
        if self._hooks.finalizer is not None:
            self._hooks.finalizer(generator)


class Threads:
    """Threads."""

    def start(self) -> None:
        """Record the running threads."""
        self._before = WeakSet(threading.enumerate())

    def stop(self) -> None:
        """Stop watching."""

    def found(self, allowed: Allowance) -> Iterator[str]:
        """Yield the new threads that have not ended."""
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
        """Record the open descriptors."""
        self._before = _descriptors()

    def stop(self) -> None:
        """Stop watching."""

    def found(self, allowed: Allowance) -> Iterator[str]:
        """Yield new descriptors, except for Millstream's idle connections and the allowed number of others."""
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
    """Warnings of Python and asyncio about objects that were not closed, awaited or retrieved."""

    def __init__(self) -> None:
        super().__init__(logging.ERROR)
        self._lines: list[str] = []
        self._filters = warnings.catch_warnings()

    def start(self) -> None:
        """Record these warnings; all others are shown as before."""
        self._filters.__enter__()
        self._show = warnings.showwarning
        warnings.filterwarnings("always", category=ResourceWarning)
        warnings.filterwarnings("always", ".* was never awaited", RuntimeWarning)
        warnings.showwarning = self._record_warning
        logging.getLogger("asyncio").addHandler(self)

    def stop(self) -> None:
        """Stop recording."""
        logging.getLogger("asyncio").removeHandler(self)
        self._filters.__exit__(None, None, None)

    def found(self, allowed: Allowance) -> Iterator[str]:
        """Yield the recorded warnings."""
        yield from self._lines

    def emit(self, record: logging.LogRecord) -> None:
        """Record a message of asyncio's logger."""
        self._lines.append(f"asyncio: {record.getMessage()}")

    def _record_warning(
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
    """Return the tasks of the running loop, without the current one."""
    try:
        return asyncio.all_tasks() - {asyncio.current_task()}
    except RuntimeError:
        return set()


def _task(task: "asyncio.Task[Any]") -> str:
    coroutine: Any = task.get_coro()
    line = f"task {task.get_name()!r} of {_where(coroutine, 'cr')}"
    # Only set in asyncio's debug mode; the last frames are asyncio's own.
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
    """Return whether a descriptor is a connection, and its description; empty if closed or a MockServer's."""
    # A server's thread may close the descriptor between any two of these lines.
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
    """Return whether a socket without a peer was a connection, such as an idle one that the peer has reset."""
    is_stream = sock.type == socket.SOCK_STREAM and port != 0
    return is_stream and not sock.getsockopt(socket.SOL_SOCKET, socket.SO_ACCEPTCONN)

"""A server on the loopback interface, in a thread of its own; what it answers is its subclass's affair."""

import asyncio
import contextlib
import threading
from collections.abc import Callable
from concurrent.futures import Future
from types import TracebackType
from typing import Self

from .channel import Channel
from .http import RawRequest
from .state import Connection, Connections, State

__all__ = ("LoopbackServer", "running_ports")

_HOST = "127.0.0.1"
_STOP_TIMEOUT = 30.0

_ports: set[int] = set()


def running_ports() -> frozenset[int]:
    """Return the ports of the running servers of this process."""
    return frozenset(_ports)


class LoopbackServer:
    """Listens on 127.0.0.1 between :meth:`start` and :meth:`stop`, or inside ``with`` and ``async with``."""

    def __init__(self, port: int) -> None:
        self.port = port
        self._state = State()
        self._loop: asyncio.AbstractEventLoop | None = None
        self._thread: threading.Thread | None = None
        self._channels: set[Channel] = set()

    async def _answer(self, channel: Channel, raw: RawRequest) -> None:
        """Answer one request; called in the server's thread."""
        raise NotImplementedError

    def _accepted(self, channel: Channel) -> None:
        """Notice a new connection; called in the server's thread."""

    def _open(self) -> None:
        """Make what the answers need, at the beginning; called in the server's thread."""

    async def _close(self) -> None:
        """Release what the answers used, at the end; called in the server's thread."""

    @property
    def origin(self) -> str:
        """The server's address without a path, as ``http://127.0.0.1:PORT``."""
        return f"http://{_HOST}:{self.port}"

    @property
    def connections(self) -> Connections:
        """The connections so far, and how many of them were opened and closed."""
        return self._state.connections

    def start(self) -> Self:
        """Begin to listen; raises :class:`OSError` if the port is in use."""
        if self._thread is not None:
            raise RuntimeError("this server has been started already")
        listening: Future[None] = Future()
        self._thread = threading.Thread(target=self._run, args=(listening,), name="millstream-mock", daemon=True)
        self._thread.start()
        listening.result(_STOP_TIMEOUT)
        return self

    def stop(self) -> None:
        """Close all connections and the port, then raise the first error inside the server, if there was one."""
        if self._thread is None:
            return
        if self._loop is not None:
            self._call(self._stopping.set)
        self._thread.join(_STOP_TIMEOUT)
        error, self._state.error = self._state.error, None
        if error is not None:
            raise error

    def wait_until(self, condition: Callable[[], bool], timeout: float = 30.0) -> None:
        """Block until ``condition`` holds; it is checked after every request, piece, response and closed connection.

        It runs in the server's thread, so it should only inspect the server. Raises
        :class:`TimeoutError` after ``timeout`` seconds.
        """
        self._state.wait(condition, timeout, "the condition")

    async def await_until(self, condition: Callable[[], bool], timeout: float = 30.0) -> None:
        """:meth:`wait_until` for async code."""
        await self._state.await_(condition, timeout, "the condition")

    def wait_closed(self, connection_id: int | None = None, timeout: float = 30.0) -> Connection:
        """Block until the connection (by default the newest) is closed, and return its record.

        ``closed_by`` of the record is the side that closed it. Raises :class:`TimeoutError` after ``timeout`` seconds.
        """
        record = self._record(connection_id)
        self._state.wait(lambda: record.closed, timeout, f"connection {record.id} is closed")
        return record

    async def await_closed(self, connection_id: int | None = None, timeout: float = 30.0) -> Connection:
        """:meth:`wait_closed` for async code."""
        record = self._record(connection_id)
        await self._state.await_(lambda: record.closed, timeout, f"connection {record.id} is closed")
        return record

    def __enter__(self) -> Self:
        """Start the server."""
        return self.start()

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Stop the server."""
        self.stop()

    async def __aenter__(self) -> Self:
        """Start the server."""
        return self.start()

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Stop the server."""
        self.stop()

    def _record(self, connection_id: int | None) -> Connection:
        return self.connections[self.connections.opened if connection_id is None else connection_id]

    def _call(self, function: Callable[[], None]) -> None:
        if self._loop is None:
            raise RuntimeError("this server is not running")
        self._loop.call_soon_threadsafe(function)

    # What runs in the server's own thread.

    def _run(self, listening: Future[None]) -> None:
        try:
            asyncio.run(self._listen(listening))
        except BaseException as error:
            if not listening.done():
                listening.set_exception(error)
            else:
                self._state.error = self._state.error or error
        finally:
            self._loop = None
            _ports.discard(self.port)

    async def _listen(self, listening: Future[None]) -> None:
        self._loop = asyncio.get_running_loop()
        self._stopping = asyncio.Event()
        server = await self._loop.create_server(self._channel, _HOST, self.port, backlog=1024)
        try:
            self._open()
        except BaseException:
            server.close()
            raise
        self.port = server.sockets[0].getsockname()[1]
        _ports.add(self.port)
        listening.set_result(None)
        await self._stopping.wait()
        # A connection that is being accepted is only a task of asyncio at first. The server must not be closed
        # before it has become a channel, or asyncio forgets the socket.
        with contextlib.suppress(NotImplementedError):
            self._loop.remove_reader(server.sockets[0].fileno())
        while self._channels or len(asyncio.all_tasks()) > 1:
            for channel in tuple(self._channels):
                channel.abort()
            await asyncio.sleep(0)
        await self._close()
        server.close()

    def _channel(self) -> Channel:
        return Channel(self._state, self._accepted, self._answer, self._channels)

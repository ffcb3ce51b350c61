"""The mock server: a real HTTP/1.1 server on the loopback interface, in a thread of its own."""

import asyncio
import contextlib
import threading
from collections import deque
from collections.abc import Callable, Iterable
from concurrent.futures import Future
from dataclasses import replace
from types import TracebackType
from typing import Self

from .answers import read_body, response_to
from .channel import Channel
from .delivery import Delivery
from .fault_names import fault_named
from .faults import Cut, ErrorStatus, Fault, Stall
from .formats.table import find_target
from .http import RawRequest
from .replies import Reply
from .state import Connection, Connections, RecordedRequest, State

__all__ = ("MockServer", "ReplyFor", "running_ports")

ReplyFor = Callable[[RecordedRequest], Reply]
"""Returns the reply to a request."""

_HOST = "127.0.0.1"
_STOP_TIMEOUT = 30.0

_ports: set[int] = set()


def running_ports() -> frozenset[int]:
    """Return the ports of the running servers of this process."""
    return frozenset(_ports)


class MockServer:
    """A server that speaks the formats of all providers on their own paths, streaming and not.

    OpenAI's chat completions, completions and responses under :attr:`url`, and under Azure's path:
    ``/openai/deployments/NAME/chat/completions``; the others under :attr:`origin`. docs/testing.md lists them.
    It is a context manager, for ``with`` and ``async with`` alike, and runs in a thread of its own,
    so sync and async code use it the same way. Each request takes the next :class:`Reply` of
    ``script``; once that is used up, ``reply`` is used. Either may be a callable that returns a
    reply for a request, and both can be changed while the server runs. A request may name a fault
    itself, in the header ``x-mock-fault: reset:3`` or as the model ``fault:reset:3``.

    It listens on 127.0.0.1 alone. ``port=0`` takes a free port.
    """

    def __init__(
        self,
        reply: Reply | ReplyFor | None = None,
        *,
        script: Iterable[Reply | ReplyFor] = (),
        port: int = 0,
    ) -> None:
        self.reply: Reply | ReplyFor = Reply() if reply is None else reply
        self.script: deque[Reply | ReplyFor] = deque(script)
        self.port = port
        self._state = State()
        self._loop: asyncio.AbstractEventLoop | None = None
        self._thread: threading.Thread | None = None
        self._channels: set[Channel] = set()

    @property
    def origin(self) -> str:
        """The server's address without a path, as ``http://127.0.0.1:PORT``."""
        return f"http://{_HOST}:{self.port}"

    @property
    def url(self) -> str:
        """The base URL that OpenAI clients take: :attr:`origin` and ``/v1``."""
        return f"{self.origin}/v1"

    @property
    def requests(self) -> list[RecordedRequest]:
        """The requests so far (the latest 10,000), oldest first."""
        return list(self._state.requests)

    @property
    def connections(self) -> Connections:
        """The connections so far, and how many of them were opened and closed."""
        return self._state.connections

    def start(self) -> Self:
        """Begin to listen; raises :class:`OSError` if the port is in use."""
        if self._thread is not None:
            raise RuntimeError("this MockServer has been started already")
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

    def release(self, answers: int = 1) -> None:
        """Release that many responses from a :class:`Stall`, now or when they reach it."""
        for _ in range(answers):
            self._call(self._released.release)

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
            raise RuntimeError("this MockServer is not running")
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
        self._released = asyncio.Semaphore(0)
        server = await self._loop.create_server(self._channel, _HOST, self.port, backlog=1024)
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
        server.close()

    def _channel(self) -> Channel:
        return Channel(self._state, self._accepted, self._answer, self._channels)

    def _accepted(self, channel: Channel) -> None:
        """Trigger the fault that comes before any request, if there is one."""
        reply = self.script[0] if self.script else self.reply
        faults = () if callable(reply) else reply.faults
        fault = next((f for f in faults if isinstance(f, Cut | Stall) and f.after == "accept"), None)
        if fault is None:
            return
        if self.script:
            # Used up now: the next connection, which may come before this one's request, gets the next reply.
            self.script.popleft()
        if isinstance(fault, Stall):
            assert isinstance(reply, Reply)
            channel.reply = reply
            channel.hold(self._released.acquire)
        elif fault.how == "fin":
            channel.finish()
        else:
            channel.reset()

    async def _answer(self, channel: Channel, raw: RawRequest) -> None:
        number = self._state.requests_seen + 1
        body = read_body(raw.data)
        request = RecordedRequest(
            number, channel.record.id, raw.method, raw.path, raw.headers, body, raw.data, query=raw.query
        )
        self._state.add(request)
        reply = self._reply_for(request, channel)
        delivery = Delivery(channel, request, reply, self._state, self._released.acquire)
        await delivery.run(response_to(request, reply))

    def _reply_for(self, request: RecordedRequest, channel: Channel) -> Reply:
        reply: Reply | ReplyFor | None
        reply, channel.reply = channel.reply, None
        if reply is None:
            reply = self.script.popleft() if self.script else self.reply
        if callable(reply):
            reply = reply(request)
        model = find_target(request).model
        if model is None and isinstance(request.body, dict):
            model = request.body.get("model")
        named = request.headers.get("x-mock-fault")
        if named is None and isinstance(model, str) and model.startswith("fault:"):
            named = model.removeprefix("fault:")
        return reply if named is None else replace(reply, fault=_fault_of_a_request(named))


def _fault_of_a_request(name: str) -> Fault:
    """Return the fault that a request names. Its connection was accepted long ago, so that place is moved."""
    try:
        fault = fault_named(name)
    except ValueError as error:
        return ErrorStatus(400, str(error))
    if isinstance(fault, Cut | Stall) and fault.after == "accept":
        return replace(fault, after="request")
    return fault

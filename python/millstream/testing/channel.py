"""One connection of the mock server: requests in, answers out, in order, and its end noticed at once."""

import asyncio
import socket
import struct
from collections import deque
from collections.abc import Awaitable, Callable, Mapping
from typing import Literal

from .http import LAST_CHUNK, Framing, HTTPError, RawRequest, RequestReader, chunk, head
from .state import State

__all__ = ("Answerer", "Channel")


class Channel(asyncio.Protocol):
    """The server's end of one connection.

    ``answer`` is called for one request at a time and cancelled when the client leaves. While it
    is open, the channel is one of ``channels``.
    """

    def __init__(self, state: State, answer: "Answerer", channels: "set[Channel]") -> None:
        self._state = state
        self._answer = answer
        self._channels = channels
        self._reader = RequestReader()
        self._queue: deque[RawRequest | HTTPError] = deque()
        self._task: asyncio.Task[None] | None = None
        self._chunked = False
        self._left_by: Literal["client", "server"] = "client"
        self._writable = asyncio.Event()
        self._writable.set()

    # What asyncio calls.

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Record the connection."""
        assert isinstance(transport, asyncio.Transport)
        self._transport = transport
        # Without a buffer above the kernel's, what was written before a reset has been sent.
        transport.set_write_buffer_limits(0)
        self.record = self._state.open()
        self._channels.add(self)

    def data_received(self, data: bytes) -> None:
        """Take in requests, and begin to answer."""
        try:
            self._queue.extend(self._reader.feed(data))
        except HTTPError as error:
            self._queue.append(error)
        if self._queue and (self._task is None or self._task.done()):
            self._task = asyncio.get_running_loop().create_task(self._serve())

    def eof_received(self) -> None:
        """Let go at once: a client that has closed its side waits for nothing."""
        self._transport.abort()

    def connection_lost(self, error: Exception | None) -> None:
        """Record the end, and stop answering."""
        if self._task is not None:
            self._task.cancel()
        self._channels.discard(self)
        self._state.close(self.record, self._left_by)

    def pause_writing(self) -> None:
        """Wait with writing: the client reads slowly."""
        self._writable.clear()

    def resume_writing(self) -> None:
        """Go on writing: the client caught up."""
        self._writable.set()

    # What answers call.

    def write_head(self, status: int, headers: Mapping[str, str], framing: Framing, length: int = 0) -> None:
        """Begin the response; ``length`` is for framing ``"length"``."""
        self._chunked = framing == "chunked"
        marks = {"chunked": ("transfer-encoding", "chunked"), "length": ("content-length", str(length))}
        name, value = marks.get(framing, ("connection", "close"))
        self._transport.write(head(status, {**headers, name: value}))

    async def write(self, data: bytes) -> None:
        """Write some of the body, and wait until the client can take more."""
        self._transport.write(chunk(data) if self._chunked else data)
        await self._writable.wait()
        # A turn of the loop, so that a client that leaves is noticed between two writes.
        await asyncio.sleep(0)

    def end(self) -> None:
        """Mark the end of the body, where the framing has a mark."""
        if self._chunked:
            self._transport.write(LAST_CHUNK)

    def finish(self) -> None:
        """Close the connection once everything is written."""
        self._left_by = "server"
        self._transport.close()

    def abort(self) -> None:
        """Close the connection without waiting for anything."""
        self._left_by = "server"
        self._transport.abort()

    def reset(self) -> None:
        """Close the connection with RST."""
        sock = self._transport.get_extra_info("socket")
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        self.abort()

    async def _serve(self) -> None:
        try:
            while self._queue:
                request = self._queue.popleft()
                if isinstance(request, HTTPError):
                    self.write_head(request.status, {"content-type": "text/plain"}, "close")
                    await self.write(request.message.encode())
                    return self.finish()
                if request.headers.get("expect", "").lower() == "100-continue":
                    self._transport.write(b"HTTP/1.1 100 Continue\r\n\r\n")
                await self._answer(self, request)
                if not request.keep_alive:
                    return self.finish()
        except Exception as error:
            # A mistake in the test's own reply, or in this server: `stop` raises it where the test sees it.
            self._state.error = self._state.error or error
            self.reset()


Answerer = Callable[[Channel, RawRequest], Awaitable[None]]

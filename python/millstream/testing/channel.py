"""One connection of the mock server: receives requests, sends the responses in order."""

import asyncio
import socket
import struct
from collections import deque
from collections.abc import Awaitable, Callable
from typing import Any, Literal

from .faults import Drip
from .http import HTTPError, RawRequest, RequestReader, head
from .replies import Reply
from .state import State

__all__ = ("Answerer", "Channel")


class Channel(asyncio.Protocol):
    """The server's end of one connection.

    ``accepted`` is called once, before anything is read. ``answer`` is called for one request at a time, and
    cancelled when the client leaves. While it is open, the channel is one of ``channels``. ``drip``
    splits later writes. ``reply`` is the reply to the first request, if it is known before that arrives.
    ``left_by`` is the side that closes the connection.
    """

    def __init__(
        self, state: State, accepted: "Callable[[Channel], None]", answer: "Answerer", channels: "set[Channel]"
    ) -> None:
        self.drip: Drip | None = None
        self.reply: Reply | None = None
        self.left_by: Literal["client", "server"] = "client"
        self._state = state
        self._accepted = accepted
        self._answer = answer
        self._channels = channels
        self._reader = RequestReader()
        self._queue: deque[RawRequest | HTTPError] = deque()
        self._task: asyncio.Task[None] | None = None
        self._written = 0
        self._writable = asyncio.Event()
        self._writable.set()

    # What asyncio calls.

    def connection_made(self, transport: Any) -> None:
        """Record the connection."""
        self._transport: asyncio.Transport = transport
        # Without a buffer above the kernel's, written data is on its way, unless the client does not read.
        transport.set_write_buffer_limits(0)
        self.record = self._state.open()
        self._channels.add(self)
        self._accepted(self)

    def data_received(self, data: bytes) -> None:
        """Parse requests, and begin to answer."""
        try:
            self._queue.extend(self._reader.feed(data))
        except HTTPError as error:
            self._queue.append(error)
        if self._queue and (self._task is None or self._task.done()):
            self._task = asyncio.get_running_loop().create_task(self._serve())

    def eof_received(self) -> None:
        """Abort: a client that has closed its side waits for nothing."""
        self._transport.abort()

    def connection_lost(self, error: Exception | None) -> None:
        """Stop answering, and record the end."""
        if self._task is not None:
            self._task.cancel()
        # asyncio closes the socket after this call. The end is recorded after that, so that waiters find it closed.
        asyncio.get_running_loop().call_soon(self._closed)

    def _closed(self) -> None:
        self._channels.discard(self)
        self._state.close(self.record, self.left_by)

    def pause_writing(self) -> None:
        """Stop writing: the client reads slowly."""
        self._writable.clear()
        self.record.blocked = True
        self._state.changed()

    def resume_writing(self) -> None:
        """Continue to write: the client caught up."""
        self._writable.set()
        self.record.blocked = False
        self.record.bytes_sent = self._written
        self._state.changed()

    # What answers call.

    async def write(self, data: bytes) -> None:
        """Write ``data``, and wait until the client can take more."""
        if self.drip is None:
            return await self._write(data)
        for start in range(0, len(data), self.drip.size):
            await self._write(data[start : start + self.drip.size])
            if self.drip.pace:
                await asyncio.sleep(self.drip.pace)

    async def _write(self, data: bytes) -> None:
        self._written += len(data)
        self._transport.write(data)
        self.record.bytes_sent = self._written - self._transport.get_write_buffer_size()
        await self._writable.wait()
        # A turn of the loop, so that a client that leaves is noticed between two writes.
        await asyncio.sleep(0)

    def hold(self, released: Callable[[], Awaitable[object]]) -> None:
        """Read nothing until ``released`` returns."""
        self._transport.pause_reading()
        self._task = asyncio.get_running_loop().create_task(self._held(released))

    async def _held(self, released: Callable[[], Awaitable[object]]) -> None:
        await released()
        self._transport.resume_reading()

    def bound_send_buffer(self, size: int) -> None:
        """Limit the kernel's send buffer to about ``size`` bytes."""
        self._transport.get_extra_info("socket").setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, size)

    async def arrived(self) -> None:
        """Wait until the client's kernel has received all written data (on Linux; elsewhere do not wait)."""
        try:
            from fcntl import ioctl
            from termios import TIOCOUTQ

            sock = self._transport.get_extra_info("socket")
            # The kernel offers no notification of acknowledgements.
            while struct.unpack("i", ioctl(sock.fileno(), TIOCOUTQ, b"\0" * 4)) != (0,):  # noqa: ASYNC110
                await asyncio.sleep(0.001)
        except (ImportError, OSError):
            return

    def finish(self) -> None:
        """Close the connection when everything is written."""
        self.left_by = "server"
        self._transport.close()

    def abort(self) -> None:
        """Close the connection at once."""
        self.left_by = "server"
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
                    refusal = head(request.status, {"content-type": "text/plain", "connection": "close"})
                    await self.write(refusal + request.message.encode())
                    return self.finish()
                if request.headers.get("expect", "").lower() == "100-continue":
                    self._transport.write(b"HTTP/1.1 100 Continue\r\n\r\n")
                await self._answer(self, request)
                if not request.keep_alive:
                    return self.finish()
        except Exception as error:
            # An error in the test's own reply, or in this server: ``stop`` raises it in the test.
            self._state.error = self._state.error or error
            self.reset()


Answerer = Callable[[Channel, RawRequest], Awaitable[None]]

"""Sends one response: head, frames and end, with pauses and faults at their places."""

import asyncio
import contextlib
from collections.abc import Callable, Coroutine, Iterable, Iterator
from itertools import chain
from typing import Any

from .answers import Response
from .channel import Channel
from .faults import Cut, Drip, Endless, ErrorFrame, Fault, Garble, Place, Refuse, Send, Stale, Stall
from .formats.parts import Frame
from .replies import Reply
from .state import RecordedRequest, State
from .wire import Wire

__all__ = ("Delivery",)

Pause = Callable[[], Coroutine[Any, Any, object]]
"""Returns when the test releases a stalled response."""

_NOTHING = Frame(b"")


class Over(Exception):
    """The response ends here, by a fault."""


class Delivery:
    """The delivery of one response.

    ``_held`` are frames that wait for a full write, ``_left`` the bytes missing from a body of known length.
    """

    def __init__(self, channel: Channel, request: RecordedRequest, reply: Reply, state: State, released: Pause) -> None:
        self._channel = channel
        self._request = request
        self._reply = reply
        self._state = state
        self._released = released
        self._held: list[bytes] = []
        self._held_pieces = 0
        self._left = 0
        self._frames_sent = 0
        self._begun = asyncio.get_running_loop().time()
        self._timing = reply.timing
        self._times = iter(() if reply.timing is None else reply.timing.writes)

    async def run(self, response: Response) -> None:
        """Send ``response``, to its end or to a fault that ends it."""
        reused = self._channel.record.requests > 1
        self._pending = [(place, fault) for fault in response.faults if (place := _place(fault, reused)) is not None]
        self._wire = Wire(response.framing, response.faults)
        self._format = response.format
        self._channel.drip = next((fault for fault in response.faults if isinstance(fault, Drip)), None)
        try:
            await self._send(response)
        except Over:
            pass
        except asyncio.CancelledError:
            # A client that closes after the whole response has not left it.
            self._request.left = self._channel.left_by == "client" and not self._request.answered
            raise
        finally:
            self._request.seconds = asyncio.get_running_loop().time() - self._begun
            self._request.over = True
            self._state.changed()

    async def _send(self, response: Response) -> None:
        wire, frames, length = self._wire, response.frames, 0
        await self._reach("request")
        await self._sleep(response.delay)
        if wire.garbage is not None:
            await self._channel.write(wire.garbage)
            return self._channel.finish()
        if wire.lengths:
            frames = tuple(frames)
            length = sum(len(frame.data) for frame in frames)
        if self._timing is not None:
            await self._until(self._timing.head)
        self._request.status = response.status
        await self._head(wire.head(response.status, response.headers, length))
        self._left = length if wire.framing == "length" else 0
        await self._body(frames)
        if self._timing is not None:
            await self._until(self._timing.end)
        await self._reach("done")
        await self._end()

    async def _head(self, head: bytes) -> None:
        half = len(head) // 2 if self._strikes_at("half-head") else 0
        await self._channel.write(head[:half])
        await self._reach("half-head")
        await self._channel.write(head[half:])
        await self._reach("head")

    async def _body(self, frames: Iterable[Frame]) -> None:
        """Send ``frames`` in writes of the reply's size."""
        sent = 0
        # The empty frame stands for the end, at which a fault may be scheduled too.
        for frame in chain(frames, (_NOTHING,)):
            if self._pending and not frame.is_opening:
                frame = await self._reach(sent, frame)
            sent += frame.is_piece
            await self._put(frame, first=sent <= 1)
        await self._flush()

    async def _put(self, frame: Frame, *, first: bool) -> None:
        """Collect frames for one write; pause before each write."""
        if frame.is_piece and self._timing is not None:
            await self._until(next(self._times, 0))
        elif frame.is_piece and first:
            await self._sleep(self._reply.first_delay)
        elif frame.is_piece and not self._held:
            await self._sleep(self._reply.pace * self._reply.pieces_per_write)
        self._held.append(frame.data)
        self._held_pieces += frame.is_piece
        if len(self._held) >= self._reply.pieces_per_write:
            await self._flush()

    async def _sleep(self, seconds: float) -> None:
        if seconds:
            await asyncio.sleep(seconds)

    async def _until(self, seconds: float) -> None:
        """Pause until so many seconds after the request."""
        left = self._begun + seconds - asyncio.get_running_loop().time()
        if left > 0:
            await asyncio.sleep(left)

    async def _flush(self) -> None:
        self._frames_sent += len(self._held)
        if not self._held:
            return
        data = b"".join(self._held)
        # Counted before the write, so that a client that has received a piece finds it counted.
        self._request.pieces_sent += self._held_pieces
        self._held, self._held_pieces = [], 0
        for part in _parts(data, self._reply.bytes_per_write):
            await self._write(part)
        self._state.changed()

    async def _write(self, data: bytes) -> None:
        """Send data of the body, framed."""
        if self._left:
            self._left -= len(data)
            # The last byte of a body of known length is also its end.
            if not self._left:
                self._done()
        await self._channel.write(self._wire.data(data))

    async def _end(self) -> None:
        """Send the end of the body."""
        self._done()
        await self._channel.write(self._wire.end())
        await self._reach("body")
        if self._wire.ends_by_closing:
            self._channel.finish()

    def _done(self) -> None:
        """Record the end, before the last write: the client may act on it before this thread runs again."""
        self._request.answered = True
        self._state.changed()

    # Faults.

    def _strikes_at(self, place: Place) -> bool:
        return any(where == place for where, _ in self._pending)

    async def _reach(self, place: Place, frame: Frame = _NOTHING) -> Frame:
        """Trigger every fault scheduled for ``place``, once each; return the unsent rest of ``frame``."""
        for pending in [pending for pending in self._pending if pending[0] == place]:
            self._pending.remove(pending)
            await self._flush()
            frame = await self._strike(pending[1], frame)
        return frame

    async def _strike(self, fault: Fault, frame: Frame) -> Frame:
        match fault:
            case Refuse():
                await self._leave("reset")
            case Stale():
                await self._leave(fault.how)
            case Cut():
                await self._cut(fault, frame)
            case Stall():
                return await self._stall(fault, frame)
            case Send():
                await self._channel.write(fault.data)
            case Endless():
                await self._endless(fault, frame)
            case ErrorFrame():
                await self._write(self._format.error_frame(fault, self._frames_sent))
                await self._end()
                raise Over
            case Garble():
                self._request.pieces_sent += frame.is_piece
                await self._channel.write(self._wire.garbled(frame.data))
                return frame._replace(data=b"", is_piece=False)
        return frame

    async def _leave(self, how: str) -> None:
        if how == "reset":
            # A reset discards data that is still on its way.
            await self._channel.arrived()
            self._channel.reset()
        else:
            self._channel.finish()
        raise Over

    async def _cut(self, fault: Cut, frame: Frame) -> None:
        if fault.inside:
            await self._channel.write(self._halves(frame.data, fault.inside)[0])
        if fault.how != "end":
            await self._leave(fault.how)
        if self._left:
            # The body is shorter than its length, so only closing can end it.
            await self._leave("fin")
        await self._end()
        raise Over

    def _halves(self, data: bytes, inside: object) -> tuple[bytes, bytes]:
        """Return both halves of a frame as they are sent: as two chunks, or as the halves of one."""
        if inside == "chunk":
            # The middle of the data, not of the chunk, so that the size before it is sent whole.
            whole = self._wire.data(data)
            middle = whole.find(data) + len(data) // 2
            return whole[:middle], whole[middle:]
        return self._wire.data(data[: len(data) // 2]), self._wire.data(data[len(data) // 2 :])

    async def _stall(self, fault: Stall, frame: Frame) -> Frame:
        halves = self._halves(frame.data, fault.inside) if fault.inside else (b"", b"")
        await self._channel.write(halves[0])
        if fault.comment_every is None:
            await self._released()
        else:
            with self._release() as released:
                while not released.done():
                    await self._write(self._format.keep_alive)
                    await asyncio.wait([released], timeout=fault.comment_every)
        await self._channel.write(halves[1])
        return frame._replace(data=b"") if fault.inside else frame

    async def _endless(self, fault: Endless, frame: Frame) -> None:
        if fault.send_buffer_size is not None:
            self._channel.bound_send_buffer(fault.send_buffer_size)
        data, left = frame.data if fault.data is None else fault.data, fault.count
        if data == "keep-alive":
            data = self._format.keep_alive
        with self._release() as released:
            while left and not released.done():
                times = min(self._reply.pieces_per_write, left)
                left -= times
                if fault.data is None:
                    self._request.pieces_sent += times
                await self._write(data * times)
                if self._reply.pace:
                    await asyncio.sleep(self._reply.pace * times)

    @contextlib.contextmanager
    def _release(self) -> "Iterator[asyncio.Future[object]]":
        """Yield a future that is done when the test releases the response."""
        released: asyncio.Future[object] = asyncio.ensure_future(self._released())
        try:
            yield released
        finally:
            released.cancel()


def _place(fault: Fault, reused: bool) -> Place | None:
    """Return the place of ``fault``; ``None`` for a fault of the whole response."""
    match fault:
        case Refuse():
            return "request"
        case Stale():
            return "request" if reused else None
        case Garble():
            return fault.after if fault.strikes else None
        case ErrorFrame() | Cut() | Stall() | Send() | Endless():
            return "request" if isinstance(fault.after, int) and fault.after < 0 else fault.after
    return None


def _parts(data: bytes, size: int | None) -> Iterator[bytes]:
    if size is None:
        yield data
        return
    for start in range(0, len(data), size):
        yield data[start : start + size]

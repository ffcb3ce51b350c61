"""How a request becomes an answer on a connection: the routes, the frames, and the faults."""

import asyncio
import json
from collections.abc import Callable, Coroutine, Iterable, Iterator, Mapping
from itertools import chain
from typing import Any

from .channel import Channel
from .faults import Cut, ErrorFrame, ErrorStatus, Refuse, Stall
from .frames import Ask, Frame, document, encode, frames, model_list, read_ask, sse
from .http import Framing
from .replies import Reply
from .state import RecordedRequest, State

__all__ = ("Answer", "read_body")

_ROUTES = {"/completions": False, "/chat/completions": True}


Pause = Callable[[], Coroutine[Any, Any, object]]
"""Returns once the test lets a stalled answer go on."""


class Answer:
    """One answer under way."""

    def __init__(self, channel: Channel, request: RecordedRequest, reply: Reply, state: State, released: Pause) -> None:
        self._channel = channel
        self._request = request
        self._reply = reply
        self._state = state
        self._released = released
        self._held: list[bytes] = []
        self._held_pieces = 0

    async def run(self) -> None:
        """Answer, to the end or to the fault."""
        fault = self._reply.fault
        if isinstance(fault, Refuse):
            return self._channel.reset()
        if isinstance(fault, ErrorStatus):
            return await self._error_status(fault)
        if isinstance(fault, Stall) and fault.after < 0:
            await self._released()
        if self._reply.body is not None:
            return await self._raw(self._reply.body)
        await self._route(self._request.method, self._request.path.removeprefix("/v1"))

    async def _route(self, method: str, path: str) -> None:
        if (method, path) == ("GET", "/models"):
            return await self._json(200, model_list(self._reply))
        if method != "POST" or path not in _ROUTES:
            return await self._refusal(404, f"no such route: {method} {self._request.path}")
        try:
            ask = read_ask(self._request.body, chat=_ROUTES[path])
        except ValueError as error:
            return await self._refusal(400, str(error))
        await (self._stream(ask) if ask.stream else self._whole(ask))

    async def _stream(self, ask: Ask) -> None:
        """Answer with a stream of frames."""
        await self._body(frames(ask, self._reply, self._request.number), self._reply.content_type)

    async def _raw(self, body: bytes | Iterable[bytes]) -> None:
        """Answer with ``body`` as it is."""
        writes = (body,) if isinstance(body, bytes) else body
        await self._body((Frame(data, is_piece=True) for data in writes), self._reply.content_type)

    async def _whole(self, ask: Ask) -> None:
        """Answer with one document; a cut leaves half of it."""
        fault = self._reply.fault
        data = document(ask, self._reply, self._request.number)
        if isinstance(fault, ErrorFrame):
            data = encode({"error": fault.error})
        if isinstance(fault, Stall) and fault.after >= 0:
            await self._released()
        if not isinstance(fault, Cut) or fault.how == "end":
            return await self._json(self._reply.status, data)
        self._head(self._reply.status, "application/json", "length", len(data))
        await self._channel.write(data[: len(data) // 2])
        self._cut(fault)

    async def _error_status(self, fault: ErrorStatus) -> None:
        """Answer with an error status."""
        detail = {"message": fault.message, "type": "mock_error", "param": None, "code": fault.code}
        body = {"error": detail} if fault.body is None else fault.body
        await self._json(fault.status, encode(body), fault.headers)

    async def _refusal(self, status: int, message: str) -> None:
        """Tell the client what is wrong with its request."""
        detail = {"message": message, "type": "invalid_request_error", "param": None, "code": None}
        await self._json(status, encode({"error": detail}))

    async def _json(self, status: int, data: bytes, headers: Mapping[str, str] | None = None) -> None:
        """Answer with a JSON document."""
        self._head(status, "application/json", "length", len(data), headers)
        self._done()
        await self._channel.write(data)

    async def _body(self, source: Iterable[Frame], content_type: str) -> None:
        """Send the frames of ``source``, in writes of the reply's size, until the fault strikes."""
        reply, framing, length = self._reply, self._reply.framing, 0
        if framing == "length":
            source = tuple(source)
            length = sum(len(frame.data) for frame in source)
        self._head(reply.status, content_type, framing, length)
        fault, sent = reply.fault, 0
        # The empty frame is the end itself, where a fault may strike too.
        for frame in chain(source, (Frame(b""),)):
            if isinstance(fault, Cut | ErrorFrame | Stall) and sent == fault.after and not frame.is_opening:
                await self._flush()
                if await self._strike(fault, frame):
                    return
                fault = None
            sent += frame.is_piece
            await self._send(frame, first=sent <= 1)
        await self._flush()
        self._end()

    async def _send(self, frame: Frame, *, first: bool) -> None:
        """Hold ``frame`` until a write is full; pace the writes, the first piece apart."""
        if frame.is_piece and not self._held and not first and self._reply.pace:
            await asyncio.sleep(self._reply.pace * self._reply.pieces_per_write)
        self._held.append(frame.data)
        self._held_pieces += frame.is_piece
        if len(self._held) >= self._reply.pieces_per_write:
            await self._flush()

    async def _flush(self) -> None:
        data = b"".join(self._held)
        # Counted before the write: who has received a piece finds it counted.
        self._request.pieces_sent += self._held_pieces
        self._held, self._held_pieces = [], 0
        for part in _parts(data, self._reply.bytes_per_write):
            await self._channel.write(part)
        self._state.changed()

    async def _strike(self, fault: Cut | ErrorFrame | Stall, frame: Frame) -> bool:
        """Do what ``fault`` says in place of ``frame``, and return whether the answer is over."""
        if isinstance(fault, Stall):
            await self._stall(fault)
            return False
        if isinstance(fault, ErrorFrame):
            await self._channel.write(sse({"error": fault.error}) + (b"data: [DONE]\n\n" if fault.done else b""))
            self._end()
            return True
        if fault.inside:
            await self._channel.write(frame.data[: len(frame.data) // 2])
        self._cut(fault)
        return True

    async def _stall(self, fault: Stall) -> None:
        if fault.comment_every is None:
            await self._released()
            return
        released = asyncio.ensure_future(self._released())
        try:
            while not released.done():
                await self._channel.write(b": keep-alive\n\n")
                await asyncio.wait([released], timeout=fault.comment_every)
        finally:
            released.cancel()

    def _cut(self, fault: Cut) -> None:
        if fault.how == "reset":
            self._channel.reset()
        elif fault.how == "fin" or self._reply.framing != "chunked":
            self._channel.finish()
        else:
            self._end()

    def _head(
        self, status: int, content_type: str, framing: Framing, length: int, headers: Mapping[str, str] | None = None
    ) -> None:
        own = {"content-type": content_type, "x-request-id": f"req-mock{self._request.number}"}
        self._channel.write_head(status, own | dict(self._reply.headers) | dict(headers or {}), framing, length)

    def _end(self) -> None:
        self._done()
        self._channel.end()
        if self._reply.framing == "close":
            self._channel.finish()

    def _done(self) -> None:
        """Say so before the last write: a client may act on the end before this thread runs again."""
        self._request.answered = True
        self._state.changed()


def _parts(data: bytes, size: int | None) -> Iterator[bytes]:
    if size is None:
        yield data
        return
    for start in range(0, len(data), size):
        yield data[start : start + size]


def read_body(data: bytes) -> Any:
    """Return the JSON value of a request's body, or ``None`` where it is no JSON."""
    try:
        return json.loads(data)
    except ValueError:
        return None

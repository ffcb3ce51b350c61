"""The mock server: a real HTTP/1.1 server on the loopback interface, in a thread of its own."""

import asyncio
from collections import deque
from collections.abc import Callable, Iterable
from dataclasses import replace

from .answers import preflight_response, read_body, response_to
from .channel import Channel
from .cors import cors_headers, is_preflight
from .delivery import Delivery
from .fault_names import fault_named
from .faults import Cut, ErrorStatus, Fault, Stall
from .formats.table import find_target
from .http import RawRequest
from .loopback import LoopbackServer
from .replies import Reply
from .state import RecordedRequest

__all__ = ("MockServer", "ReplyFor")

ReplyFor = Callable[[RecordedRequest], Reply]
"""Returns the reply to a request."""


class MockServer(LoopbackServer):
    """A server that speaks the formats of all providers on their own paths, streaming and not.

    It listens on 127.0.0.1 alone, in a thread of its own, so that sync and async code use it the same way. It is a
    context manager, for ``with`` and ``async with``. ::

        from millstream import ChatOpenAI
        from millstream.testing import MockServer, Reply

        with MockServer(Reply(pieces=["Hello", " there"])) as server:
            model = ChatOpenAI(model="gpt-4o-mini", base_url=server.url, api_key="mock")
            assert [chunk.text for chunk in model.stream("Hi") if chunk.text] == ["Hello", " there"]
            assert server.requests[0].body["model"] == "gpt-4o-mini"

    OpenAI's chat completions, completions and responses are under :attr:`url`, and under Azure's path:
    ``/openai/deployments/NAME/chat/completions``; the others are under :attr:`origin`. docs/how-to/testing.md lists
    them.

    All arguments but the first are keywords:

    ``reply``
        the :class:`Reply` to each request, or a function that returns one for a request.
    ``script``
        the replies to the first requests, one for each. Both can be changed while the server runs.
    ``port``
        the port; 0 takes a free one.
    ``cors``
        the origin whose pages a browser lets read the responses, ``"*"`` for all; a preflight uses no reply.
    ``on_response``
        a function that is called with each request when its response has ended, in the server's thread.

    A request may name a fault itself, in the header ``x-mock-fault: reset:3`` or as the model ``fault:reset:3``.
    """

    def __init__(
        self,
        reply: Reply | ReplyFor | None = None,
        *,
        script: Iterable[Reply | ReplyFor] = (),
        port: int = 0,
        cors: str | None = None,
        on_response: Callable[[RecordedRequest], object] | None = None,
    ) -> None:
        self.reply: Reply | ReplyFor = Reply() if reply is None else reply
        self.script: deque[Reply | ReplyFor] = deque(script)
        self.cors = cors
        self._on_response = on_response
        super().__init__(port)

    @property
    def url(self) -> str:
        """The base URL that OpenAI clients take: :attr:`origin` and ``/v1``."""
        return f"{self.origin}/v1"

    @property
    def requests(self) -> list[RecordedRequest]:
        """The requests so far (the latest 10,000), oldest first."""
        return list(self._state.requests)

    def release(self, answers: int = 1) -> None:
        """Release that many responses from a :class:`Stall`, now or when they reach it."""
        for _ in range(answers):
            self._call(self._released.release)

    # What runs in the server's own thread.

    def _open(self) -> None:
        self._released = asyncio.Semaphore(0)

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
        if self.cors is not None and is_preflight(request):
            reply, response = Reply(), preflight_response(request)
        else:
            reply = self._reply_for(request, channel)
            response = response_to(request, reply)
        if allowed := cors_headers(request, self.cors):
            response = replace(response, headers={**response.headers, **allowed})
        delivery = Delivery(channel, request, reply, self._state, self._released.acquire)
        try:
            await delivery.run(response)
        finally:
            if self._on_response is not None:
                self._on_response(request)
                self._state.changed()

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
        if model == "echo":
            reply = replace(reply, echo=True)
        named = request.headers.get("x-mock-fault")
        if named is None and isinstance(model, str) and model.startswith("fault:"):
            named = model.removeprefix("fault:")
        return reply if named is None else _with_fault(reply, _fault_of_a_request(named))


def _with_fault(reply: Reply, fault: Fault) -> Reply:
    try:
        return replace(reply, fault=fault)
    except ValueError as error:
        return replace(reply, fault=ErrorStatus(400, str(error)))


def _fault_of_a_request(name: str) -> Fault:
    """Return the fault that a request names. Its connection was accepted long ago, so that place is moved."""
    try:
        fault = fault_named(name)
    except ValueError as error:
        return ErrorStatus(400, str(error))
    if isinstance(fault, Cut | Stall) and fault.after == "accept":
        return replace(fault, after="request")
    return fault

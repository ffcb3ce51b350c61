"""``EventStreamResponse``: a stream as the response of an ASGI app."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any, Literal

try:
    from starlette.responses import Response
except ImportError as error:
    raise ImportError("EventStreamResponse needs Starlette: pip install 'millstream[server]'") from error

from ..streaming.inputs import aclose_iterator
from .bodies import as_body, check_limit, check_slow_client, response_headers
from .relaying import Relay, RelayOptions

if TYPE_CHECKING:
    from collections.abc import AsyncIterable

    from starlette.background import BackgroundTask
    from starlette.types import Receive, Scope, Send

    from ..wires.names import Wire

__all__ = ("EventStreamResponse",)


class EventStreamResponse(Response):
    """A response that sends a stream as it comes, and closes the stream when the client leaves.

    It is an ASGI app, and the return value of routes of FastAPI and Starlette. ::

        from fastapi import FastAPI

        from millstream import ChatOpenAI
        from millstream.server import EventStreamResponse

        app = FastAPI()
        model = ChatOpenAI(model="gpt-4o-mini")


        @app.post("/chat")
        async def chat(prompt: str) -> EventStreamResponse:
            return EventStreamResponse(model.astream_records(prompt, wire="vercel.ui"))

    All arguments but the first are keywords:

    ``content``
        the stream of ``astream_records``, ``astream`` or ``astream_events``, or any async iterator of bytes,
        strings and :class:`~millstream.ServerSentEvent`; these become server-sent events.
    ``wire``
        what clients read, such as ``"vercel.ui"`` or ``"openai.chat"``, for a stream of chunks or events.
    ``status_code``, ``headers``, ``background``
        as in Starlette's responses. An error's response has these headers too. The background task runs however the
        stream ends.
    ``wait_for_first_chunk``
        send the head with the first chunk: an error before it becomes a real status, such as 429 with its
        ``Retry-After``. By default the head is sent at once, and every error is an error record of the wire.
    ``ping_interval``
        seconds of silence after which keep-alive bytes are sent; ``None`` for none.
    ``send_timeout``
        seconds after which a client that does not read is left; ``None`` to wait for ever.
    ``slow_client``
        ``"wait"`` stops reading the upstream while the client does not read. ``"snapshot"`` reads on: of what the
        client does not take, 64 KiB are kept; beyond that, records are dropped, and one record of the whole text so far
        replaces them (on ``"ndjson"`` and ``"vercel.ui"``).
    ``include_input``
        send inputs and metadata too, on the ``langchain.*`` wires.
    ``on_error``
        a function, or an async one, that is called with the exception that ended the stream; it is logged too,
        by the logger ``millstream.server``.
    ``farewell``
        the last bytes of a response that is running when the server shuts down; by default an error record of
        type ``server_shutdown``.

    Clients are sent the kind of an error, never an upstream's message, URL or key.

    Raises :class:`TypeError` for a stream whose items need a ``wire``, :class:`ValueError` for two wires and for limits
    that are not positive, and :class:`~millstream.errors.UnsupportedError` for ``slow_client="snapshot"`` on a wire
    without a record for it. Errors of the stream are sent to the client; they are not raised in the route.
    """

    def __init__(
        self,
        content: AsyncIterable[Any],
        *,
        wire: Wire | None = None,
        status_code: int = 200,
        headers: Mapping[str, str] | None = None,
        background: BackgroundTask | None = None,
        wait_for_first_chunk: bool = False,
        ping_interval: float | None = 15.0,
        send_timeout: float | None = 60.0,
        slow_client: Literal["wait", "snapshot"] = "wait",
        include_input: bool = False,
        on_error: Callable[[Exception], Any] | None = None,
        farewell: bytes | None = None,
    ) -> None:
        self._content = as_body(content, wire, include_input=include_input)
        self.status_code = status_code
        self.background = background
        pairs = response_headers(self._content, headers)
        self.media_type = dict(pairs)["content-type"]
        self.raw_headers = [(name.encode("latin-1"), value.encode("latin-1")) for name, value in pairs]
        given = {name.lower().encode("latin-1") for name in headers or ()}
        self._given_headers = [pair for pair in self.raw_headers if pair[0] in given]
        self._wait_for_first_chunk = wait_for_first_chunk
        self._ping_interval = check_limit(ping_interval, "ping_interval")
        self._send_timeout = check_limit(send_timeout, "send_timeout")
        self._drops = check_slow_client(self._content, slow_client)
        self._on_error = on_error
        self._farewell = farewell

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Send the response."""
        if scope["type"] == "websocket":
            send = self._wrap_websocket_denial_send(send)
        failure: Exception | None = None
        try:
            if scope.get("method") == "HEAD":
                await self._send_head(send)
            else:
                await Relay(self._content, self._options()).run(receive, send)
        except Exception as error:
            failure = error
        if self.background is not None:
            await self.background()
        if failure is not None:
            raise failure

    async def _send_head(self, send: Send) -> None:
        """Send the head alone, and open no upstream."""
        await aclose_iterator(self._content)
        await send({"type": "http.response.start", "status": self.status_code, "headers": self.raw_headers})
        await send({"type": "http.response.body", "body": b"", "more_body": False})

    def _options(self) -> RelayOptions:
        # Starlette and its middleware may have changed status and headers by now.
        return RelayOptions(
            self.status_code,
            self.raw_headers,
            self._given_headers,
            self._wait_for_first_chunk,
            self._ping_interval,
            self._send_timeout,
            self._on_error,
            self._farewell,
            self._drops,
        )

"""A gateway's endpoints for answers: a request to the upstreams, and its account."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, get_args
from urllib.parse import parse_qs

from starlette.requests import ClientDisconnect, Request
from starlette.responses import Response

from ..._uuid7 import uuid7
from ...wires.names import WireName, WireOptions, is_event_wire
from ..disconnects import run_until_disconnect
from ..openai_api.body import read_body
from ..openai_api.endpoint import read_headers
from ..openai_api.errors import RequestError, missing_model
from ..openai_api.failures import failure_response
from ..openai_api.fields import wrong_type
from ..response import EventStreamResponse
from .accounting import Account, estimate_tokens
from .failover import FailoverSource
from .responses import to_chat
from .streaming import relay_stream
from .whole import collect_response, read_answer

if TYPE_CHECKING:
    from starlette.types import Receive, Scope, Send

    from ...wires.record_stream import RecordStream
    from .config import GatewayConfig
    from .state import Gateway

__all__ = ("RELAYS", "Relay", "RelayEndpoint")

_WIRES = [name for name in get_args(WireName) if not is_event_wire(name)]
MAX_MODEL_NAME = 256


@dataclass(frozen=True, slots=True)
class Relay:
    """An endpoint's path after ``/v1``, that of its upstreams, and the wire of its streams, if it has any."""

    path: str
    upstream_path: str
    wire: WireName | None


RELAYS = (
    Relay("/chat/completions", "/chat/completions", "openai.chat"),
    Relay("/completions", "/completions", "openai.completions"),
    Relay("/responses", "/chat/completions", "openai.responses"),
    Relay("/embeddings", "/embeddings", None),
)


class RelayEndpoint:
    """An ASGI app that relays the requests of one path. Each has an account, whatever becomes of it."""

    def __init__(self, state: Gateway, relay: Relay) -> None:
        self.state = state
        self._relay = relay

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Respond to one request."""
        account = Account(f"req_{uuid7().hex}", self._relay.path, self.state.report)
        try:
            try:
                response = await self._respond(scope, receive, account)
            except ClientDisconnect:
                return
            except Exception as error:
                account.fail(error)
                response = failure_response(error)
                response.headers["x-request-id"] = account.id
            await response(scope, receive, send)
        finally:
            account.close()

    async def _respond(self, scope: Scope, receive: Receive, account: Account) -> Response:
        """Return the answer, or the response that streams it; raises ``ClientDisconnect`` if the client has left."""
        state = self.state
        config, headers = state.config, read_headers(scope)
        key = state.keys.identify(headers)
        account.key = key.name
        body = await _read_body(Request(scope, receive), config)
        account.model, account.stream = _read_names(body, may_stream=self._relay.wire is not None)
        account.wire = _find_wire(scope["query_string"], self._relay.wire) if account.stream else "json"
        candidates = state.router.candidates(account.model, key)
        shown: Mapping[str, Any] = {}
        if self._relay.path == "/responses":
            body, shown = to_chat(body)
        account.input_estimate = estimate_tokens(body)
        account.enter(state.limits.of(key))
        source = FailoverSource(candidates, self._relay.upstream_path, body, account)
        if account.stream:
            return self._stream(source, body, account, config)
        if self._relay.path == "/responses":
            work = collect_response(self._records(source, body, account), shown, config.max_response_size)
        else:
            work = read_answer(source, account, config.max_response_size)
        data = await run_until_disconnect(receive, work)
        return Response(data, headers={"x-request-id": account.id}, media_type="application/json")

    def _stream(
        self, source: FailoverSource, body: Mapping[str, Any], account: Account, config: GatewayConfig
    ) -> Response:
        return EventStreamResponse(
            self._records(source, body, account),
            headers={"x-request-id": account.id},
            wait_for_first_chunk=True,
            ping_interval=config.ping_interval,
            send_timeout=config.send_timeout,
            on_error=account.fail,
        )

    def _records(self, source: FailoverSource, body: Mapping[str, Any], account: Account) -> RecordStream:
        wire: Any = account.wire if account.stream else self._relay.wire
        is_own = wire == self._relay.wire and wire != "openai.responses"
        asked = body.get("stream_options")
        options = WireOptions(
            wire,
            id=account.id.removeprefix("req_"),
            model=account.model,
            include_usage=not is_own or bool(isinstance(asked, dict) and asked.get("include_usage")),
            all_choices=is_own,
        )
        is_chat = self._relay.upstream_path == "/chat/completions"
        return relay_stream(source, body, account, options, is_chat=is_chat)


async def _read_body(request: Request, config: GatewayConfig) -> dict[str, Any]:
    try:
        async with asyncio.timeout(config.body_timeout):
            return await read_body(request, config.max_body_size)
    except TimeoutError:
        raise RequestError(
            "The request was not sent in time.", status=408, code="request_timeout", headers={"connection": "close"}
        ) from None


def _read_names(body: Mapping[str, Any], *, may_stream: bool) -> tuple[str, bool]:
    """Return the model that a request names, and whether it asks for a stream."""
    model = body.get("model")
    if not isinstance(model, str) or not model:
        raise missing_model()
    if len(model) > MAX_MODEL_NAME:
        raise RequestError(f"Invalid 'model': a name has at most {MAX_MODEL_NAME} characters.", param="model")
    stream = body.get("stream")
    if stream is not None and not isinstance(stream, bool):
        raise wrong_type("stream", "a boolean")
    if stream and not may_stream:
        raise RequestError("'stream' is not supported here.", param="stream", code="unsupported_parameter")
    return model, bool(stream)


def _find_wire(query: bytes, own: WireName | None) -> str:
    """Return the wire that ``?wire=`` names, or the endpoint's own."""
    asked = parse_qs(query.decode("latin-1")).get("wire", [own])[0] if query else own
    if asked is None or asked not in _WIRES:
        raise RequestError(f"Invalid 'wire': it is one of {', '.join(_WIRES)}.", param="wire", code="invalid_value")
    return asked

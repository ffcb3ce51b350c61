"""``gateway``: the ASGI app."""

from __future__ import annotations

import logging
from collections.abc import Callable
from typing import TYPE_CHECKING, Any, get_args

from starlette.applications import Starlette
from starlette.background import BackgroundTask
from starlette.exceptions import HTTPException
from starlette.responses import PlainTextResponse, Response
from starlette.routing import Route

from ..._uuid7 import uuid7
from ...wires.names import WireName, WireOptions, is_event_wire
from ..openai_api.body import read_body
from ..openai_api.errors import RequestError
from ..openai_api.failures import failure_response, http_error, json_response
from ..openai_api.tasks import run_until_disconnect
from ..response import EventStreamResponse
from .accounting import Account
from .failover import FailoverSource
from .keys import KeyRing
from .limits import Limits
from .metrics import Metrics
from .router import Router
from .streaming import relay_stream
from .whole import read_answer

if TYPE_CHECKING:
    from starlette.types import Receive, Scope, Send

    from .config import GatewayConfig, KeyConfig

__all__ = ("Gateway", "gateway")

logger = logging.getLogger("millstream.gateway")

_WIRES = [name for name in get_args(WireName) if not is_event_wire(name)]


class Gateway:
    """The state of a gateway: its configuration, which may be replaced while it runs, and what it counts."""

    def __init__(self, config: GatewayConfig, reports: tuple[Callable[[Account], None], ...] = ()) -> None:
        self.limits = Limits()
        self.metrics = Metrics()
        self._reports = (self.metrics.count, *reports)
        self._router: Router | None = None
        self.use(config)

    def use(self, config: GatewayConfig) -> None:
        """Use another configuration from the next request on; what runs goes on with the earlier one."""
        self.config = config
        self.keys = KeyRing(config.keys)
        self._router = Router(config, self._router)

    @property
    def router(self) -> Router:
        """The upstreams."""
        assert self._router is not None
        return self._router

    def report(self, account: Account) -> None:
        """Count a request that has ended."""
        for report in self._reports:
            try:
                report(account)
            except Exception:
                logger.exception("a report of a request failed")


def gateway(config: GatewayConfig | Gateway, *, reports: tuple[Callable[[Account], None], ...] = ()) -> Starlette:
    """Return an ASGI app that relays OpenAI's chat completions and completions to upstreams.

    It has ``/v1/chat/completions``, ``/v1/completions``, ``/v1/models``, ``/healthz`` and ``/metrics``. A stream is
    sent in OpenAI's wire, or in another one that the client asks for by ``?wire=``. Each of ``reports`` is called
    with the :class:`Account` of a request that has ended. ::

        app = gateway(GatewayConfig((UpstreamConfig("http://127.0.0.1:8000/v1"),)))
    """
    state = config if isinstance(config, Gateway) else Gateway(config, reports)
    routes = [
        Route("/v1/chat/completions", _Relay(state, "/chat/completions"), methods=["POST"]),
        Route("/v1/completions", _Relay(state, "/completions"), methods=["POST"]),
        Route("/v1/models", _Models(state), methods=["GET"]),
        Route("/healthz", _Health(state), methods=["GET"]),
        Route("/metrics", _Metrics(state), methods=["GET"]),
    ]
    return Starlette(routes=routes, exception_handlers={HTTPException: http_error})


class _Endpoint:
    """An ASGI app for one path: it calls ``respond``, and responds to errors as OpenAI's API does."""

    def __init__(self, state: Gateway) -> None:
        self.state = state

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Respond to one request."""
        try:
            headers = {name.decode("latin-1").lower(): value.decode("latin-1") for name, value in scope["headers"]}
            response = await self.respond(scope, headers, receive)
        except Exception as error:
            response = failure_response(error)
        if response is not None:
            await response(scope, receive, send)

    async def respond(self, scope: Scope, headers: dict[str, str], receive: Receive) -> Response | None:
        """Return the response; ``None`` for a client that has left."""
        raise NotImplementedError


class _Relay(_Endpoint):
    """Answers of the upstreams."""

    def __init__(self, state: Gateway, path: str) -> None:
        super().__init__(state)
        self._path = path
        self._wire: WireName = "openai.chat" if path == "/chat/completions" else "openai.completions"

    async def respond(self, scope: Scope, headers: dict[str, str], receive: Receive) -> Response | None:
        """Return the answer, or the response that streams it."""
        state = self.state
        key = state.keys.identify(headers)
        body = await read_body(headers, receive, state.config.max_body_size)
        model, stream = _read(body)
        wire = _find_wire(scope["query_string"], self._wire) if stream else self._wire
        candidates = state.router.candidates(model, key)
        account = self._begin(key, model, wire, stream=stream)
        source = FailoverSource(candidates, self._path, body)
        if stream:
            return self._stream(source, body, account)
        try:
            data = await run_until_disconnect(receive, read_answer(source, account, state.config.max_response_size))
        finally:
            account.close()
        own_headers = {"x-request-id": account.id}
        return None if data is None else Response(data, headers=own_headers, media_type="application/json")

    def _begin(self, key: KeyConfig, model: str, wire: WireName, *, stream: bool) -> Account:
        limits = self.state.limits.of(key)
        limits.enter()
        id = f"req_{uuid7().hex}"
        return Account(id, self._path, key.name, model, wire, stream, limits, self.state.report)

    def _stream(self, source: FailoverSource, body: dict[str, Any], account: Account) -> Response:
        is_own = account.wire == self._wire
        asked = body.get("stream_options")
        options = WireOptions(
            account.wire,  # type: ignore[arg-type]
            id=account.id.removeprefix("req_"),
            model=account.model,
            include_usage=not is_own or bool(isinstance(asked, dict) and asked.get("include_usage")),
            all_choices=is_own,
        )
        config = self.state.config
        return EventStreamResponse(
            relay_stream(source, body, account, options, is_chat=self._path == "/chat/completions"),
            headers={"x-request-id": account.id},
            # For a client that leaves before the stream is opened.
            background=BackgroundTask(account.close),
            wait_for_first_chunk=True,
            ping_interval=config.ping_interval,
            send_timeout=config.send_timeout,
        )


class _Models(_Endpoint):
    """The names that a client may ask for."""

    async def respond(self, scope: Scope, headers: dict[str, str], receive: Receive) -> Response:
        """Return the list."""
        names = self.state.router.names(self.state.keys.identify(headers))
        data = [{"id": name, "object": "model", "created": 0, "owned_by": "millstream"} for name in names]
        return json_response({"object": "list", "data": data})


class _Health(_Endpoint):
    """Whether an upstream may be asked."""

    async def respond(self, scope: Scope, headers: dict[str, str], receive: Receive) -> Response:
        """Return the state of each upstream; status 503 if none is asked now."""
        states = {name: upstream.circuit.state for name, upstream in self.state.router.upstreams.items()}
        is_well = any(state != "open" for state in states.values())
        document = {"status": "ok" if is_well else "unavailable", "upstreams": states}
        return json_response(document, 200 if is_well else 503)


class _Metrics(_Endpoint):
    """What this process has counted, in Prometheus' text format."""

    async def respond(self, scope: Scope, headers: dict[str, str], receive: Receive) -> Response:
        """Return the metrics."""
        return PlainTextResponse(self.state.metrics.text(), media_type="text/plain; version=0.0.4; charset=utf-8")


def _read(body: dict[str, Any]) -> tuple[str, bool]:
    """Return the model that a request names, and whether it asks for a stream."""
    model = body.get("model")
    if not isinstance(model, str) or not model:
        raise RequestError("you must provide a model parameter", param="model")
    stream = body.get("stream")
    if stream is not None and not isinstance(stream, bool):
        raise RequestError("Invalid type for 'stream': expected a boolean.", param="stream", code="invalid_type")
    return model, bool(stream)


def _find_wire(query: bytes, own: WireName) -> WireName:
    """Return the wire that ``?wire=`` names, or the endpoint's own."""
    from urllib.parse import parse_qs

    asked = parse_qs(query.decode("latin-1")).get("wire", [own])[0] if query else own
    if asked not in _WIRES:
        raise RequestError(f"Invalid 'wire': it is one of {', '.join(_WIRES)}.", param="wire", code="invalid_value")
    return asked  # type: ignore[return-value]

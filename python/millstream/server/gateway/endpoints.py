"""A gateway's endpoints beside the answers: the models, its health, and its metrics."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from starlette.responses import PlainTextResponse, Response

from ..openai_api.errors import unknown_model
from ..openai_api.failures import failure_response, json_response
from .metrics import Gauges

if TYPE_CHECKING:
    from starlette.types import Receive, Scope, Send

    from .state import Gateway

__all__ = ("HealthEndpoint", "MetricsEndpoint", "ModelEndpoint", "ModelsEndpoint", "read_headers")


def read_headers(scope: Scope) -> dict[str, str]:
    """Return a request's headers, with names in lower case."""
    return {name.decode("latin-1").lower(): value.decode("latin-1") for name, value in scope["headers"]}


class _Endpoint:
    """An ASGI app for one path: it sends the response that ``respond`` returns, or that of its error."""

    def __init__(self, state: Gateway) -> None:
        self.state = state

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Respond to one request."""
        try:
            response = self.respond(scope)
        except Exception as error:
            response = failure_response(error)
        await response(scope, receive, send)

    def respond(self, scope: Scope) -> Response:
        """Return the response."""
        raise NotImplementedError


class ModelsEndpoint(_Endpoint):
    """The names that a client may ask for."""

    def respond(self, scope: Scope) -> Response:
        """Return the list."""
        names = self.state.router.names(self.state.keys.identify(read_headers(scope)))
        return json_response({"object": "list", "data": [_describe(name) for name in names]})


class ModelEndpoint(_Endpoint):
    """One name that a client may ask for."""

    def respond(self, scope: Scope) -> Response:
        """Return its description."""
        name: str = scope["path_params"]["name"]
        if name not in self.state.router.names(self.state.keys.identify(read_headers(scope))):
            raise unknown_model(name)
        return json_response(_describe(name))


class HealthEndpoint(_Endpoint):
    """Whether an upstream may be asked."""

    def respond(self, scope: Scope) -> Response:
        """Return the state of each upstream; status 503 if none is asked now."""
        states = self.state.router.states()
        is_well = any(state != "open" for state in states.values())
        document = {"status": "ok" if is_well else "unavailable", "upstreams": states}
        return json_response(document, 200 if is_well else 503)


class MetricsEndpoint(_Endpoint):
    """What this process has counted, in Prometheus' text format."""

    def respond(self, scope: Scope) -> Response:
        """Return the metrics."""
        gauges = Gauges(self.state.limits.running(), self.state.router.states())
        text = self.state.metrics.text(gauges)
        return PlainTextResponse(text, media_type="text/plain; version=0.0.4; charset=utf-8")


def _describe(name: str) -> dict[str, Any]:
    return {"id": name, "object": "model", "created": 0, "owned_by": "millstream"}

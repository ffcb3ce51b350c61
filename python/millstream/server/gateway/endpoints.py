"""A gateway's endpoints beside the answers: the models, its health, and its metrics."""

from __future__ import annotations

from typing import TYPE_CHECKING

from starlette.responses import PlainTextResponse, Response

from ..openai_api.endpoint import Endpoint, describe_model
from ..openai_api.errors import unknown_model
from ..openai_api.failures import json_response
from .metrics import Gauges

if TYPE_CHECKING:
    from starlette.types import Receive, Scope

    from .state import Gateway

__all__ = ("HealthEndpoint", "MetricsEndpoint", "ModelEndpoint", "ModelsEndpoint")


class _Endpoint(Endpoint):
    """An endpoint of the gateway."""

    def __init__(self, state: Gateway) -> None:
        self.state = state


class ModelsEndpoint(_Endpoint):
    """The names that a client may ask for."""

    async def respond(self, scope: Scope, headers: dict[str, str], receive: Receive) -> Response:
        """Return the list."""
        names = self.state.router.names(self.state.keys.identify(headers))
        return json_response({"object": "list", "data": [describe_model(name) for name in names]})


class ModelEndpoint(_Endpoint):
    """One name that a client may ask for."""

    async def respond(self, scope: Scope, headers: dict[str, str], receive: Receive) -> Response:
        """Return its description."""
        name: str = scope["path_params"]["name"]
        if name not in self.state.router.names(self.state.keys.identify(headers)):
            raise unknown_model(name)
        return json_response(describe_model(name))


class HealthEndpoint(_Endpoint):
    """Whether an upstream may be asked."""

    async def respond(self, scope: Scope, headers: dict[str, str], receive: Receive) -> Response:
        """Return the state of each upstream; status 503 if none is asked now."""
        states = self.state.router.states()
        is_well = any(state != "open" for state in states.values())
        document = {"status": "ok" if is_well else "unavailable", "upstreams": states}
        return json_response(document, 200 if is_well else 503)


class MetricsEndpoint(_Endpoint):
    """What this process has counted, in Prometheus' text format."""

    async def respond(self, scope: Scope, headers: dict[str, str], receive: Receive) -> Response:
        """Return the metrics."""
        gauges = Gauges(self.state.limits.running(), self.state.router.states())
        text = self.state.metrics.text(gauges)
        return PlainTextResponse(text, media_type="text/plain; version=0.0.4; charset=utf-8")

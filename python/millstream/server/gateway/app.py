"""``gateway``: the ASGI app."""

from __future__ import annotations

from typing import TYPE_CHECKING

from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.routing import Route

from ..openai_api.failures import http_error
from .endpoints import HealthEndpoint, MetricsEndpoint, ModelEndpoint, ModelsEndpoint
from .relays import RELAYS, RelayEndpoint
from .state import Gateway

if TYPE_CHECKING:
    from collections.abc import Callable

    from .accounting import Account
    from .config import GatewayConfig

__all__ = ("gateway",)


def gateway(config: GatewayConfig | Gateway, *, reports: tuple[Callable[[Account], None], ...] = ()) -> Starlette:
    """Return an ASGI app that relays OpenAI's chat completions and completions to upstreams.

    It has ``/v1/chat/completions``, ``/v1/completions``, ``/v1/responses``, ``/v1/embeddings``, ``/v1/models``,
    ``/healthz`` and ``/metrics``. A stream is sent in the wire of its endpoint, or in another one that the client asks
    for by ``?wire=``. Each of ``reports`` is called with the :class:`Account` of a request that has ended. ``config``
    may be a :class:`Gateway` of yours, whose ``use`` changes the configuration. ::

        app = gateway(GatewayConfig((UpstreamConfig("http://127.0.0.1:8000/v1"),)))
    """
    state = config if isinstance(config, Gateway) else Gateway(config, reports)
    routes = [
        *(Route(f"/v1{relay.path}", RelayEndpoint(state, relay), methods=["POST"]) for relay in RELAYS),
        Route("/v1/models", ModelsEndpoint(state), methods=["GET"]),
        Route("/v1/models/{name:path}", ModelEndpoint(state), methods=["GET"]),
        Route("/healthz", HealthEndpoint(state), methods=["GET"]),
        Route("/metrics", MetricsEndpoint(state), methods=["GET"]),
    ]
    app = Starlette(routes=routes, exception_handlers={HTTPException: http_error})
    # A redirect would go wherever the client's header says that this server is.
    app.router.redirect_slashes = False
    return app

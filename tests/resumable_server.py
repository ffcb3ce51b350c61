"""``python resumable_server.py PLACE UPSTREAM [LEASE]`` serves resumable streams under uvicorn, and prints its port."""

import socket
import sys
from typing import Any

import uvicorn
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from millstream import OpenAI
from millstream.server.resumable import resumable_routes, resume_or_create, store_lifespan
from resumable_stores import open_store


def make_app(place: str, upstream: str, lease: float) -> Starlette:
    """Return an app with the routes of resumable streams, and one URL for ``EventSource``."""
    store = open_store(place, lease=lease)
    model = OpenAI(base_url=upstream, api_key="k", max_retries=0)

    def create(request: Request) -> Any:
        wire: Any = request.query_params.get("wire", "vercel.ui")
        return model.astream_records(request.query_params.get("prompt", "p"), wire=wire)

    async def source(request: Request) -> Response:
        return await resume_or_create(request, store, request.path_params["stream_id"], create, retry=0.01)

    routes = resumable_routes(store, create, retry=0.01)
    return Starlette(routes=[*routes, Route("/source/{stream_id}", source)], lifespan=store_lifespan(store))


def main() -> None:
    """Serve on a free port of the loopback interface."""
    place, upstream, *lease = sys.argv[1:]
    with socket.create_server(("127.0.0.1", 0)) as listening:
        print(listening.getsockname()[1], flush=True)
        app = make_app(place, upstream, *map(float, lease or ["10"]))
        config = uvicorn.Config(app, log_level="error", timeout_graceful_shutdown=5)
        uvicorn.Server(config).run([listening])


if __name__ == "__main__":
    main()

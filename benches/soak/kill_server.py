"""A server with resumable streams for the soak of kills: it prints its port."""

import socket
import sys
from typing import Any

import uvicorn
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from millstream import OpenAI
from millstream.server.resumable import RedisStore, SQLiteStore, resume_or_create

LEASE_SECONDS = 1.0


def main() -> None:
    """Serve on a free port of the loopback interface."""
    place, upstream = sys.argv[1:]
    kind: Any = RedisStore if place.startswith("redis:") else SQLiteStore
    store = kind(place, lease=LEASE_SECONDS)
    model = OpenAI(base_url=upstream, api_key="no-key", max_retries=0)

    async def follow(request: Request) -> Response:
        name = request.path_params["name"]
        return await resume_or_create(
            request, store, name, lambda request: model.astream_records(name, wire="vercel.ui"), on_existing="join"
        )

    with socket.create_server(("127.0.0.1", 0)) as listening:
        print(listening.getsockname()[1], flush=True)
        app = Starlette(routes=[Route("/{name}", follow)])
        uvicorn.Server(uvicorn.Config(app, log_level="critical")).run([listening])


if __name__ == "__main__":
    main()

"""A server of the measurements: an answer as it comes, or as a resumable stream over a store; it prints its port."""

import socket
import sys
from typing import Any

import uvicorn
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from millstream import OpenAI
from millstream.server import EventStreamResponse
from millstream.server.resumable import MemoryStore, RedisStore, SQLiteStore, resumable


def open_store(place: str, **options: Any) -> Any:
    """Return the store at a place."""
    if place == "memory":
        return MemoryStore(**options)
    return RedisStore(place, **options) if place.startswith("redis:") else SQLiteStore(place, **options)


def serve(route: Route, log_level: str = "error") -> None:
    """Serve a route on a free port of the loopback interface, which is printed."""
    with socket.create_server(("127.0.0.1", 0), backlog=1024) as listening:
        print(listening.getsockname()[1], flush=True)
        uvicorn.Server(uvicorn.Config(Starlette(routes=[route]), log_level=log_level)).run([listening])


def main() -> None:
    """Serve answers of a model."""
    place, upstream = sys.argv[1:]
    store = None if place == "none" else open_store(place)
    model = OpenAI(base_url=upstream, api_key="no-key", max_retries=0)

    async def answer(request: Request) -> Response:
        records: Any = model.astream_records("p", wire="vercel.ui")
        return EventStreamResponse(records if store is None else resumable(records, store))

    serve(Route("/", answer))


if __name__ == "__main__":
    main()

"""A server with resumable streams for the soak of kills: it prints its port."""

import sys

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from millstream import OpenAI
from millstream.server.resumable import resume_or_create

from ..resumable.server import open_store, serve

LEASE_SECONDS = 1.0


def main() -> None:
    """Serve streams by their names, until a kill."""
    place, upstream = sys.argv[1:]
    store = open_store(place, lease=LEASE_SECONDS)
    model = OpenAI(base_url=upstream, api_key="no-key", max_retries=0)

    async def follow(request: Request) -> Response:
        name = request.path_params["name"]
        return await resume_or_create(
            request, store, name, lambda request: model.astream_records(name, wire="vercel.ui"), on_existing="join"
        )

    serve(Route("/{name}", follow), "critical")


if __name__ == "__main__":
    main()

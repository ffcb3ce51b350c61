"""Apps of LangServe's routes on the loopback interface, by LangServe itself and by Millstream."""

import asyncio
import socket
import threading
import warnings
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager, contextmanager
from typing import Any

import langserve
import uvicorn
from fastapi import FastAPI
from sse_starlette.sse import AppStatus

from millstream import RemoteRunnable
from millstream.server import add_routes

__all__ = (
    "Closing",
    "mount",
    "our_app",
    "our_client",
    "serve",
    "serve_by_langserve",
    "serve_by_millstream",
    "their_app",
    "their_client",
)

Closing = Callable[[], Any]
"""A coroutine function that the server calls in its loop when it stops."""


@contextmanager
def serve(app: Any, *, closing: Closing | None = None) -> Iterator[str]:
    """Serve ``app`` in a thread, and yield its address."""

    @asynccontextmanager
    async def lifespan(_: Any) -> AsyncIterator[None]:
        yield
        if closing is not None:
            await closing()

    app.router.lifespan_context = lifespan
    with socket.create_server(("127.0.0.1", 0)) as listening:
        server = uvicorn.Server(uvicorn.Config(app, log_config=None, lifespan="on"))
        thread = threading.Thread(target=server.run, args=([listening],), name="uvicorn")
        thread.start()
        try:
            yield f"http://127.0.0.1:{listening.getsockname()[1]}"
        finally:
            server.should_exit = True
            thread.join(20)
            assert not thread.is_alive()


def our_app() -> FastAPI:
    """Return an app for our routes."""
    return FastAPI()


def their_app() -> FastAPI:
    """Return an app for LangServe's routes."""
    # LangServe's server of events keeps an object of the first loop that it ran in.
    AppStatus.should_exit_event = None
    return FastAPI()


def mount(app: Any, chain: Any, path: str = "/chain", *, by_langserve: bool = False, **options: Any) -> None:
    """Add the routes of a chain: ours, or LangServe's."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        (langserve.add_routes if by_langserve else add_routes)(app, chain, path=path, **options)


@contextmanager
def serve_by_langserve(chain: Any, *, closing: Closing | None = None, **options: Any) -> Iterator[str]:
    """Serve a chain of LangChain's by LangServe, and yield its address."""
    app = their_app()
    mount(app, chain, by_langserve=True, **options)
    with serve(app, closing=closing) as url:
        yield f"{url}/chain"


@contextmanager
def serve_by_millstream(chain: Any, *, closing: Closing | None = None, **options: Any) -> Iterator[str]:
    """Serve a chain by our routes on FastAPI, and yield its address."""
    app = our_app()
    mount(app, chain, **options)
    with serve(app, closing=closing) as url:
        yield f"{url}/chain"


@contextmanager
def their_client(url: str, **options: Any) -> Iterator[Any]:
    """Yield LangServe's client of the routes under ``url``."""
    remote: Any = langserve.RemoteRunnable(url, verify=False, **options)
    try:
        yield remote
    finally:
        remote.sync_client.close()
        asyncio.run(remote.async_client.aclose())


@contextmanager
def our_client(url: str, **options: Any) -> Iterator[RemoteRunnable[Any, Any]]:
    """Yield Millstream's client of the routes under ``url``."""
    yield RemoteRunnable(url, **options)

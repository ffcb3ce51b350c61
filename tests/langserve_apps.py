"""LangServe's routes on apps of FastAPI, by LangServe itself and by Millstream, and the clients of both."""

import asyncio
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import langserve
from fastapi import FastAPI
from sse_starlette.sse import AppStatus

from millstream import RemoteRunnable
from millstream.server import add_routes

__all__ = ("mount", "our_client", "their_app", "their_client")


def their_app() -> FastAPI:
    """Return an app for LangServe's own routes."""
    # LangServe's server of events keeps an object of the first loop that it ran in.
    AppStatus.should_exit_event = None
    return FastAPI()


def mount(app: Any, chain: Any, path: str = "/chain", *, by_langserve: bool = False, **options: Any) -> None:
    """Add the routes of a chain: ours, or LangServe's."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        (langserve.add_routes if by_langserve else add_routes)(app, chain, path=path, **options)


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

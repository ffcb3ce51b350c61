"""A Django project in one module: a sync view and an async one, and the applications of both interfaces."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Any

import django
from django.conf import settings
from django.core.asgi import get_asgi_application
from django.core.wsgi import get_wsgi_application
from django.urls import path
from django.utils.decorators import async_only_middleware

__all__ = ("applications", "upper_async", "upper_sync", "urlpatterns")

_views: dict[str, Callable[[Any], Any]] = {}


def _sync(request: Any) -> Any:
    return _views["sync"](request)


async def _async(request: Any) -> Any:
    return await _views["async"](request)


urlpatterns = [path("sync", _sync), path("async", _async)]


def applications(
    sync: Callable[[Any], Any], async_: Callable[[Any], Awaitable[Any]], *, middleware: tuple[str, ...] = ()
) -> tuple[Any, Any]:
    """Return the WSGI and the ASGI application of a project whose views are ``sync`` and ``async_``."""
    _views.update({"sync": sync, "async": async_})
    if not settings.configured:
        settings.configure(ALLOWED_HOSTS=["*"], LOGGING_CONFIG=None, ROOT_URLCONF=__name__, SECRET_KEY="not a secret")
        django.setup()
    settings.MIDDLEWARE = list(middleware)
    return get_wsgi_application(), get_asgi_application()


def upper_sync(get_response: Callable[[Any], Any]) -> Callable[[Any], Any]:
    """Return a middleware that wraps the streams of sync views."""

    def respond(request: Any) -> Any:
        response = get_response(request)
        response.streaming_content = (piece.upper() for piece in response.streaming_content)
        return response

    return respond


@async_only_middleware  # type: ignore[untyped-decorator]
def upper_async(get_response: Callable[[Any], Any]) -> Callable[[Any], Any]:
    """Return a middleware that wraps the streams of async views."""

    async def respond(request: Any) -> Any:
        response = await get_response(request)
        pieces = response.streaming_content
        response.streaming_content = (piece.upper() async for piece in pieces)
        return response

    return respond

"""A Django project in one module: a sync view and an async one, and the applications of both interfaces."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Any

import django
from django.conf import settings
from django.core.asgi import get_asgi_application
from django.core.wsgi import get_wsgi_application
from django.urls import path

__all__ = ("applications", "urlpatterns")

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

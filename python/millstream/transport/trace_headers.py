"""The headers that continue a trace at a model's server, where tracing has a function for them."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

from . import Request

__all__ = ("set_injector", "traced")

_inject: Callable[[dict[str, str]], None] | None = None


def set_injector(inject: Callable[[dict[str, str]], None] | None) -> None:
    """Have ``inject`` add headers to a dict of them for each request of a model; ``None`` has nothing added."""
    global _inject
    _inject = inject


def traced(request: Request) -> Request:
    """Return the request with the headers of the current trace; a header that it has already stays."""
    if _inject is None:
        return request
    added: dict[str, str] = {}
    _inject(added)
    return replace(request, headers={**{name.lower(): value for name, value in added.items()}, **request.headers})

"""What a server sends: responses, routes, resumable streams. The extra ``server`` installs what it needs."""

from typing import TYPE_CHECKING, Any

from .._late import lazy_names

if TYPE_CHECKING:
    from .django import adjango_response, django_response
    from .langserve import add_routes
    from .response import EventStreamResponse
    from .shutdown import shut_down
    from .wsgi import WSGIEventStreamResponse

__all__ = (
    "EventStreamResponse",
    "WSGIEventStreamResponse",
    "add_routes",
    "adjango_response",
    "django_response",
    "shut_down",
)

_MODULES: dict[str, str] = {
    "EventStreamResponse": "millstream.server.response",
    "WSGIEventStreamResponse": "millstream.server.wsgi",
    "add_routes": "millstream.server.langserve",
    "adjango_response": "millstream.server.django",
    "django_response": "millstream.server.django",
    "shut_down": "millstream.server.shutdown",
}

_find = lazy_names(globals(), _MODULES)


def __getattr__(name: str) -> Any:
    """Import a name when it is first asked for."""
    return _find(name)


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})

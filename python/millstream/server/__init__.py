"""Streams as responses of servers, routes and apps for Runnables. The extra ``server`` installs the dependencies."""

from typing import TYPE_CHECKING, Any

from .._late import lazy_names

if TYPE_CHECKING:
    from .django import adjango_response, django_response
    from .langserve import add_routes
    from .openai_api import OpenAIRequest, RequestError, ServedModel, openai_app
    from .response import EventStreamResponse
    from .shutdown import shut_down
    from .wsgi import WSGIEventStreamResponse

__all__ = (
    "EventStreamResponse",
    "OpenAIRequest",
    "RequestError",
    "ServedModel",
    "WSGIEventStreamResponse",
    "add_routes",
    "adjango_response",
    "django_response",
    "openai_app",
    "shut_down",
)

_MODULES: dict[str, str] = {
    "EventStreamResponse": "millstream.server.response",
    "OpenAIRequest": "millstream.server.openai_api.request",
    "RequestError": "millstream.server.openai_api.errors",
    "ServedModel": "millstream.server.openai_api.served",
    "WSGIEventStreamResponse": "millstream.server.wsgi",
    "add_routes": "millstream.server.langserve",
    "adjango_response": "millstream.server.django",
    "django_response": "millstream.server.django",
    "openai_app": "millstream.server.openai_api.app",
    "shut_down": "millstream.server.shutdown",
}

_find = lazy_names(globals(), _MODULES)


def __getattr__(name: str) -> Any:
    """Import a name when it is first asked for."""
    return _find(name)


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})

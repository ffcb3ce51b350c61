"""What a server sends: responses, routes, resumable streams. The extra ``server`` installs what it needs."""

from typing import TYPE_CHECKING, Any

from .._late import lazy_names

if TYPE_CHECKING:
    from .response import EventStreamResponse
    from .shutdown import shut_down

__all__ = ("EventStreamResponse", "shut_down")

_MODULES: dict[str, str] = {
    "EventStreamResponse": "millstream.server.response",
    "shut_down": "millstream.server.shutdown",
}

_find = lazy_names(globals(), _MODULES)


def __getattr__(name: str) -> Any:
    """Import a name when it is first asked for."""
    return _find(name)


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})

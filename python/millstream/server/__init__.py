"""What a server sends: responses, routes, resumable streams. The extra ``server`` installs what it needs."""

from typing import Any

from .._late import lazy_names

__all__: tuple[str, ...] = ()

_MODULES: dict[str, str] = {}

_find = lazy_names(globals(), _MODULES)


def __getattr__(name: str) -> Any:
    """Import a name when it is first asked for."""
    return _find(name)


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})

"""Lists and closes the idle connections of all pools.

Models share their connections, so a model cannot close a connection that another model's stream uses.
Idle connections can be closed at any time; the next request opens a new one.
"""

import sys
from typing import Any

__all__ = ("aclose_idle", "close_idle", "idle_descriptors")


def close_idle(url: str | None = None) -> None:
    """Close the idle connections of sync code: those to ``url``'s origin, or all of them."""
    if (native := _loaded("native")) is not None:
        native.close_idle(url)
    if (clients := _loaded("clients")) is not None:
        clients.close_idle(url)


async def aclose_idle(url: str | None = None) -> None:
    """:func:`close_idle` for the connections of the running loop."""
    if (native := _loaded("native")) is not None:
        native.close_idle(url, of_loop=True)
    if (clients := _loaded("clients")) is not None:
        await clients.aclose_idle(url)


def idle_descriptors() -> set[int]:
    """Return the file descriptors of the idle connections."""
    found: set[int] = set()
    for name in ("native", "clients"):
        if (module := _loaded(name)) is not None:
            found |= module.idle_descriptors()
    return found


def _loaded(name: str) -> Any:
    """Return a module of this package if it has been imported, that is, used by a request."""
    return sys.modules.get(f"{__package__}.{name}")

"""The connections that wait in pools for their next use: which they are, and how they are closed.

Models share their connections, so that no model closes one that another's stream runs over: what is
idle can be closed at any time, and the next request opens another.
"""

import sys
from typing import Any

__all__ = ("aclose_idle", "close_idle", "idle_descriptors")


def close_idle(url: str | None = None) -> None:
    """Close the shared connections of sync code that nobody uses: those to ``url``'s origin, or all of them."""
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
    """Return the file descriptors of the connections that Millstream keeps for later."""
    found: set[int] = set()
    for name in ("native", "clients"):
        if (module := _loaded(name)) is not None:
            found |= module.idle_descriptors()
    return found


def _loaded(name: str) -> Any:
    """Return a module of this package, if something has been sent with it."""
    return sys.modules.get(f"{__package__}.{name}")

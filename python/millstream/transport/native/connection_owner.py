"""``ConnectionOwner``: the interface through which a connection of an event loop uses its pool."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Protocol

if TYPE_CHECKING:
    import asyncio
    from collections.abc import Callable
    from contextvars import Context

__all__ = ("ConnectionOwner",)


class ConnectionOwner(Protocol):
    """The pool, as a connection uses it."""

    loop: asyncio.AbstractEventLoop
    now: Callable[[], float]
    view: memoryview
    context: Context
    connections: set[Any]
    is_inherited: bool

    def rest(self, connection: Any) -> None:
        """Keep an idle connection."""

    def park(self, connection: Any) -> None:
        """Keep a connection that waits for the end of a body."""

    def unpark(self, connection: Any) -> bool:
        """Take a parked connection out; return whether it was there."""

    def remove(self, connection: Any) -> None:
        """Forget a connection that is closed."""

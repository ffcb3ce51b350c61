"""Idle and parked connections: shared by async and sync code.

No lock is held anywhere. The garbage collector may drop a stream in the middle of any statement, also
one of this module, and its connection returns to the pool from there: a lock of this thread would wait
for itself. Three rules replace it:

* Shared state changes by single operations of lists and dictionaries (``pop``, ``append``, ``remove``),
  which no other thread and no finalizer can interrupt.
* Taking a connection out of a list is owning it. Code that loses the race gets an ``IndexError`` or
  ``ValueError`` and looks for another connection; nothing is tested first and done afterwards.
* Loops run over copies, and a check of ``is_closed`` follows each insertion: a connection that comes back
  while the pool closes is closed either by ``close`` or by the insertion.
"""

from itertools import islice
from typing import Generic, NamedTuple, Protocol, TypeVar

from .origins import Origin

__all__ = ("PARKED_SECONDS", "SETTLING_SECONDS", "Limits", "Pool", "Pooled")

# How long a connection is parked, from the end of its stream to the end of its body.
PARKED_SECONDS = 1.0
# How long a request waits for a parked connection: a new connection would take longer.
SETTLING_SECONDS = 0.02
# Maximum number of parked connections that one request looks at.
_LOOKED_AT = 8


class Limits(NamedTuple):
    """The limits of a pool.

    ``max_connections`` counts the connections to all origins (``None``: no limit). ``max_idle`` counts the
    idle connections to each origin. ``idle_seconds`` is how long a connection may be idle.
    """

    max_connections: int | None = None
    max_idle: int = 100
    idle_seconds: float = 30.0


class Pooled(Protocol):
    """What the pool needs of a connection."""

    origin: Origin
    idle_since: float
    parked_since: float

    def is_sound(self) -> bool:
        """Return whether the next exchange may begin, as far as this is known without waiting."""

    def abort(self) -> None:
        """Close the connection, at once."""


C = TypeVar("C", bound=Pooled)


class Pool(Generic[C]):
    """The unused connections: *idle* ones can be used at once, *parked* ones wait for the end of a body.

    ``is_closed`` keeps connections that are released after :meth:`close` from being kept.
    """

    def __init__(self, limits: Limits) -> None:
        self.limits = limits
        self.is_closed = False
        self._idle: dict[Origin, list[C]] = {}
        self._parked: list[C] = []
        self._swept = 0.0

    def take(self, origin: Origin, now: float) -> C | None:
        """Take the idle connection to ``origin`` that was used last, if there is a sound one; the caller owns it."""
        if now - self._swept > self.limits.idle_seconds:
            self.sweep(now)
        idle = self._idle.get(origin)
        while idle:
            try:
                connection = idle.pop()
            except IndexError:
                break
            if now - connection.idle_since < self.limits.idle_seconds and connection.is_sound():
                return connection
            connection.abort()
        return None

    def put(self, connection: C, now: float) -> None:
        """Keep an idle connection; close the oldest one if there are too many."""
        connection.idle_since = now
        idle = self._idle.setdefault(connection.origin, [])
        idle.append(connection)
        while len(idle) > self.limits.max_idle:
            self._close_first(idle)
        if self.is_closed:
            self.close()

    def park(self, connection: C) -> None:
        """Keep ``connection``, whose body has not ended yet, in the order of ``parked_since``."""
        last = self._parked[-1:]
        if last and connection.parked_since < last[0].parked_since:
            self._parked.insert(0, connection)
        else:
            self._parked.append(connection)
        if self.is_closed:
            self.close()

    def unpark(self, connection: C) -> bool:
        """Take a parked connection out; return ``False`` if it is no longer there."""
        try:
            self._parked.remove(connection)
        except ValueError:
            return False
        return True

    def parked(self, origin: Origin) -> list[C]:
        """Return some of the parked connections to ``origin``, oldest first; :meth:`unpark` takes one."""
        return list(islice((one for one in self._parked.copy() if one.origin == origin), _LOOKED_AT))

    def close_idle(self, origin: Origin | None) -> None:
        """Close the unused connections to ``origin``, or to all origins if it is ``None``."""
        for waiting in (self._parked, *tuple(self._idle.values())):
            for connection in waiting.copy():
                if origin is None or connection.origin == origin:
                    try:
                        waiting.remove(connection)
                    except ValueError:
                        # It has just been taken.
                        continue
                    connection.abort()

    def unused_connections(self) -> list[C]:
        """Return the idle and the parked connections."""
        return [connection for waiting in (self._parked, *tuple(self._idle.values())) for connection in waiting]

    def remove(self, connection: C) -> None:
        """Take out a connection that was closed, idle or parked."""
        if not self.unpark(connection) and (idle := self._idle.get(connection.origin)):
            try:
                idle.remove(connection)
            except ValueError:
                return

    def sweep(self, now: float) -> float | None:
        """Close connections that were idle for too long; return when the next one will have been, if there is one."""
        self._swept = now
        left = [since for idle in tuple(self._idle.values()) if (since := self._expire(idle, now)) is not None]
        return min(left) + self.limits.idle_seconds if left else None

    def make_room(self, active: int) -> None:
        """Close unused connections until ``active`` ones fit under the limit."""
        limit = self.limits.max_connections
        while limit is not None and active + self.unused > limit:
            waiting = next(filter(None, (self._parked, *self._idle.values())), None)
            if waiting is None:
                return
            self._close_first(waiting)

    @property
    def unused(self) -> int:
        """The number of idle and parked connections."""
        return len(self._parked) + sum(map(len, tuple(self._idle.values())))

    def close(self) -> None:
        """Close all unused connections, and each one that is released later."""
        self.is_closed = True
        for waiting in (self._parked, *self._idle.values()):
            while waiting:
                self._close_first(waiting)

    def _expire(self, idle: list[C], now: float) -> float | None:
        """Close the first of ``idle`` that have expired; return since when the next one is idle."""
        while first := idle[:1]:
            if now - first[0].idle_since < self.limits.idle_seconds:
                return first[0].idle_since
            try:
                idle.remove(first[0])
            except ValueError:
                # It has just been taken.
                continue
            first[0].abort()
        return None

    @staticmethod
    def _close_first(waiting: list[C]) -> None:
        try:
            connection = waiting.pop(0)
        except IndexError:
            return
        connection.abort()

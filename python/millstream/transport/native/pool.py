"""What is kept of connections between exchanges: the rules, for both drivers.

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

# How long the end of a body may take, once the stream in it has ended.
PARKED_SECONDS = 1.0
# An end that is under way arrives within this time; a new connection would take longer.
SETTLING_SECONDS = 0.02
# How many of the connections that wait for an end one checkout looks at.
_LOOKED_AT = 8


class Limits(NamedTuple):
    """How many connections there may be, and how long they are kept.

    ``max_connections`` is for all origins together (``None``: no limit), ``max_idle`` for each of
    them, ``idle_seconds`` how long a connection waits for its next use.
    """

    max_connections: int | None = None
    max_idle: int = 100
    idle_seconds: float = 30.0


class Pooled(Protocol):
    """A connection, as the pool sees it."""

    origin: Origin
    idle_since: float
    parked_since: float

    def is_sound(self) -> bool:
        """Return whether the connection can serve, as far as can be told without waiting."""

    def abort(self) -> None:
        """Close the connection, at once."""


C = TypeVar("C", bound=Pooled)


class Pool(Generic[C]):
    """The connections that nobody uses: *idle* ones can serve at once, *parked* ones wait for their body's end."""

    def __init__(self, limits: Limits) -> None:
        self.limits = limits
        self.is_closed = False
        self._idle: dict[Origin, list[C]] = {}
        self._parked: list[C] = []
        self._swept = 0.0

    def take(self, origin: Origin, now: float) -> C | None:
        """Return the idle connection to ``origin`` that was used last, if one is sound; it is the caller's now."""
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
        """Keep ``connection`` for the next exchange; the oldest goes where there are too many."""
        connection.idle_since = now
        idle = self._idle.setdefault(connection.origin, [])
        idle.append(connection)
        while len(idle) > self.limits.max_idle:
            self._close_first(idle)
        if self.is_closed:
            self.close()

    def park(self, connection: C) -> None:
        """Keep ``connection``, whose body has not ended yet; the one that has waited longest stands first."""
        last = self._parked[-1:]
        if last and connection.parked_since < last[0].parked_since:
            self._parked.insert(0, connection)
        else:
            self._parked.append(connection)
        if self.is_closed:
            self.close()

    def unpark(self, connection: C) -> bool:
        """Take ``connection`` out; ``False`` if somebody else has done so."""
        try:
            self._parked.remove(connection)
        except ValueError:
            return False
        return True

    def parked(self, origin: Origin) -> list[C]:
        """Return some of the connections to ``origin`` that wait for an end, oldest first; :meth:`unpark` takes one."""
        return list(islice((one for one in self._parked.copy() if one.origin == origin), _LOOKED_AT))

    def close_idle(self, origin: Origin | None) -> None:
        """Close the connections to ``origin`` that nobody uses; those to all origins where it is ``None``."""
        for waiting in (self._parked, *tuple(self._idle.values())):
            for connection in waiting.copy():
                if origin is None or connection.origin == origin:
                    try:
                        waiting.remove(connection)
                    except ValueError:
                        # Somebody has just taken it.
                        continue
                    connection.abort()

    def unused_connections(self) -> list[C]:
        """Return the connections that wait here."""
        return [connection for waiting in (self._parked, *tuple(self._idle.values())) for connection in waiting]

    def remove(self, connection: C) -> None:
        """Take ``connection`` out, wherever it is: it is closed."""
        if not self.unpark(connection) and (idle := self._idle.get(connection.origin)):
            try:
                idle.remove(connection)
            except ValueError:
                return

    def sweep(self, now: float) -> float | None:
        """Close what has been idle for too long, and return when the next will have been, if there is one."""
        self._swept = now
        left = [since for idle in tuple(self._idle.values()) if (since := self._expire(idle, now)) is not None]
        return min(left) + self.limits.idle_seconds if left else None

    def make_room(self, active: int) -> None:
        """Close unused connections until there is room for ``active`` ones under the limit."""
        limit = self.limits.max_connections
        while limit is not None and active + self.unused > limit:
            waiting = next(filter(None, (self._parked, *self._idle.values())), None)
            if waiting is None:
                return
            self._close_first(waiting)

    @property
    def unused(self) -> int:
        """How many connections wait here."""
        return len(self._parked) + sum(map(len, tuple(self._idle.values())))

    def close(self) -> None:
        """Close every connection that waits here, and each that comes back later."""
        self.is_closed = True
        for waiting in (self._parked, *self._idle.values()):
            while waiting:
                self._close_first(waiting)

    def _expire(self, idle: list[C], now: float) -> float | None:
        """Close the first of ``idle`` that have waited for too long; return since when the next has."""
        while first := idle[:1]:
            if now - first[0].idle_since < self.limits.idle_seconds:
                return first[0].idle_since
            try:
                idle.remove(first[0])
            except ValueError:
                # Somebody has just taken it.
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

"""The timeouts of a request."""

from typing import Any, NamedTuple

__all__ = ("DEFAULT_TIMEOUTS", "Timeouts", "read_timeouts")


class Timeouts(NamedTuple):
    """Seconds to wait for a connection, a read, a write and a free place in the pool; ``None`` waits for ever."""

    connect: float | None
    read: float | None
    write: float | None
    pool: float | None


DEFAULT_TIMEOUTS = Timeouts(connect=5.0, read=600.0, write=600.0, pool=600.0)


def read_timeouts(value: Any) -> Timeouts | None:
    """Convert ``value``: seconds for all, a tuple ``(connect, read, …)``, or httpx's ``Timeout``.

    ``None`` stays ``None``. Raises :class:`TypeError` or :class:`ValueError` for anything else.
    """
    if value is None or isinstance(value, Timeouts):
        return value
    if isinstance(value, int | float) and not isinstance(value, bool):
        return Timeouts(*(_seconds(value),) * 4)
    if isinstance(value, tuple) and 2 <= len(value) <= 4:
        given = [_seconds(part) for part in value]
        return Timeouts(*given, *[given[1]] * (4 - len(given)))
    if all(hasattr(value, name) for name in Timeouts._fields):
        return Timeouts(*(_seconds(getattr(value, name)) for name in Timeouts._fields))
    raise TypeError(f"a timeout is seconds, (connect, read) or an httpx Timeout, not {value!r}")


def _seconds(value: Any) -> float | None:
    if value is None:
        return None
    if not value >= 0:
        raise ValueError(f"a timeout cannot be negative: {value!r}")
    if value == 0:
        raise ValueError("a timeout of 0 leaves no time for anything (None waits for ever)")
    return float(value)

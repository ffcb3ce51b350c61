"""The units of a framing, and the base of what finds them in the bytes."""

from collections.abc import Iterator
from typing import ClassVar, NamedTuple

from ..frames import FRAME_SIZE

__all__ = ("InvalidUnitError", "TooLargeUnitError", "Unit", "Units")


class Unit(NamedTuple):
    """What has one payload: a line, an element of an array, a message."""

    data: bytes
    offset: int
    """Where in the stream it starts."""
    event: str = ""
    """The name of its event."""
    is_error: bool = False
    """Whether the data are the provider's error."""


class InvalidUnitError(Exception):
    """A unit is not valid: the reason, its offset, and its first bytes."""

    def __init__(self, reason: str, offset: int, frame: bytes) -> None:
        super().__init__(reason)
        self.reason, self.offset, self.frame = reason, offset, frame[:FRAME_SIZE]


class TooLargeUnitError(Exception):
    """A unit passes the limit: its offset and its first bytes."""

    def __init__(self, offset: int, frame: bytes) -> None:
        super().__init__()
        self.offset, self.frame = offset, frame[:FRAME_SIZE]


class Units:
    """The base of the framings: units of at most ``limit`` bytes, in a stream whose next byte is ``offset``."""

    __slots__ = ("has_ended", "limit", "offset")

    noun: ClassVar[str]
    """What a unit is called."""

    def __init__(self, limit: int, offset: int) -> None:
        self.limit = limit
        self.offset = offset
        """Bytes of the stream up to the unit that has begun."""
        self.has_ended = False
        """Whether the framing's own end has come."""

    def feed(self, data: bytes) -> Iterator[Unit]:
        """Yield the units that ``data`` completes.

        Raises :class:`InvalidUnitError` and :class:`TooLargeUnitError`, after which nothing may be fed.
        """
        raise NotImplementedError

    def close(self) -> Unit | None:
        """Return what the end of the stream leaves undone, if that counts where it is whole JSON.

        Raises :class:`TooLargeUnitError`.
        """
        return None

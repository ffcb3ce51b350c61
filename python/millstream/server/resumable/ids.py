"""Positions in a stream: ``<epoch>-<seq>``, two integers."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any, NamedTuple, Protocol

from .errors import InvalidPositionError

__all__ = ("Position", "RequestHead", "RequestedPosition", "parse_position", "requested_position")

_POSITION = re.compile(r"([0-9]{1,15})-([0-9]{1,15})", re.ASCII)
_NUMBER = re.compile(r"[0-9]{1,15}", re.ASCII)


class Position(NamedTuple):
    """A place between two records: everything up to record ``seq`` of the generation ``epoch``.

    ``epoch`` is the token of the one writer whose records these are. ``seq`` counts from 1 without gaps; 0 is
    the place before the first record. Positions compare as integers, the epoch first.
    """

    epoch: int
    seq: int

    def __str__(self) -> str:
        """Return the position as an event's id."""
        return f"{self.epoch}-{self.seq}"


class RequestedPosition(NamedTuple):
    """The position that a client has.

    ``epoch`` is ``None`` where it sent a number alone: on ``openai.responses`` a ``sequence_number``, which counts
    from 0, else a ``seq``.
    """

    epoch: int | None
    seq: int


class RequestHead(Protocol):
    """What is read of a request; a request of Starlette's has it."""

    @property
    def headers(self) -> Mapping[str, str]:
        """The headers, by lower-case names."""

    @property
    def query_params(self) -> Mapping[str, str]:
        """The arguments in the URL."""


def parse_position(text: str) -> Position:
    """Return the position that an event's id names; :class:`InvalidPositionError` if it is malformed.

    >>> parse_position("7-12") < parse_position("7-103") < parse_position("10-1")
    True
    """
    found = _POSITION.fullmatch(text)
    if found is None:
        raise InvalidPositionError(f"an event's id is <epoch>-<seq>, two integers, not {text[:64]!r}")
    return Position(int(found[1]), int(found[2]))


def requested_position(source: RequestHead | str | Position | None) -> RequestedPosition | None:
    """Return the position that a request names, or ``None``; :class:`InvalidPositionError` if it is malformed.

    The header ``Last-Event-ID`` is used before ``?last_event_id=``, and that before ``?starting_after=``: a
    browser that connects again repeats the URL, but its header is up to date.
    """
    if source is None or isinstance(source, Position):
        return None if source is None else RequestedPosition(*source)
    if isinstance(source, str):
        return _parse(source) if source else None
    values: tuple[Any, ...] = (
        source.headers.get("last-event-id"),
        source.query_params.get("last_event_id"),
        source.query_params.get("starting_after"),
    )
    return next((_parse(value) for value in values if value), None)


def _parse(text: str) -> RequestedPosition:
    if _NUMBER.fullmatch(text):
        return RequestedPosition(None, int(text))
    return RequestedPosition(*parse_position(text))

"""Stream events as typed dicts, for annotations; ``astream_events`` yields plain dicts with these keys."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Literal, TypedDict

__all__ = ("BaseStreamEvent", "CustomStreamEvent", "EventData", "StandardStreamEvent")


class EventData(TypedDict, total=False):
    """The data of an event: the input at the start, a chunk, the output at the end, the error of a tool."""

    input: Any
    error: BaseException
    output: Any
    chunk: Any
    tool_call_id: str | None


class _Labels(TypedDict, total=False):
    tags: list[str]
    metadata: dict[str, Any]


class BaseStreamEvent(_Labels):
    """The keys of every event: its kind, and the ids of its run and of the run's parents from the root down."""

    event: str
    run_id: str
    parent_ids: Sequence[str]


class StandardStreamEvent(BaseStreamEvent):
    """An event of a run, under the run's name."""

    data: EventData
    name: str


class CustomStreamEvent(BaseStreamEvent):
    """An event of the user's own, with the name and the data that ``dispatch_custom_event`` received."""

    event: Literal["on_custom_event"]  # type: ignore[misc]
    name: str
    data: Any

"""Stream events: their types, the runs that they describe, and the filter that selects them."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal, NamedTuple

__all__ = ("UNKNOWN", "EventFilter", "EventVersion", "Outputs", "Run", "StreamEvent", "Streamer", "is_known")

StreamEvent = dict[str, Any]
"""``event``, ``name``, ``run_id``, ``parent_ids``, ``tags``, ``metadata``, ``data``."""
EventVersion = Literal["v1", "v2"]
"""The versions of stream events."""
Outputs = Callable[[Any], Sequence[Any]]
"""Turns a raw item into outputs."""
Streamer = Callable[[Any], list[StreamEvent]]
"""Turns a raw item into stream events."""

UNKNOWN: Any = {"input": ""}
"""The input at the start of a run that reads a stream, as in LangChain."""


def is_known(input: object) -> bool:
    """Return whether the input of a run was known at its start."""
    return not (type(input) is dict and input == UNKNOWN)


@dataclass(slots=True)
class Run:
    """One execution of a Runnable.

    ``parent_ids`` go from the root down. ``tags`` and ``metadata`` belong to the run: they were
    copied from the configuration and the model when it began, and all its events share them.
    """

    run_id: str
    name: str
    run_type: str
    tags: list[str] = field(default_factory=list)
    metadata: dict[str, Any] = field(default_factory=dict)
    parent_ids: list[str] = field(default_factory=list)


_NONE = (None, None, None)


class EventFilter(NamedTuple):
    """The ``include_*`` and ``exclude_*`` arguments of ``astream_events``.

    An event is in if any of the ``include_*`` names it (or none is set) and no ``exclude_*``
    does. A run's events share its name, type and tags, so one question answers for all of them.
    """

    include_names: Sequence[str] | None = None
    include_types: Sequence[str] | None = None
    include_tags: Sequence[str] | None = None
    exclude_names: Sequence[str] | None = None
    exclude_types: Sequence[str] | None = None
    exclude_tags: Sequence[str] | None = None

    def includes(self, name: str, run_type: str, tags: Sequence[str]) -> bool:
        """Return whether the events of a run of this name, type and tags are wanted."""
        wanted = (self.include_names, self.include_types, self.include_tags)
        unwanted = (self.exclude_names, self.exclude_types, self.exclude_tags)
        facts = ((name,), (run_type,), tags)
        return (wanted == _NONE or _meets(wanted, facts)) and not (unwanted != _NONE and _meets(unwanted, facts))

    def arguments(self) -> dict[str, Sequence[str]]:
        """Return the arguments that are set."""
        return {name: names for name, names in self._asdict().items() if names is not None}


def _meets(wanted: Sequence[Sequence[str] | None], facts: Sequence[Sequence[str]]) -> bool:
    pairs = zip(wanted, facts, strict=True)
    return any(names is not None and any(fact in names for fact in have) for names, have in pairs)

"""The stream events of any Runnable: what a handler that all its runs inherit hears of them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from ..callbacks.manager import CallbackManager
from ..events import EventFilter, Run, records, uuid7
from ..events.nested_chains import Root
from ..events.nested_events import NestedEvent, NestedEvents
from .apart import Apart, ApartPart
from .config import ensure_config
from .handover import Handover
from .stream import Part, Source

if TYPE_CHECKING:
    from ..events import StreamEvent
    from .base import Runnable

__all__ = ("heard_events",)


def heard_events(
    runnable: Runnable[Any, Any],
    input: Any,
    config: Mapping[str, Any] | None,
    version: str,
    wanted: EventFilter,
    kwargs: dict[str, Any],
    *,
    for_async: bool,
) -> tuple[Source, Part[StreamEvent]]:
    """Return the source and the part of the events of one stream of ``runnable``, which runs apart.

    Raises :class:`NotImplementedError` for an unknown version.
    """
    wording = records(version)
    full = ensure_config(config)
    run_id = full["run_id"] = full.get("run_id") or uuid7()
    told = Run(
        str(run_id), full.get("run_name") or runnable.get_name(), "chain", list(full["tags"]), dict(full["metadata"])
    )
    line = Handover()
    callbacks = CallbackManager.configure(full["callbacks"])
    # The parent's id is found among the runs that the handler hears of; those above it are not.
    above = callbacks.parent_ids[:-1]
    callbacks.add_handler(NestedEvents(wording, wanted, line, above, Root(run_id, told, input)))
    full["callbacks"] = callbacks
    source = Apart(
        line,
        lambda: runnable._outputs(input, full, kwargs),
        lambda: runnable._aoutputs(input, full, kwargs),
    )
    return source, ApartPart(_events)


def _events(items: Sequence[Any]) -> list[StreamEvent]:
    """Return the events in a line, without the chunks between them: the handler has told of those too."""
    return [item.event for item in items if type(item) is NestedEvent]

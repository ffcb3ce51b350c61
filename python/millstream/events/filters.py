"""The ``include_*`` and ``exclude_*`` arguments of event streams."""

from collections.abc import Sequence
from typing import NamedTuple

__all__ = ("EventFilter",)


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


def _meets(asked: Sequence[Sequence[str] | None], facts: Sequence[Sequence[str]]) -> bool:
    pairs = zip(asked, facts, strict=True)
    return any(names is not None and any(fact in names for fact in have) for names, have in pairs)

"""Which events ``astream_events`` hands out."""

from collections.abc import Sequence
from dataclasses import dataclass, fields

__all__ = ("EventFilter",)


@dataclass(frozen=True, slots=True, kw_only=True)
class EventFilter:
    """The ``include_*`` and ``exclude_*`` arguments of ``astream_events``.

    An event is in if any of the ``include_*`` given names it (or none is given) and no ``exclude_*``
    does. A run's events share its name, type and tags, so one question answers for all of them.
    """

    include_names: Sequence[str] | None = None
    include_types: Sequence[str] | None = None
    include_tags: Sequence[str] | None = None
    exclude_names: Sequence[str] | None = None
    exclude_types: Sequence[str] | None = None
    exclude_tags: Sequence[str] | None = None

    def includes(self, name: str, run_type: str, tags: Sequence[str]) -> bool:
        """Return whether the events of a run of this name, type and tags are handed out."""
        wanted = (
            (self.include_names, (name,)),
            (self.include_types, (run_type,)),
            (self.include_tags, tags),
        )
        unwanted = (
            (self.exclude_names, (name,)),
            (self.exclude_types, (run_type,)),
            (self.exclude_tags, tags),
        )
        given = [pair for pair in wanted if pair[0] is not None]
        return (not given or _meets(given)) and not _meets(unwanted)

    def given(self) -> dict[str, Sequence[str]]:
        """Return those of the arguments that were given."""
        told = {one.name: getattr(self, one.name) for one in fields(self)}
        return {name: names for name, names in told.items() if names is not None}


def _meets(pairs: Sequence[tuple[Sequence[str] | None, Sequence[str]]]) -> bool:
    return any(names is not None and any(found in names for found in have) for names, have in pairs)

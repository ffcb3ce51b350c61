"""``RunInfo``: the run of a result."""

from dataclasses import dataclass
from uuid import UUID

__all__ = ("RunInfo",)


@dataclass(slots=True)
class RunInfo:
    """The run that produced one part of a result."""

    run_id: UUID

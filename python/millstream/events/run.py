"""A run: one execution of a Runnable."""

from dataclasses import dataclass, field
from typing import Any

__all__ = ("Run",)


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

    @property
    def is_model(self) -> bool:
        """Whether a model runs."""
        return self.run_type in ("llm", "chat_model")

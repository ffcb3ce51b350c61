"""``Origin``: the step of a fused chain that opens the connection."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Protocol

from .config import RunnableConfig

if TYPE_CHECKING:
    from ..events import Run
    from ..outputs import LLMResult
    from ..streaming.protocols import ChunkProcessor, Source

__all__ = ("AttemptEvents", "Origin", "OriginEvents")


class Origin(Protocol):
    """The first step of a fused chain: it opens a connection of ours and yields its chunks."""

    @property
    def callbacks(self) -> Any:
        """The step's own callbacks."""

    def chunks(
        self, value: Any, kwargs: dict[str, Any], make_config: Callable[[], RunnableConfig], *, for_async: bool
    ) -> tuple[Source, ChunkProcessor[LLMResult]]:
        """Return the source and the processor of the step's chunks for ``value``; the processor has started.

        ``make_config`` returns the configuration of the step's run. It is called where the step runs users'
        code, whose runs are to be children of that run.
        """

    def events(
        self, value: Any, kwargs: dict[str, Any], config: RunnableConfig, *, for_async: bool
    ) -> OriginEvents | AttemptEvents | None:
        """Return what the events of the step's run are made of; ``None`` where it runs users' code."""


@dataclass(slots=True)
class OriginEvents:
    """The run of an origin: its source and processor, its prompt, and the result of a run without any chunk."""

    source: Source
    processor: ChunkProcessor[LLMResult]
    run: Run
    prompt: Any
    empty_result: Callable[[], Any]


@dataclass(slots=True)
class AttemptEvents:
    """The runs of an origin that has attempts: those of the first one, and of others that have begun since.

    ``run`` is the run that the attempts are child runs of, if there is one, and ``input`` its input.
    """

    first: OriginEvents | AttemptEvents
    source: Source
    processor: ChunkProcessor[Any]
    run: Run | None = None
    input: Any = None
    later: list[OriginEvents | AttemptEvents] = field(default_factory=list)

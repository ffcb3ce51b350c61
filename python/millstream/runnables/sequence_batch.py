"""A sequence called for many inputs at once: each step batches what is left of them."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, Any

from .chain_runs import Beginning
from .config import RunnableConfig, batch_configs, child_config

if TYPE_CHECKING:
    from .sequence import RunnableSequence

__all__ = ("SequenceBatch",)

Call = tuple[Any, list[Any], list[RunnableConfig], dict[str, Any]]
"""A step, what it is to be called with, the configurations, and further arguments."""


class SequenceBatch:
    """The calls of one batch: a run for each input, and what becomes of them.

    With ``return_exceptions`` an input that failed in one step does not go through the next, and
    its exception stands in its output's place.
    """

    def __init__(
        self,
        sequence: RunnableSequence[Any, Any],
        inputs: Sequence[Any],
        config: Any,
        kwargs: dict[str, Any],
        *,
        return_exceptions: bool,
    ) -> None:
        self.inputs = inputs
        self.begins = [Beginning(sequence, one) for one in batch_configs(inputs, config)[0]]
        self.runs: list[Any] = []
        self.return_exceptions = return_exceptions
        self._values = list(inputs)
        self._steps = sequence.steps
        self._kwargs = kwargs
        self._left = list(range(len(inputs)))

    def calls(self) -> Iterator[Call]:
        """Yield the call of each step; what comes of it is to be handed to :meth:`take` before the next."""
        kwargs = self._kwargs
        for place, step in enumerate(self._steps, 1):
            if not self._left:
                return
            configs = [child_config(self.begins[i].config, self.runs[i], f"seq:step:{place}") for i in self._left]
            yield step, [self._values[i] for i in self._left], configs, kwargs
            kwargs = {}

    def take(self, outputs: Sequence[Any]) -> None:
        """Take the outputs of a call."""
        for i, output in zip(self._left, outputs, strict=True):
            self._values[i] = output
        if self.return_exceptions:
            self._left = [i for i in self._left if not isinstance(self._values[i], Exception)]

    def ends(self) -> Iterator[tuple[Any, Any]]:
        """Yield each run with its output, or its exception."""
        yield from zip(self.runs, self._values, strict=True)

    def result(self) -> list[Any]:
        """Return the outputs; an exception among them is raised, unless it was asked for."""
        failure = next((value for value in self._values if isinstance(value, Exception)), None)
        if failure is not None and not self.return_exceptions:
            raise failure
        return self._values

    def failed(self, error: BaseException) -> list[Any]:
        """Return ``error`` for each input where exceptions were asked for; raise it otherwise."""
        if self.return_exceptions and isinstance(error, Exception):
            return [error for _ in self.inputs]
        raise error

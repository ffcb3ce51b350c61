"""``BaseExampleSelector``: the base of selectors of examples."""

from __future__ import annotations

from abc import ABC, abstractmethod
from typing import Any

from .._context import run_in_executor

__all__ = ("BaseExampleSelector",)


class BaseExampleSelector(ABC):
    """Chooses examples for the variables of a few-shot prompt.

    The async methods call the others in the event loop's executor.
    """

    @abstractmethod
    def add_example(self, example: dict[str, str]) -> Any:
        """Add an example: its values by their names."""

    async def aadd_example(self, example: dict[str, str]) -> Any:
        """Add an example; see :meth:`add_example`."""
        return await run_in_executor(None, self.add_example, example)

    @abstractmethod
    def select_examples(self, input_variables: dict[str, str]) -> list[dict[str, Any]]:
        """Return the examples for the variables of a prompt."""

    async def aselect_examples(self, input_variables: dict[str, str]) -> list[dict[str, Any]]:
        """Return the examples for the variables of a prompt; see :meth:`select_examples`."""
        examples: list[dict[str, Any]] = await run_in_executor(None, self.select_examples, input_variables)
        return examples

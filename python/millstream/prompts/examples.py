"""The examples of few-shot prompts: a list, or those that a selector chooses for a prompt's variables."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Protocol

from .fields import PromptFields

__all__ = ("ExampleFields", "ExampleSelector", "select_variables")

_NEITHER = "One of 'examples' and 'example_selector' should be provided"


class ExampleSelector(Protocol):
    """Chooses examples, such as those of :mod:`millstream.example_selectors` and LangChain's."""

    def select_examples(self, input_variables: dict[str, Any]) -> list[dict[str, Any]]:
        """Return the examples for the variables of a prompt."""

    async def aselect_examples(self, input_variables: dict[str, Any]) -> list[dict[str, Any]]:
        """Return the examples for the variables of a prompt."""


class ExampleFields(PromptFields):
    """The fields of prompts with examples: either ``examples`` or an ``example_selector``.

    Raises :class:`ValueError` for none or both.
    """

    examples: list[dict[str, Any]] | None = None
    example_selector: ExampleSelector | None = None

    def __post_init__(self) -> None:
        """Check that there is one source of examples."""
        if self.examples and self.example_selector:
            raise ValueError("Only one of 'examples' and 'example_selector' should be provided")
        if self.examples is None and self.example_selector is None:
            raise ValueError(_NEITHER)
        super().__post_init__()

    def _get_examples(self, /, **kwargs: Any) -> list[dict[str, Any]]:
        if self.examples is not None:
            return self.examples
        if self.example_selector is not None:
            return self.example_selector.select_examples(kwargs)
        raise ValueError(_NEITHER)

    async def _aget_examples(self, /, **kwargs: Any) -> list[dict[str, Any]]:
        if self.examples is None and self.example_selector is not None:
            return await self.example_selector.aselect_examples(kwargs)
        return self._get_examples(**kwargs)


def select_variables(names: list[str], example: Mapping[str, Any]) -> dict[str, Any]:
    """Return the entries of ``example`` that its template needs."""
    return {name: example[name] for name in names}

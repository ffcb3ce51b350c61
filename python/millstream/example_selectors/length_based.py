"""``LengthBasedExampleSelector``: as many examples as fit into a prompt of a length."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

from .._fields import Fields, field
from ..prompts.prompt import PromptTemplate
from .base import BaseExampleSelector

__all__ = ("LengthBasedExampleSelector",)


def _count_words(text: str) -> int:
    return len(re.split(r"\n| ", text))


class LengthBasedExampleSelector(Fields, BaseExampleSelector):
    """Returns the first examples that fit, with the variables, into ``max_length``.

    >>> from millstream.example_selectors import LengthBasedExampleSelector
    >>> from millstream.prompts import PromptTemplate
    >>> selector = LengthBasedExampleSelector(
    ...     examples=[{"word": "happy"}, {"word": "a very tall man"}],
    ...     example_prompt=PromptTemplate.from_template("Word: {word}"),
    ...     max_length=5,
    ... )
    >>> selector.select_examples({"word": "large"})
    [{'word': 'happy'}]

    ``get_text_length`` measures a text, by default in words; ``example_prompt`` formats an example to be measured.
    """

    examples: list[dict[str, Any]]
    example_prompt: PromptTemplate
    get_text_length: Callable[[str], int] = field(default=_count_words)
    max_length: int = 2048
    example_text_lengths: list[int] = field(default_factory=list)

    def __post_init__(self) -> None:
        """Measure the examples."""
        self.examples = list(self.examples)
        if not self.example_text_lengths:
            self.example_text_lengths = list(map(self._measure, self.examples))

    def _measure(self, example: dict[str, Any]) -> int:
        return self.get_text_length(self.example_prompt.format(**example))

    def add_example(self, example: dict[str, str]) -> None:
        """Add an example to the end."""
        self.example_text_lengths.append(self._measure(example))
        self.examples.append(example)

    async def aadd_example(self, example: dict[str, str]) -> None:
        """Add an example to the end."""
        self.add_example(example)

    def select_examples(self, input_variables: dict[str, str]) -> list[dict[str, Any]]:
        """Return the first examples that fit."""
        rest = self.max_length - self.get_text_length(" ".join(input_variables.values()))
        chosen = []
        for example, length in zip(self.examples, self.example_text_lengths, strict=True):
            rest -= length
            if rest < 0 or rest + length <= 0:
                break
            chosen.append(example)
        return chosen

    async def aselect_examples(self, input_variables: dict[str, str]) -> list[dict[str, Any]]:
        """Return the first examples that fit."""
        return self.select_examples(input_variables)

"""``PromptTemplate``: a text with variables."""

from __future__ import annotations

import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, ClassVar, Self

from ..prompt_values import StringPromptValue
from .base import BasePromptTemplate
from .string import PromptTemplateFormat, check_format, get_template_variables

__all__ = ("PromptTemplate",)


class PromptTemplate(BasePromptTemplate):
    """A text with variables in braces; ``{{`` and ``}}`` stand for braces.

    >>> from millstream.prompts import PromptTemplate
    >>> prompt = PromptTemplate.from_template("Tell me a {kind} joke about {topic}.")
    >>> prompt.invoke({"kind": "short", "topic": "bears"})
    StringPromptValue(text='Tell me a short joke about bears.')

    ``input_variables`` are read from the template. Raises :class:`ValueError` for a template that does
    more than insert values (``{a.b}``, ``{a[0]}``, ``{0}``), and for another format than ``"f-string"``.
    """

    _fields: ClassVar[tuple[str, ...]] = (
        *BasePromptTemplate._fields,
        *("template", "template_format", "validate_template"),
    )
    _repr_omit_default: ClassVar[dict[str, Any]] = {
        **BasePromptTemplate._repr_omit_default,
        "template_format": "f-string",
        "validate_template": False,
    }
    _path: ClassVar[tuple[str, ...]] = ("prompt",)

    def __init__(
        self,
        template: str,
        *,
        input_variables: Sequence[str] | None = None,
        template_format: PromptTemplateFormat = "f-string",
        validate_template: bool = False,
        **fields: Any,
    ) -> None:
        super().__init__(**fields)
        self.template = template
        self.template_format: PromptTemplateFormat = template_format
        self.validate_template = validate_template
        variables = get_template_variables(template, template_format)
        if validate_template:
            _check_variables(variables, {*(input_variables or ()), *self.partial_variables})
        self.input_variables = [name for name in variables if name not in self.partial_variables]
        self.optional_variables: list[str] = []
        self._check_names()

    @classmethod
    def from_template(
        cls,
        template: str,
        *,
        template_format: PromptTemplateFormat = "f-string",
        partial_variables: Mapping[str, Any] | None = None,
        **fields: Any,
    ) -> Self:
        """Return a prompt for ``template``."""
        return cls(template, template_format=template_format, partial_variables=partial_variables, **fields)

    @classmethod
    def from_file(cls, template_file: str | Path, encoding: str | None = None, **fields: Any) -> Self:
        """Return a prompt for the template in a file."""
        return cls.from_template(Path(template_file).read_text(encoding=encoding), **fields)

    @classmethod
    def from_examples(
        cls,
        examples: Sequence[str],
        suffix: str,
        input_variables: Sequence[str],
        example_separator: str = "\n\n",
        prefix: str = "",
        **fields: Any,
    ) -> Self:
        """Return a prompt of a ``prefix``, examples and a ``suffix``, joined by a separator."""
        template = example_separator.join([prefix, *examples, suffix])
        return cls(template, input_variables=input_variables, **fields)

    def format(self, /, **variables: Any) -> str:
        """Return the text with ``variables``; :class:`KeyError` if one is missing."""
        return self.template.format(**self._all_variables(variables))

    def format_prompt(self, /, **variables: Any) -> StringPromptValue:
        """Return the text with ``variables`` as a prompt value."""
        return StringPromptValue(self.format(**variables))

    def partial(self, /, **variables: Any) -> Self:
        """Return a prompt with ``variables`` bound, to values or to functions that return them."""
        return type(self)(
            self.template,
            template_format=self.template_format,
            partial_variables={**self.partial_variables, **variables},
            input_types=self.input_types,
            metadata=self.metadata,
            tags=self.tags,
            name=self.name,
        )

    def __add__(self, other: object) -> PromptTemplate:
        """Return a prompt of both; ``other`` is a prompt or a template.

        Raises :class:`ValueError` if both have bound the same variable.
        """
        if isinstance(other, str):
            other = PromptTemplate(other)
        if not isinstance(other, PromptTemplate):
            raise NotImplementedError(f"Unsupported operand type for +: {type(other)}")
        if not self.partial_variables.keys().isdisjoint(other.partial_variables):
            raise ValueError("Cannot have same variable partialed twice.")
        return PromptTemplate(
            self.template + other.template, partial_variables={**self.partial_variables, **other.partial_variables}
        )

    def pretty_repr(self, html: bool = False) -> str:
        """Return the text with its variables in braces, in yellow with ``html``."""
        shown = {
            name: f"\033[33;1m\033[1;3m{{{name}}}\033[0m" if html else f"{{{name}}}" for name in self.input_variables
        }
        return self.format(**shown)

    def pretty_print(self) -> None:
        """Print :meth:`pretty_repr`."""
        print(self.pretty_repr(html=hasattr(sys, "ps2")))


def _check_variables(variables: Sequence[str], declared: set[str]) -> None:
    check_format("f-string")
    if not declared.issuperset(variables):
        raise ValueError(
            f"Invalid prompt schema; check for mismatched or missing input parameters from {sorted(declared)}."
        )

"""``PromptTemplate``: a text with variables."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, ClassVar, Self

from ..runnables.config import RunnableConfig
from .string import StringPromptTemplate
from .templates import PromptTemplateFormat, check_valid_template, fill_template, get_template_variables

__all__ = ("PromptTemplate",)


class PromptTemplate(StringPromptTemplate):
    """A text with variables in braces; ``{{`` and ``}}`` stand for braces.

    >>> from millstream.prompts import PromptTemplate
    >>> prompt = PromptTemplate.from_template("Tell me a {kind} joke about {topic}.")
    >>> prompt.invoke({"kind": "short", "topic": "bears"})
    StringPromptValue(text='Tell me a short joke about bears.')

    With ``template_format="mustache"`` the text is a mustache template, with ``"jinja2"`` one of Jinja2, which
    must be installed. ``input_variables`` are read from the template; with ``validate_template`` they must be
    passed, and are compared with it. Raises :class:`ValueError` for a template in braces that does more than
    insert values (``{a.b}``, ``{a[0]}``, ``{0}``).
    """

    _module_path: ClassVar[tuple[str, ...]] = ("langchain", "prompts", "prompt")

    template: str
    template_format: PromptTemplateFormat = "f-string"
    validate_template: bool = False

    def __init__(self, template: str, **kwargs: Any) -> None:
        super().__init__(template=template, **kwargs)  # type: ignore[call-arg]

    def __post_init__(self) -> None:
        """Read the variables of the template."""
        if self.validate_template:
            if self.template_format == "mustache":
                raise ValueError("Mustache templates cannot be validated.")
            check_valid_template(
                self.template, self.template_format, [*self.input_variables, *(self.partial_variables or ())]
            )
        if self.template_format:
            names = get_template_variables(self.template, self.template_format)
            self.input_variables = [name for name in names if name not in (self.partial_variables or ())]
        super().__post_init__()

    @classmethod
    def from_template(
        cls,
        template: str,
        *,
        template_format: PromptTemplateFormat = "f-string",
        partial_variables: Mapping[str, Any] | None = None,
        **kwargs: Any,
    ) -> Self:
        """Return a prompt for ``template``."""
        bound = dict(partial_variables or {})
        return cls(template=template, template_format=template_format, partial_variables=bound, **kwargs)

    @classmethod
    def from_file(cls, template_file: str | Path, encoding: str | None = None, **kwargs: Any) -> Self:
        """Return a prompt for the template in a file."""
        return cls.from_template(Path(template_file).read_text(encoding=encoding), **kwargs)

    @classmethod
    def from_examples(
        cls,
        examples: Sequence[str],
        suffix: str,
        input_variables: Sequence[str],
        example_separator: str = "\n\n",
        prefix: str = "",
        **kwargs: Any,
    ) -> Self:
        """Return a prompt of a ``prefix``, examples and a ``suffix``, joined by a separator."""
        template = example_separator.join([prefix, *examples, suffix])
        return cls(template=template, input_variables=list(input_variables), **kwargs)

    def get_input_schema(self, config: RunnableConfig | None = None) -> Any:
        """Return a pydantic class with the variables as fields; of a mustache template, with those of its sections."""
        if self.template_format != "mustache":
            return super().get_input_schema(config)
        from .schemas import mustache_schema

        return mustache_schema(self.template)

    def format(self, /, **kwargs: Any) -> str:
        """Return the text with the variables; :class:`KeyError` if one is missing."""
        if self.partial_variables:
            kwargs = self._merge_partial_and_user_variables(**kwargs)
        return fill_template(self.template, self.template_format, kwargs)

    @property
    def _prompt_type(self) -> str:
        return "prompt"

    def __add__(self, other: object) -> PromptTemplate:
        """Return a prompt of both; ``other`` is a prompt or a template.

        Raises :class:`ValueError` if both have bound the same variable, or have different formats.
        """
        if isinstance(other, str):
            other = PromptTemplate(other, template_format=self.template_format)
        if not isinstance(other, PromptTemplate):
            raise NotImplementedError(f"Unsupported operand type for +: {type(other)}")
        if self.template_format != other.template_format:
            raise ValueError("Cannot add templates of different formats")
        if not self.partial_variables.keys().isdisjoint(other.partial_variables):
            raise ValueError("Cannot have same variable partialed twice.")
        return PromptTemplate(
            self.template + other.template,
            input_variables=sorted({*self.input_variables, *other.input_variables}),
            partial_variables={**self.partial_variables, **other.partial_variables},
            template_format=self.template_format,
            validate_template=self.validate_template and other.validate_template,
        )

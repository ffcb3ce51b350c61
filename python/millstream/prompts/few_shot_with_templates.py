"""``FewShotPromptWithTemplates``: a text with examples, whose prefix and suffix are prompts."""

from __future__ import annotations

from typing import Any, ClassVar

from .examples import ExampleFields
from .few_shot import fill_joined
from .prompt import PromptTemplate
from .string import StringPromptTemplate
from .templates import PromptTemplateFormat

__all__ = ("FewShotPromptWithTemplates",)


class FewShotPromptWithTemplates(ExampleFields, StringPromptTemplate):
    """A text of the prompt ``prefix``, examples and the prompt ``suffix``, joined by ``example_separator``.

    ``example_prompt`` formats an example. Raises :class:`ValueError` with ``validate_template`` if
    ``input_variables`` lacks a variable of prefix and suffix.
    """

    _module_path: ClassVar[tuple[str, ...]] = ("langchain", "prompts", "few_shot_with_templates")

    example_prompt: PromptTemplate
    suffix: StringPromptTemplate
    example_separator: str = "\n\n"
    prefix: StringPromptTemplate | None = None
    template_format: PromptTemplateFormat = "f-string"
    validate_template: bool = False

    def __post_init__(self) -> None:
        """Read the variables of prefix and suffix."""
        names = {*self.suffix.input_variables, *(self.prefix.input_variables if self.prefix else ())}
        if self.validate_template:
            expected = names | self.partial_variables.keys()
            if expected - {*self.input_variables}:
                raise ValueError(
                    f"Got input_variables={self.input_variables}, but based on prefix/suffix expected {expected}"
                )
        else:
            self.input_variables = sorted(names - self.partial_variables.keys())
        super().__post_init__()

    def format(self, /, **kwargs: Any) -> str:
        """Return the text with the variables."""
        variables = self._merge_partial_and_user_variables(**kwargs)
        examples = [self.example_prompt.format(**example) for example in self._get_examples(**variables)]
        prefix = self.prefix.format(**_take(self.prefix, variables)) if self.prefix else ""
        suffix = self.suffix.format(**_take(self.suffix, variables))
        return self._join([prefix, *examples, suffix], variables)

    async def aformat(self, /, **kwargs: Any) -> str:
        """Return the text with the variables."""
        variables = self._merge_partial_and_user_variables(**kwargs)
        examples = [self.example_prompt.format(**example) for example in await self._aget_examples(**variables)]
        prefix = await self.prefix.aformat(**_take(self.prefix, variables)) if self.prefix else ""
        suffix = await self.suffix.aformat(**_take(self.suffix, variables))
        return self._join([prefix, *examples, suffix], variables)

    def _join(self, pieces: list[str], variables: dict[str, Any]) -> str:
        template = self.example_separator.join(filter(None, pieces))
        return fill_joined(template, self.template_format, variables)

    def _is_own(self) -> bool:
        prompts = (self.example_prompt, self.suffix, *((self.prefix,) if self.prefix else ()))
        return super()._is_own() and self.example_selector is None and all(prompt._is_own() for prompt in prompts)

    @property
    def _prompt_type(self) -> str:
        return "few_shot_with_templates"


def _take(prompt: StringPromptTemplate, variables: dict[str, Any]) -> dict[str, Any]:
    return {name: variables[name] for name in prompt.input_variables if name in variables}

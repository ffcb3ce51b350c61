"""Prompts with examples: ``FewShotPromptTemplate`` for texts, ``FewShotChatMessagePromptTemplate`` for messages."""

from __future__ import annotations

from typing import Any, ClassVar

from ..messages.base import BaseMessage
from ..messages.conversion import convert_to_messages, get_buffer_string
from .base import is_own
from .chat import BaseChatPromptTemplate
from .examples import ExampleFields, select_variables
from .message import BaseMessagePromptTemplate
from .prompt import PromptTemplate
from .string import StringPromptTemplate
from .templates import PromptTemplateFormat, check_valid_template, fill_template, get_template_variables

__all__ = ("FewShotChatMessagePromptTemplate", "FewShotPromptTemplate", "fill_joined")


def fill_joined(template: str, template_format: PromptTemplateFormat, variables: dict[str, Any]) -> str:
    """Return a template that was joined from examples with its variables.

    Examples may come from users: a template in braces that would do more than insert values is rejected.
    """
    if template_format == "f-string":
        get_template_variables(template, template_format)
    return fill_template(template, template_format, variables)


class FewShotPromptTemplate(ExampleFields, StringPromptTemplate):
    r"""A text of a ``prefix``, examples and a ``suffix``, joined by ``example_separator``.

    >>> from millstream.prompts import FewShotPromptTemplate, PromptTemplate
    >>> prompt = FewShotPromptTemplate(
    ...     examples=[{"q": "2+2", "a": "4"}],
    ...     example_prompt=PromptTemplate.from_template("{q} = {a}"),
    ...     suffix="{question} =",
    ... )
    >>> prompt.format(question="3+3")
    '2+2 = 4\n\n3+3 ='

    Prefix and suffix are templates; ``example_prompt`` formats an example. The joined text is a template too:
    braces in examples must be doubled.
    """

    _module_path: ClassVar[tuple[str, ...]] = ("langchain_core", "prompts", "few_shot")

    validate_template: bool = False
    example_prompt: PromptTemplate
    suffix: str
    example_separator: str = "\n\n"
    prefix: str = ""
    template_format: PromptTemplateFormat = "f-string"

    def __post_init__(self) -> None:
        """Read the variables of prefix and suffix."""
        template = self.prefix + self.suffix
        if self.validate_template:
            check_valid_template(template, self.template_format, [*self.input_variables, *self.partial_variables])
        elif self.template_format:
            names = get_template_variables(template, self.template_format)
            self.input_variables = [name for name in names if name not in self.partial_variables]
        super().__post_init__()

    def format(self, /, **kwargs: Any) -> str:
        """Return the text with the variables."""
        variables = self._merge_partial_and_user_variables(**kwargs)
        names = self.example_prompt.input_variables
        examples = self._get_examples(**variables)
        return self._join([self.example_prompt.format(**select_variables(names, one)) for one in examples], variables)

    async def aformat(self, /, **kwargs: Any) -> str:
        """Return the text with the variables."""
        variables = self._merge_partial_and_user_variables(**kwargs)
        names = self.example_prompt.input_variables
        examples = await self._aget_examples(**variables)
        return self._join(
            [await self.example_prompt.aformat(**select_variables(names, one)) for one in examples], variables
        )

    def _join(self, examples: list[str], variables: dict[str, Any]) -> str:
        template = self.example_separator.join(filter(None, [self.prefix, *examples, self.suffix]))
        return fill_joined(template, self.template_format, variables)

    def _is_own(self) -> bool:
        return super()._is_own() and self.example_selector is None and self.example_prompt._is_own()

    @property
    def _prompt_type(self) -> str:
        return "few_shot"


class FewShotChatMessagePromptTemplate(BaseChatPromptTemplate, ExampleFields):
    """Messages for each example, to be a part of a chat prompt.

    ``example_prompt`` formats the messages of an example. With an ``example_selector``, ``input_variables`` are
    the variables that it needs. ::

        examples = FewShotChatMessagePromptTemplate(
            examples=[{"q": "2+2", "a": "4"}],
            example_prompt=ChatPromptTemplate([("human", "{q}"), ("ai", "{a}")]),
        )
        prompt = ChatPromptTemplate([("system", "You calculate."), examples, ("human", "{question}")])
    """

    _module_path: ClassVar[tuple[str, ...]] = ("langchain_core", "prompts", "few_shot")

    example_prompt: BaseMessagePromptTemplate | BaseChatPromptTemplate

    def format_messages(self, /, **kwargs: Any) -> list[BaseMessage]:
        """Return the messages of the examples."""
        names = self.example_prompt.input_variables
        messages: list[BaseMessage] = []
        for example in self._get_examples(**kwargs):
            messages += self.example_prompt.format_messages(**select_variables(names, example))
        return convert_to_messages(messages)

    async def aformat_messages(self, /, **kwargs: Any) -> list[BaseMessage]:
        """Return the messages of the examples."""
        names = self.example_prompt.input_variables
        messages: list[BaseMessage] = []
        for example in await self._aget_examples(**kwargs):
            messages += await self.example_prompt.aformat_messages(**select_variables(names, example))
        return convert_to_messages(messages)

    def format(self, /, **kwargs: Any) -> str:
        """Return the messages as one text."""
        return get_buffer_string(self.format_messages(**kwargs))

    async def aformat(self, /, **kwargs: Any) -> str:
        """Return the messages as one text."""
        return get_buffer_string(await self.aformat_messages(**kwargs))

    def pretty_repr(self, html: bool = False) -> str:
        """Return the examples' template, with a title line for each message."""
        return self.example_prompt.pretty_repr(html=html)

    def _is_own(self) -> bool:
        return super()._is_own() and self.example_selector is None and is_own(self.example_prompt)

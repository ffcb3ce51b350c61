"""Templates of one message, and ``MessagesPlaceholder`` for a list of them."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, ClassVar, Self

from .._fields import field
from ..messages.ai import AIMessage
from ..messages.base import BaseMessage, get_msg_title_repr
from ..messages.chat import ChatMessage
from ..messages.conversion import convert_to_messages
from ..messages.human import HumanMessage
from ..messages.system import SystemMessage
from .blocks import BlockTemplate, fill_block, make_block_template
from .message import BaseMessagePromptTemplate
from .prompt import PromptTemplate
from .string import StringPromptTemplate, show_variable
from .templates import PromptTemplateFormat

__all__ = (
    "AIMessagePromptTemplate",
    "BaseStringMessagePromptTemplate",
    "ChatMessagePromptTemplate",
    "HumanMessagePromptTemplate",
    "MessagesPlaceholder",
    "SystemMessagePromptTemplate",
)


class MessagesPlaceholder(BaseMessagePromptTemplate):
    """A placeholder for a list of messages, the value of the variable ``variable_name``.

    With ``n_messages``, only so many of the last messages are kept. The variable of an ``optional``
    placeholder need not be passed.
    """

    variable_name: str
    optional: bool = False
    n_messages: int | None = None

    def __init__(self, variable_name: str, *, optional: bool = False, **kwargs: Any) -> None:
        super().__init__(variable_name=variable_name, optional=optional, **kwargs)

    def __post_init__(self) -> None:
        """Check the number of messages."""
        if self.n_messages is not None and self.n_messages < 1:
            raise ValueError(f"n_messages must be at least 1, not {self.n_messages}")

    @property
    def input_variables(self) -> list[str]:
        """The variable, unless it is optional."""
        return [] if self.optional else [self.variable_name]

    def format_messages(self, /, **kwargs: Any) -> list[BaseMessage]:
        """Return the messages in the variable; :class:`ValueError` if they are not a list."""
        value = kwargs.get(self.variable_name, []) if self.optional else kwargs[self.variable_name]
        if not isinstance(value, list):
            raise ValueError(
                f"variable {self.variable_name} should be a list of base messages, got {value} of type {type(value)}"
            )
        messages = convert_to_messages(value)
        return messages[-self.n_messages :] if self.n_messages else messages

    def pretty_repr(self, html: bool = False) -> str:
        """Return the variable with a title line."""
        title = get_msg_title_repr("Messages Placeholder", bold=html)
        return f"{title}\n\n{show_variable(self.variable_name, html)}"


class _OneMessage(BaseMessagePromptTemplate):
    """A template of one message."""

    @abstractmethod
    def format(self, /, **kwargs: Any) -> BaseMessage:
        """Return the message with the variables."""

    async def aformat(self, /, **kwargs: Any) -> BaseMessage:
        """Return what :meth:`format` returns."""
        return self.format(**kwargs)

    def format_messages(self, /, **kwargs: Any) -> list[BaseMessage]:
        """Return the message with the variables, in a list."""
        return [self.format(**kwargs)]

    async def aformat_messages(self, /, **kwargs: Any) -> list[BaseMessage]:
        """Return what :meth:`format_messages` returns."""
        return [await self.aformat(**kwargs)]

    @abstractmethod
    def _prompts(self) -> Sequence[BlockTemplate]:
        """Return the templates of the content."""

    @property
    def input_variables(self) -> list[str]:
        """The required variables."""
        return [name for prompt in self._prompts() for name in prompt.input_variables]

    def pretty_repr(self, html: bool = False) -> str:
        """Return the template with a title line."""
        title = get_msg_title_repr(type(self).__name__.replace("MessagePromptTemplate", " Message"), bold=html)
        return "\n\n".join([title, *(prompt.pretty_repr(html=html) for prompt in self._prompts())])


class BaseStringMessagePromptTemplate(_OneMessage):
    """The template of a message whose content is a text; a subclass writes ``format``."""

    prompt: StringPromptTemplate
    additional_kwargs: dict[str, Any] = field(default_factory=dict)

    def __init__(self, prompt: StringPromptTemplate, **kwargs: Any) -> None:
        super().__init__(prompt=prompt, **kwargs)

    @classmethod
    def from_template(
        cls,
        template: str,
        template_format: PromptTemplateFormat = "f-string",
        partial_variables: dict[str, Any] | None = None,
        **kwargs: Any,
    ) -> Self:
        """Return a message template for a text."""
        prompt = PromptTemplate(template, template_format=template_format, partial_variables=partial_variables or {})
        return cls(prompt=prompt, **kwargs)

    @classmethod
    def from_template_file(cls, template_file: str | Path, **kwargs: Any) -> Self:
        """Return a message template for the text in a file."""
        return cls(prompt=PromptTemplate.from_file(template_file, encoding="utf-8"), **kwargs)

    def _prompts(self) -> Sequence[BlockTemplate]:
        return [self.prompt]


class ChatMessagePromptTemplate(BaseStringMessagePromptTemplate):
    """The template of a :class:`ChatMessage` with the role ``role``."""

    role: str

    def format(self, /, **kwargs: Any) -> BaseMessage:
        """Return the message with the variables."""
        return self._make_message(self.prompt.format(**kwargs))

    async def aformat(self, /, **kwargs: Any) -> BaseMessage:
        """Return the message with the variables."""
        return self._make_message(await self.prompt.aformat(**kwargs))

    def _make_message(self, text: str) -> BaseMessage:
        return ChatMessage(text, role=self.role, additional_kwargs=self.additional_kwargs)


class _MessageTemplate(_OneMessage):
    """The template of one message: a template of its text, or templates of its blocks."""

    _msg_class: ClassVar[type[BaseMessage]]

    prompt: StringPromptTemplate | list[BlockTemplate]
    additional_kwargs: dict[str, Any] = field(default_factory=dict)

    def __init__(self, prompt: StringPromptTemplate | Sequence[BlockTemplate], **kwargs: Any) -> None:
        super().__init__(prompt=prompt if isinstance(prompt, StringPromptTemplate) else list(prompt), **kwargs)

    @classmethod
    def from_template(
        cls,
        template: object,
        template_format: PromptTemplateFormat = "f-string",
        partial_variables: Mapping[str, Any] | None = None,
        *,
        input_variables: Sequence[str] | None = None,
        **kwargs: Any,
    ) -> Self:
        """Return a message template for a text, or for a list of texts and blocks.

        The variables are read from the template. ``input_variables`` is accepted for compatibility with LangChain.
        """
        if isinstance(template, str):
            bound = partial_variables or {}
            return cls(
                prompt=PromptTemplate(template, template_format=template_format, partial_variables=bound), **kwargs
            )
        if not isinstance(template, Sequence):
            raise ValueError(f"Invalid template: {template}")
        if partial_variables:
            raise ValueError("Partial variables are not supported for list of templates.")
        return cls(prompt=[make_block_template(block, template_format) for block in template], **kwargs)

    @classmethod
    def from_template_file(
        cls, template_file: str | Path, input_variables: Sequence[str] | None = None, **kwargs: Any
    ) -> Self:
        """Return a message template for the text in a file."""
        text = Path(template_file).read_text(encoding="utf-8")
        return cls.from_template(text, input_variables=input_variables, **kwargs)

    def _prompts(self) -> Sequence[BlockTemplate]:
        return self.prompt if isinstance(self.prompt, list) else [self.prompt]

    def format(self, /, **kwargs: Any) -> BaseMessage:
        """Return the message with the variables; empty texts in a list of blocks are dropped."""
        if not isinstance(self.prompt, list):
            return self._make_message(self.prompt.format(**kwargs))
        return self._make_message(
            [fill_block(prompt, prompt.format(**_select(prompt, kwargs))) for prompt in self.prompt]
        )

    async def aformat(self, /, **kwargs: Any) -> BaseMessage:
        """Return the message with the variables; see :meth:`format`."""
        if not isinstance(self.prompt, list):
            return self._make_message(await self.prompt.aformat(**kwargs))
        return self._make_message(
            [fill_block(prompt, await prompt.aformat(**_select(prompt, kwargs))) for prompt in self.prompt]
        )

    def _make_message(self, content: Any) -> BaseMessage:
        if isinstance(content, list):
            content = [block for block in content if block is not None]
        return self._msg_class(content, additional_kwargs=self.additional_kwargs)


def _select(prompt: BlockTemplate, variables: Mapping[str, Any]) -> dict[str, Any]:
    return {name: variables[name] for name in prompt.input_variables}


class HumanMessagePromptTemplate(_MessageTemplate):
    """The template of a :class:`HumanMessage`."""

    _msg_class: ClassVar[type[BaseMessage]] = HumanMessage


class AIMessagePromptTemplate(_MessageTemplate):
    """The template of an :class:`AIMessage`."""

    _msg_class: ClassVar[type[BaseMessage]] = AIMessage


class SystemMessagePromptTemplate(_MessageTemplate):
    """The template of a :class:`SystemMessage`."""

    _msg_class: ClassVar[type[BaseMessage]] = SystemMessage

"""Message templates: of one message, and ``MessagesPlaceholder`` for a list of them."""

from __future__ import annotations

import sys
from abc import ABC, abstractmethod
from collections.abc import Sequence
from pathlib import Path
from typing import Any, ClassVar, Self

from .._late import late
from .._merge import Content
from .._repr import ReprMixin
from ..messages.ai import AIMessage
from ..messages.base import BaseMessage, get_msg_title_repr
from ..messages.chat import ChatMessage
from ..messages.conversion import convert_to_messages
from ..messages.human import HumanMessage
from ..messages.system import SystemMessage
from .blocks import BlockTemplate, make_block_template
from .prompt import PromptTemplate
from .string import PromptTemplateFormat

__all__ = (
    "AIMessagePromptTemplate",
    "BaseMessagePromptTemplate",
    "ChatMessagePromptTemplate",
    "HumanMessagePromptTemplate",
    "MessagesPlaceholder",
    "SystemMessagePromptTemplate",
)


class BaseMessagePromptTemplate(ReprMixin, ABC):
    """A part of a chat prompt that formats messages with variables."""

    @property
    @abstractmethod
    def input_variables(self) -> list[str]:
        """The required variables."""

    @abstractmethod
    def format_messages(self, /, **variables: Any) -> list[BaseMessage]:
        """Return the messages with ``variables``."""

    async def aformat_messages(self, /, **variables: Any) -> list[BaseMessage]:
        """Return what :meth:`format_messages` returns."""
        return self.format_messages(**variables)

    @abstractmethod
    def pretty_repr(self, html: bool = False) -> str:
        """Return the template with a title line, which is bold with ``html``."""

    def pretty_print(self) -> None:
        """Print :meth:`pretty_repr`."""
        print(self.pretty_repr(html=hasattr(sys, "ps2")))

    def __add__(self, other: object) -> Any:
        """Return a chat prompt of this template and ``other``."""
        return late("ChatPromptTemplate")([self]) + other


class MessagesPlaceholder(BaseMessagePromptTemplate):
    """A placeholder for a list of messages, the value of the variable ``variable_name``.

    With ``n_messages``, only so many of the last messages are kept. The variable of an ``optional``
    placeholder need not be passed.
    """

    _fields: ClassVar[tuple[str, ...]] = ("variable_name", "optional", "n_messages")
    _repr_omit_default: ClassVar[dict[str, Any]] = {"optional": False, "n_messages": None}

    def __init__(self, variable_name: str, *, optional: bool = False, n_messages: int | None = None) -> None:
        if n_messages is not None and n_messages < 1:
            raise ValueError(f"n_messages must be at least 1, not {n_messages}")
        self.variable_name = variable_name
        self.optional = optional
        self.n_messages = n_messages

    @property
    def input_variables(self) -> list[str]:
        """The variable, unless it is optional."""
        return [] if self.optional else [self.variable_name]

    def format_messages(self, /, **variables: Any) -> list[BaseMessage]:
        """Return the messages in ``variables``; :class:`ValueError` if they are not a list."""
        value = variables.get(self.variable_name, []) if self.optional else variables[self.variable_name]
        if not isinstance(value, list):
            raise ValueError(
                f"variable {self.variable_name} should be a list of base messages, got {value} of type {type(value)}"
            )
        messages = convert_to_messages(value)
        return messages[-self.n_messages :] if self.n_messages else messages

    def pretty_repr(self, html: bool = False) -> str:
        """Return the variable with a title line."""
        return f"{get_msg_title_repr('Messages Placeholder', bold=html)}\n\n{{{self.variable_name}}}"


class _MessageTemplate(BaseMessagePromptTemplate):
    """The template of one message: a template of its text, or templates of its blocks."""

    _fields: ClassVar[tuple[str, ...]] = ("prompt", "additional_kwargs")
    _message: ClassVar[type[BaseMessage]]

    def __init__(
        self, prompt: PromptTemplate | Sequence[BlockTemplate], additional_kwargs: dict[str, Any] | None = None
    ) -> None:
        self.prompt = prompt if isinstance(prompt, PromptTemplate) else list(prompt)
        self.additional_kwargs: dict[str, Any] = dict(additional_kwargs or {})

    @classmethod
    def from_template(
        cls,
        template: object,
        template_format: PromptTemplateFormat = "f-string",
        partial_variables: dict[str, Any] | None = None,
        *,
        input_variables: Sequence[str] | None = None,
        **fields: Any,
    ) -> Self:
        """Return a message template for a text, or for a list of texts and blocks.

        The variables are read from the template. ``input_variables`` is accepted for compatibility with LangChain.
        """
        if isinstance(template, str):
            prompt = PromptTemplate(template, template_format=template_format, partial_variables=partial_variables)
            return cls(prompt, **fields)
        if not isinstance(template, Sequence):
            raise ValueError(f"Invalid template: {template}")
        if partial_variables:
            raise ValueError("Partial variables are not supported for list of templates.")
        return cls([make_block_template(block, template_format) for block in template], **fields)

    @classmethod
    def from_template_file(
        cls, template_file: str | Path, input_variables: Sequence[str] | None = None, **fields: Any
    ) -> Self:
        """Return a message template for the text in a file."""
        text = Path(template_file).read_text(encoding="utf-8")
        return cls.from_template(text, input_variables=input_variables, **fields)

    @property
    def input_variables(self) -> list[str]:
        """The required variables."""
        return [name for prompt in self._prompts() for name in prompt.input_variables]

    def _prompts(self) -> Sequence[BlockTemplate]:
        return [self.prompt] if isinstance(self.prompt, PromptTemplate) else self.prompt

    def format(self, /, **variables: Any) -> BaseMessage:
        """Return the message with ``variables``; empty texts in a list of blocks are dropped."""
        return self._make_message(self._content(variables))

    def _content(self, variables: dict[str, Any]) -> Content:
        if isinstance(self.prompt, PromptTemplate):
            return self.prompt.format(**variables)
        blocks: list[str | dict[str, Any]] = []
        for prompt in self.prompt:
            block = prompt.format(**{name: variables[name] for name in prompt.input_variables})
            if block:
                blocks.append({"type": "text", "text": block} if isinstance(block, str) else block)
        return blocks

    def _make_message(self, content: Content) -> BaseMessage:
        return self._message(content, additional_kwargs=self.additional_kwargs)

    async def aformat(self, /, **variables: Any) -> BaseMessage:
        """Return what :meth:`format` returns."""
        return self.format(**variables)

    def format_messages(self, /, **variables: Any) -> list[BaseMessage]:
        """Return the message with ``variables``, in a list."""
        return [self.format(**variables)]

    def pretty_repr(self, html: bool = False) -> str:
        """Return the template with a title line."""
        title = get_msg_title_repr(type(self).__name__.replace("MessagePromptTemplate", " Message"), bold=html)
        return "\n\n".join([title, *(prompt.pretty_repr(html=html) for prompt in self._prompts())])


class HumanMessagePromptTemplate(_MessageTemplate):
    """The template of a :class:`HumanMessage`."""

    _message: ClassVar[type[BaseMessage]] = HumanMessage


class AIMessagePromptTemplate(_MessageTemplate):
    """The template of an :class:`AIMessage`."""

    _message: ClassVar[type[BaseMessage]] = AIMessage


class SystemMessagePromptTemplate(_MessageTemplate):
    """The template of a :class:`SystemMessage`."""

    _message: ClassVar[type[BaseMessage]] = SystemMessage


class ChatMessagePromptTemplate(_MessageTemplate):
    """The template of a :class:`ChatMessage` with the role ``role``."""

    _fields: ClassVar[tuple[str, ...]] = (*_MessageTemplate._fields, "role")

    def __init__(
        self,
        prompt: PromptTemplate | Sequence[BlockTemplate],
        additional_kwargs: dict[str, Any] | None = None,
        *,
        role: str,
    ) -> None:
        super().__init__(prompt, additional_kwargs)
        self.role = role

    def _make_message(self, content: Content) -> BaseMessage:
        return ChatMessage(content, role=self.role, additional_kwargs=self.additional_kwargs)

"""``ChatPromptTemplate``: a prompt of several messages with variables."""

from __future__ import annotations

import sys
from abc import abstractmethod
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, ClassVar, Self, overload

from ..messages.base import BaseMessage
from ..messages.conversion import convert_to_messages
from ..prompt_values import ChatPromptValue
from .base import BasePromptTemplate
from .message import (
    AIMessagePromptTemplate,
    BaseMessagePromptTemplate,
    ChatMessagePromptTemplate,
    HumanMessagePromptTemplate,
    MessagesPlaceholder,
    SystemMessagePromptTemplate,
)
from .prompt import PromptTemplate
from .string import PromptTemplateFormat

__all__ = (
    "AIMessagePromptTemplate",
    "BaseChatPromptTemplate",
    "BaseMessagePromptTemplate",
    "ChatMessagePromptTemplate",
    "ChatPromptTemplate",
    "HumanMessagePromptTemplate",
    "MessageLike",
    "MessagesPlaceholder",
    "SystemMessagePromptTemplate",
)


class BaseChatPromptTemplate(BasePromptTemplate):
    """Formats messages with variables."""

    @abstractmethod
    def format_messages(self, /, **variables: Any) -> list[BaseMessage]:
        """Return the messages with ``variables``."""

    async def aformat_messages(self, /, **variables: Any) -> list[BaseMessage]:
        """Return what :meth:`format_messages` returns."""
        return self.format_messages(**variables)

    def format(self, /, **variables: Any) -> str:
        """Return the conversation as one text."""
        return self.format_prompt(**variables).to_string()

    def format_prompt(self, /, **variables: Any) -> ChatPromptValue:
        """Return the messages with ``variables`` as a prompt value."""
        return ChatPromptValue(self.format_messages(**variables))

    async def aformat_prompt(self, /, **variables: Any) -> ChatPromptValue:
        """Return the messages with ``variables`` as a prompt value."""
        return ChatPromptValue(await self.aformat_messages(**variables))

    @abstractmethod
    def pretty_repr(self, html: bool = False) -> str:
        """Return the messages, each with a title line."""

    def pretty_print(self) -> None:
        """Print :meth:`pretty_repr`."""
        print(self.pretty_repr(html=hasattr(sys, "ps2")))


MessageLike = BaseMessagePromptTemplate | BaseMessage | BaseChatPromptTemplate
"""A part of a chat prompt."""

_TEMPLATES: dict[str, type[HumanMessagePromptTemplate | AIMessagePromptTemplate | SystemMessagePromptTemplate]] = {
    **{"human": HumanMessagePromptTemplate, "user": HumanMessagePromptTemplate},
    **{"ai": AIMessagePromptTemplate, "assistant": AIMessagePromptTemplate, "system": SystemMessagePromptTemplate},
}


class ChatPromptTemplate(BaseChatPromptTemplate):
    r"""A chat prompt: message templates, messages, and placeholders for lists of messages.

    >>> from millstream.prompts import ChatPromptTemplate
    >>> prompt = ChatPromptTemplate([("system", "You are {name}."), ("placeholder", "{history}"), "{question}"])
    >>> prompt.invoke({"name": "Bob", "question": "Who?", "history": [("ai", "Hi")]}).to_string()
    'System: You are Bob.\nAI: Hi\nHuman: Who?'

    A part is ``(role, template)``, a dict with ``role`` and ``content``, a text (the user's), a message,
    or a template. Raises :class:`ValueError` for an unknown role and for templates that do more than
    insert values.
    """

    _fields: ClassVar[tuple[str, ...]] = (*BaseChatPromptTemplate._fields, "messages")
    _path: ClassVar[tuple[str, ...]] = ("chat",)

    def __init__(
        self,
        messages: Iterable[Any],
        *,
        template_format: PromptTemplateFormat = "f-string",
        input_variables: Sequence[str] | None = None,
        **fields: Any,
    ) -> None:
        super().__init__(**fields)
        self.template_format: PromptTemplateFormat = template_format
        self.messages: list[MessageLike] = []
        self.extend(messages)
        self._check_names()

    @classmethod
    def from_messages(cls, messages: Iterable[Any], template_format: PromptTemplateFormat = "f-string") -> Self:
        """Return the prompt of ``messages``."""
        return cls(messages, template_format=template_format)

    @classmethod
    def from_template(cls, template: str, **fields: Any) -> Self:
        """Return a prompt of one message, the user's."""
        return cls([HumanMessagePromptTemplate(PromptTemplate.from_template(template, **fields))])

    @property
    def input_variables(self) -> list[str]:  # type: ignore[override]
        """The variables that a call must pass, sorted."""
        templates = [part for part in self.messages if not isinstance(part, BaseMessage)]
        return sorted({name for part in templates for name in part.input_variables} - self.partial_variables.keys())

    @property
    def optional_variables(self) -> list[str]:  # type: ignore[override]
        """The variables that a call may pass: lists of messages for the optional placeholders; sorted."""
        places = [part for part in self.messages if isinstance(part, MessagesPlaceholder)]
        return sorted({place.variable_name for place in places if place.optional})

    def append(self, message: object) -> None:
        """Add a part to the end."""
        part = _to_part(message, self.template_format)
        if isinstance(part, MessagesPlaceholder):
            self.input_types.setdefault(part.variable_name, list[BaseMessage])
            if part.optional:
                self.partial_variables.setdefault(part.variable_name, [])
        self.messages.append(part)

    def extend(self, messages: Iterable[Any]) -> None:
        """Add parts to the end."""
        for message in messages:
            self.append(message)

    def format_messages(self, /, **variables: Any) -> list[BaseMessage]:
        """Return the messages with ``variables``; :class:`KeyError` if one is missing."""
        variables = self._all_variables(variables)
        messages: list[BaseMessage] = []
        for part in self.messages:
            messages += [part] if isinstance(part, BaseMessage) else part.format_messages(**variables)
        return messages

    def partial(self, /, **variables: Any) -> Self:
        """Return a prompt with ``variables`` bound, to values or to functions that return them."""
        return type(self)(
            self.messages,
            template_format=self.template_format,
            partial_variables={**self.partial_variables, **variables},
            input_types=self.input_types,
            metadata=self.metadata,
            tags=self.tags,
            name=self.name,
        )

    def __add__(self, other: object) -> ChatPromptTemplate:
        """Return a prompt of both; ``other`` is a prompt, a part of one, or a list of parts."""
        if isinstance(other, ChatPromptTemplate):
            parts: Iterable[Any] = other.messages
        elif isinstance(other, str | BaseMessagePromptTemplate | BaseMessage | BaseChatPromptTemplate) or _is_pair(
            other
        ):
            parts = [other]
        elif isinstance(other, list | tuple):
            parts = other
        else:
            raise NotImplementedError(f"Unsupported operand type for +: {type(other)}")
        partial_variables = {**self.partial_variables, **getattr(other, "partial_variables", {})}
        return ChatPromptTemplate([*self.messages, *parts], partial_variables=partial_variables)

    @overload
    def __getitem__(self, index: int) -> MessageLike: ...

    @overload
    def __getitem__(self, index: slice) -> ChatPromptTemplate: ...

    def __getitem__(self, index: int | slice) -> MessageLike | ChatPromptTemplate:
        """Return a part, or a prompt of a slice of the parts."""
        return ChatPromptTemplate(self.messages[index]) if isinstance(index, slice) else self.messages[index]

    def __len__(self) -> int:
        """Return the number of parts."""
        return len(self.messages)

    def pretty_repr(self, html: bool = False) -> str:
        """Return the parts, each with a title line."""
        return "\n\n".join(part.pretty_repr(html=html) for part in self.messages)


def _is_pair(other: object) -> bool:
    """Return whether a tuple is a role and a template, not two parts."""
    return isinstance(other, tuple) and len(other) == 2 and other[0] in (*_TEMPLATES, "placeholder")


def _to_part(message: object, template_format: PromptTemplateFormat) -> MessageLike:
    if isinstance(message, BaseMessagePromptTemplate | BaseMessage | BaseChatPromptTemplate):
        return message
    if isinstance(message, str):
        return HumanMessagePromptTemplate.from_template(message, template_format)
    if isinstance(message, Mapping):
        if message.keys() != {"role", "content"}:
            raise ValueError(f"Expected dict to have exact keys 'role' and 'content'. Got: {dict(message)}")
        return _part_of_role(message["role"], message["content"], template_format)
    if isinstance(message, tuple | list):
        if len(message) != 2:
            raise ValueError(f"Expected 2-tuple of (role, template), got {message}")
        return _part_of_role(message[0], message[1], template_format)
    if hasattr(message, "content") and hasattr(message, "type"):
        return convert_to_messages([message])[0]
    raise NotImplementedError(f"Unsupported message type: {type(message)}")


def _part_of_role(role: object, template: object, template_format: PromptTemplateFormat) -> MessageLike:
    if isinstance(role, type) and issubclass(role, BaseMessagePromptTemplate):
        part: MessageLike = role.from_template(template, template_format)  # type: ignore[attr-defined]
        return part
    name = role.type if isinstance(role, type) and issubclass(role, BaseMessage) else role
    if name == "placeholder":
        return _placeholder(template)
    if not isinstance(name, str) or name not in _TEMPLATES:
        raise ValueError(
            f"Unexpected message type: {name}. Use one of 'human', 'user', 'ai', 'assistant', or 'system'."
        )
    return _TEMPLATES[name].from_template(template, template_format)


def _placeholder(template: Any) -> MessagesPlaceholder:
    """Return the placeholder for ``"{name}"``, or for ``["{name}", optional]``."""
    name, optional = (template, True) if isinstance(template, str) else template
    if not isinstance(name, str) or not isinstance(optional, bool):
        raise ValueError(f"Invalid placeholder: {template}. Expected a variable name, and whether it is optional.")
    if len(name) < 3 or name[0] != "{" or name[-1] != "}":
        raise ValueError(f"Invalid placeholder template: {name}. Expected a variable name surrounded by curly braces.")
    return MessagesPlaceholder(name[1:-1], optional=optional)

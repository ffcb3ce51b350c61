"""``ChatPromptTemplate``: a prompt of several messages with variables. Also the path of the message templates."""

from __future__ import annotations

import sys
from abc import abstractmethod
from collections.abc import Iterable, Sequence
from typing import Any, ClassVar, Self, overload

from .._fields import field
from ..messages.base import BaseMessage
from ..messages.conversion import AnyMessage, convert_to_messages
from ..prompt_values import ChatPromptValue
from .base import BasePromptTemplate, is_own
from .chat_parts import is_role, make_part
from .message import BaseMessagePromptTemplate
from .message_templates import (
    AIMessagePromptTemplate,
    BaseStringMessagePromptTemplate,
    ChatMessagePromptTemplate,
    HumanMessagePromptTemplate,
    MessagesPlaceholder,
    SystemMessagePromptTemplate,
)
from .prompt import PromptTemplate
from .templates import PromptTemplateFormat

__all__ = (
    "AIMessagePromptTemplate",
    "BaseChatPromptTemplate",
    "BaseMessagePromptTemplate",
    "BaseStringMessagePromptTemplate",
    "ChatMessagePromptTemplate",
    "ChatPromptTemplate",
    "HumanMessagePromptTemplate",
    "MessageLike",
    "MessageLikeRepresentation",
    "MessagesPlaceholder",
    "SystemMessagePromptTemplate",
)


class BaseChatPromptTemplate(BasePromptTemplate[str]):
    """Formats messages with variables."""

    @abstractmethod
    def format_messages(self, /, **kwargs: Any) -> list[BaseMessage]:
        """Return the messages with the variables."""

    async def aformat_messages(self, /, **kwargs: Any) -> list[BaseMessage]:
        """Return what :meth:`format_messages` returns."""
        return self.format_messages(**kwargs)

    def format(self, /, **kwargs: Any) -> str:
        """Return the conversation as one text."""
        return self.format_prompt(**kwargs).to_string()

    async def aformat(self, /, **kwargs: Any) -> str:
        """Return the conversation as one text."""
        return (await self.aformat_prompt(**kwargs)).to_string()

    def format_prompt(self, /, **kwargs: Any) -> ChatPromptValue:
        """Return the messages with the variables as a prompt value."""
        return ChatPromptValue(self.format_messages(**kwargs))

    async def aformat_prompt(self, /, **kwargs: Any) -> ChatPromptValue:
        """Return the messages with the variables as a prompt value."""
        return ChatPromptValue(await self.aformat_messages(**kwargs))

    def pretty_repr(self, html: bool = False) -> str:
        """Return the messages, each with a title line."""
        raise NotImplementedError

    def pretty_print(self) -> None:
        """Print :meth:`pretty_repr`."""
        print(self.pretty_repr(html=hasattr(sys, "ps2")))


# LangChain's inner name.
_convert_to_message_template = make_part

MessageLike = BaseMessagePromptTemplate | BaseMessage | BaseChatPromptTemplate
"""A part of a chat prompt."""

MessageLikeRepresentation = MessageLike | tuple[str | type, Any] | str | dict[str, Any]
"""The values that users may pass as a part of a chat prompt."""


class ChatPromptTemplate(BaseChatPromptTemplate):
    r"""A chat prompt: message templates, messages, and placeholders for lists of messages.

    >>> from millstream.prompts import ChatPromptTemplate
    >>> prompt = ChatPromptTemplate([("system", "You are {name}."), ("placeholder", "{history}"), "{question}"])
    >>> prompt.invoke({"name": "Bob", "question": "Who?", "history": [("ai", "Hi")]}).to_string()
    'System: You are Bob.\nAI: Hi\nHuman: Who?'

    A part is ``(role, template)``, a dict with ``role`` and ``content``, a text (the user's), a message,
    or a template. Raises :class:`ValueError` for an unknown role and for templates that do more than
    insert values; with ``validate_template``, also for ``input_variables`` that are not those of the parts.
    """

    _module_path: ClassVar[tuple[str, ...]] = ("langchain", "prompts", "chat")

    messages: list[Any] = field(default_factory=list)
    validate_template: bool = False
    # The format of parts that are added later.
    _template_format: PromptTemplateFormat = "f-string"
    # The number of parts that were found to call no code of users.
    _own_parts: int = -1

    def __init__(
        self, messages: Iterable[Any], *, template_format: PromptTemplateFormat = "f-string", **kwargs: Any
    ) -> None:
        parts = [make_part(message, template_format) for message in messages]
        super().__init__(messages=parts, **kwargs)  # type: ignore[call-arg]
        self._template_format = template_format
        given = kwargs.get("input_variables")
        if self.validate_template and given is not None and set(given) != set(self.input_variables):
            raise ValueError(f"Got mismatched input_variables. Expected: {set(self.input_variables)}. Got: {given}")

    def __post_init__(self) -> None:
        """Read the variables of the parts."""
        self.partial_variables = dict(self.partial_variables or {})
        self.input_types = dict(self.input_types)
        self.input_variables, self.optional_variables = [], []
        for part in self.messages:
            self._add_variables(part)
        super().__post_init__()

    def _add_variables(self, part: Any) -> None:
        if isinstance(part, BaseMessage):
            return
        # A placeholder, of Millstream or of LangChain.
        if (name := getattr(part, "variable_name", None)) is not None:
            self.input_types.setdefault(name, list[AnyMessage])
            if getattr(part, "optional", False):
                bound: Any = self.partial_variables
                bound.setdefault(name, [])
                self.optional_variables = sorted({*self.optional_variables, name})
        names = {*self.input_variables, *part.input_variables}
        self.input_variables = sorted(names - self.partial_variables.keys())

    @classmethod
    def from_messages(cls, messages: Iterable[Any], template_format: PromptTemplateFormat = "f-string") -> Self:
        """Return the prompt of ``messages``."""
        return cls(messages, template_format=template_format)

    @classmethod
    def from_template(cls, template: str, **kwargs: Any) -> Self:
        """Return a prompt of one message, the user's."""
        return cls.from_messages([HumanMessagePromptTemplate(prompt=PromptTemplate.from_template(template, **kwargs))])

    def append(self, message: object) -> None:
        """Add a part to the end."""
        part = make_part(message, self._template_format)
        self.messages.append(part)
        self._add_variables(part)

    def extend(self, messages: Iterable[Any]) -> None:
        """Add parts to the end."""
        for message in messages:
            self.append(message)

    def format_messages(self, /, **kwargs: Any) -> list[BaseMessage]:
        """Return the messages with the variables; :class:`KeyError` if one is missing."""
        variables = self._merge_partial_and_user_variables(**kwargs)
        messages: list[BaseMessage] = []
        for part in self.messages:
            messages += [part] if isinstance(part, BaseMessage) else part.format_messages(**variables)
        return convert_to_messages(messages)

    async def aformat_messages(self, /, **kwargs: Any) -> list[BaseMessage]:
        """Return the messages with the variables; :class:`KeyError` if one is missing."""
        variables = self._merge_partial_and_user_variables(**kwargs)
        messages: list[BaseMessage] = []
        for part in self.messages:
            messages += [part] if isinstance(part, BaseMessage) else await part.aformat_messages(**variables)
        return convert_to_messages(messages)

    def partial(self, /, **kwargs: Any) -> Self:
        """Return a prompt with variables bound, to values or to functions that return them."""
        prompt = super().partial(**kwargs)
        prompt._template_format = self._template_format
        return prompt

    def _is_own(self) -> bool:
        if self._own_parts != len(self.messages):
            if not all(isinstance(part, BaseMessage) or _is_own_part(part) for part in self.messages):
                return False
            self._own_parts = len(self.messages)
        return super()._is_own()

    @property
    def _prompt_type(self) -> str:
        return "chat"

    def __add__(self, other: object) -> ChatPromptTemplate:
        """Return a prompt of both; ``other`` is a prompt, a part of one, or a list of parts."""
        if isinstance(other, ChatPromptTemplate):
            parts: Iterable[Any] = other.messages
        elif isinstance(other, str | MessageLike) or is_role(other):
            parts = [other]
        elif isinstance(other, list | tuple):
            parts = other
        elif hasattr(other, "format_messages") or hasattr(other, "content"):
            parts = [other]
        else:
            raise NotImplementedError(f"Unsupported operand type for +: {type(other)}")
        bound = {**self.partial_variables, **(getattr(other, "partial_variables", None) or {})}
        return ChatPromptTemplate(
            [*self.messages, *parts], template_format=self._template_format, partial_variables=bound
        )

    @overload
    def __getitem__(self, index: int) -> MessageLike: ...
    @overload
    def __getitem__(self, index: slice) -> ChatPromptTemplate: ...
    def __getitem__(self, index: int | slice) -> MessageLike | ChatPromptTemplate:
        """Return a part, or a prompt of a slice of the parts."""
        if not isinstance(index, slice):
            part: MessageLike = self.messages[index]
            return part
        return ChatPromptTemplate(self.messages[index], template_format=self._template_format)

    def __len__(self) -> int:
        """Return the number of parts."""
        return len(self.messages)

    def pretty_repr(self, html: bool = False) -> str:
        """Return the parts, each with a title line."""
        return "\n\n".join(part.pretty_repr(html=html) for part in self.messages)


def _is_own_part(part: object) -> bool:
    """Return whether a part, and the templates in it, call no code of users."""
    if isinstance(part, BasePromptTemplate):
        return part._is_own()
    prompts: Sequence[Any] = part._prompts() if hasattr(part, "_prompts") else ()
    return is_own(part) and all(
        prompt._is_own() if isinstance(prompt, BasePromptTemplate) else is_own(prompt) for prompt in prompts
    )

"""Makes the parts of chat prompts from the values that users pass as messages."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from ..messages.base import BaseMessage
from ..messages.conversion import convert_to_messages
from .message import BaseMessagePromptTemplate
from .message_templates import (
    AIMessagePromptTemplate,
    HumanMessagePromptTemplate,
    MessagesPlaceholder,
    SystemMessagePromptTemplate,
)
from .prompt import PromptTemplate
from .templates import PromptTemplateFormat

__all__ = ("is_role", "make_part")

_TEMPLATES: dict[str, type[HumanMessagePromptTemplate | AIMessagePromptTemplate | SystemMessagePromptTemplate]] = {
    **{"human": HumanMessagePromptTemplate, "user": HumanMessagePromptTemplate},
    **{"ai": AIMessagePromptTemplate, "assistant": AIMessagePromptTemplate, "system": SystemMessagePromptTemplate},
}


def is_role(value: object) -> bool:
    """Return whether ``value`` is a role and a template, not two parts."""
    return isinstance(value, tuple) and len(value) == 2 and value[0] in (*_TEMPLATES, "placeholder")


def make_part(message: object, template_format: PromptTemplateFormat = "f-string") -> Any:
    """Return ``message`` as a part of a chat prompt: a message, a template, or a chat prompt."""
    if isinstance(message, BaseMessagePromptTemplate | BaseMessage):
        return message
    if hasattr(message, "format_messages") and hasattr(message, "input_variables"):
        # A chat prompt, or a template of LangChain's.
        return message
    if isinstance(message, str):
        return HumanMessagePromptTemplate.from_template(message, template_format)
    if isinstance(message, Mapping):
        if message.keys() != {"role", "content"}:
            raise ValueError(f"Expected dict to have exact keys 'role' and 'content'. Got: {dict(message)}")
        return _make_role(message["role"], message["content"], template_format)
    if isinstance(message, tuple | list):
        if len(message) != 2:
            raise ValueError(f"Expected 2-tuple of (role, template), got {message}")
        return _make_role(message[0], message[1], template_format)
    if hasattr(message, "content") and hasattr(message, "type"):
        return convert_to_messages([message])[0]
    raise NotImplementedError(f"Unsupported message type: {type(message)}")


def _make_role(role: object, template: object, template_format: PromptTemplateFormat) -> BaseMessagePromptTemplate:
    if isinstance(role, type) and issubclass(role, BaseMessagePromptTemplate):
        if hasattr(role, "from_template"):
            part: BaseMessagePromptTemplate = role.from_template(template, template_format)
            return part
        return role(prompt=PromptTemplate(str(template), template_format=template_format))
    # A class of messages, of Millstream or of LangChain.
    name = _type_of(role) if isinstance(role, type) else role
    if name == "placeholder":
        return _make_placeholder(template)
    if not isinstance(name, str) or name not in _TEMPLATES:
        raise ValueError(
            f"Unexpected message type: {name}. Use one of 'human', 'user', 'ai', 'assistant', or 'system'."
        )
    return _TEMPLATES[name].from_template(template, template_format)


def _type_of(cls: Any) -> Any:
    fields = getattr(cls, "model_fields", None)
    return fields["type"].default if isinstance(fields, Mapping) and "type" in fields else getattr(cls, "type", cls)


def _make_placeholder(template: object) -> MessagesPlaceholder:
    """Return the placeholder for ``"{name}"``, or for ``["{name}", optional]``."""
    if isinstance(template, str):
        template = (template, True)
    if not isinstance(template, list | tuple) or len(template) != 2:
        raise ValueError(
            "Unexpected arguments for placeholder message type. Expected either a single string variable name"
            f" or a list of [variable_name: str, is_optional: bool]. Got: {template}"
        )
    name, optional = template
    if not isinstance(optional, bool):
        raise ValueError(f"Expected is_optional to be a boolean. Got: {optional}")
    if not isinstance(name, str):
        raise ValueError(f"Expected variable name to be a string. Got: {name}")
    if len(name) < 3 or name[0] != "{" or name[-1] != "}":
        raise ValueError(f"Invalid placeholder template: {name}. Expected a variable name surrounded by curly braces.")
    return MessagesPlaceholder(name[1:-1], optional=optional)

"""Prompt templates: texts and conversations with variables, as steps of chains."""

from __future__ import annotations

from typing import TYPE_CHECKING

from .._late import lazy_names
from .base import BasePromptTemplate, aformat_document, format_document
from .chat import (
    AIMessagePromptTemplate,
    BaseChatPromptTemplate,
    ChatMessagePromptTemplate,
    ChatPromptTemplate,
    HumanMessagePromptTemplate,
    MessagesPlaceholder,
    SystemMessagePromptTemplate,
)
from .dict import DictPromptTemplate
from .prompt import PromptTemplate
from .string import (
    StringPromptTemplate,
    check_valid_template,
    get_template_variables,
    jinja2_formatter,
    validate_jinja2,
)

if TYPE_CHECKING:
    from .few_shot import FewShotChatMessagePromptTemplate, FewShotPromptTemplate
    from .few_shot_with_templates import FewShotPromptWithTemplates
    from .image import ImagePromptTemplate as ImagePromptTemplate
    from .loading import load_prompt

__all__ = (
    "AIMessagePromptTemplate",
    "BaseChatPromptTemplate",
    "BasePromptTemplate",
    "ChatMessagePromptTemplate",
    "ChatPromptTemplate",
    "DictPromptTemplate",
    "FewShotChatMessagePromptTemplate",
    "FewShotPromptTemplate",
    "FewShotPromptWithTemplates",
    "HumanMessagePromptTemplate",
    "MessagesPlaceholder",
    "PromptTemplate",
    "StringPromptTemplate",
    "SystemMessagePromptTemplate",
    "aformat_document",
    "check_valid_template",
    "format_document",
    "get_template_variables",
    "jinja2_formatter",
    "load_prompt",
    "validate_jinja2",
)

__getattr__ = lazy_names(
    globals(),
    {
        "FewShotChatMessagePromptTemplate": ".few_shot",
        "FewShotPromptTemplate": ".few_shot",
        "FewShotPromptWithTemplates": ".few_shot_with_templates",
        "ImagePromptTemplate": ".image",
        "load_prompt": ".loading",
    },
)

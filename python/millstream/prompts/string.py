"""``StringPromptTemplate``: the base of prompts that are a text. Also the functions of LangChain's path."""

from __future__ import annotations

import sys
from abc import abstractmethod
from collections.abc import Sequence
from typing import Any

from .._late import lazy_names
from ..callbacks.printing import get_colored_text
from ..prompt_values import StringPromptValue
from .base import BasePromptTemplate
from .jinja import jinja2_formatter, validate_jinja2
from .templates import (
    DEFAULT_FORMATTER_MAPPING,
    DEFAULT_VALIDATOR_MAPPING,
    PromptTemplateFormat,
    check_valid_template,
    formatter,
    get_template_variables,
    mustache_formatter,
    mustache_template_vars,
    validate_f_string_template,
)

__all__ = (
    "DEFAULT_FORMATTER_MAPPING",
    "DEFAULT_VALIDATOR_MAPPING",
    "PromptTemplateFormat",
    "StringPromptTemplate",
    "check_valid_template",
    "formatter",
    "get_template_variables",
    "is_subsequence",
    "jinja2_formatter",
    "mustache_formatter",
    "mustache_template_vars",
    "validate_f_string_template",
    "validate_jinja2",
)


class StringPromptTemplate(BasePromptTemplate[str]):
    """A prompt that is a text: a subclass writes ``format``."""

    @abstractmethod
    def format(self, /, **kwargs: Any) -> str:
        """Return the text with the variables."""

    def format_prompt(self, /, **kwargs: Any) -> StringPromptValue:
        """Return the text with the variables as a prompt value."""
        return StringPromptValue(self.format(**kwargs))

    async def aformat_prompt(self, /, **kwargs: Any) -> StringPromptValue:
        """Return the text with the variables as a prompt value."""
        return StringPromptValue(await self.aformat(**kwargs))

    def pretty_repr(self, html: bool = False) -> str:
        """Return the text with its variables in braces, in yellow with ``html``."""
        return self.format(**{name: show_variable(name, html) for name in self.input_variables})

    def pretty_print(self) -> None:
        """Print :meth:`pretty_repr`."""
        print(self.pretty_repr(html=hasattr(sys, "ps2")))


def show_variable(name: str, colored: bool = False) -> str:
    """Return a variable in braces, in yellow if ``colored``."""
    shown = f"{{{name}}}"
    return get_colored_text(shown, "yellow") if colored else shown


def is_subsequence(child: Sequence[Any], parent: Sequence[Any]) -> bool:
    """Return whether ``parent`` begins with ``child``; an empty one is no beginning."""
    return 0 < len(child) <= len(parent) and all(one == other for one, other in zip(child, parent, strict=False))


__getattr__ = lazy_names(globals(), {"mustache_schema": "millstream.prompts.schemas"})

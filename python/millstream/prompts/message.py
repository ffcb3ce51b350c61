"""``BaseMessagePromptTemplate``: the base of the parts of chat prompts."""

from __future__ import annotations

import sys
from abc import ABC, abstractmethod
from typing import Any

from .._late import late
from ..messages.base import BaseMessage
from .fields import PromptFields

__all__ = ("BaseMessagePromptTemplate",)


class BaseMessagePromptTemplate(PromptFields, ABC):
    """A part of a chat prompt that formats messages with variables."""

    @property
    @abstractmethod
    def input_variables(self) -> list[str]:
        """The required variables."""

    @abstractmethod
    def format_messages(self, /, **kwargs: Any) -> list[BaseMessage]:
        """Return the messages with the variables."""

    async def aformat_messages(self, /, **kwargs: Any) -> list[BaseMessage]:
        """Return what :meth:`format_messages` returns."""
        return self.format_messages(**kwargs)

    def pretty_repr(self, html: bool = False) -> str:
        """Return the template with a title line, which is bold with ``html``."""
        raise NotImplementedError

    def pretty_print(self) -> None:
        """Print :meth:`pretty_repr`."""
        print(self.pretty_repr(html=hasattr(sys, "ps2")))

    def __add__(self, other: object) -> Any:
        """Return a chat prompt of this template and ``other``."""
        return late("ChatPromptTemplate")([self]) + other

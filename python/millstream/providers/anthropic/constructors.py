"""The arguments of the models' constructors, as type checkers see them.

Only type checkers import this module: at run time a class's fields are its constructor's arguments, and
``inspect.signature`` shows them. A test compares the two, name by name and type by type.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping
from typing import Any, Literal, TypedDict

from ..openai.constructors import Key, Timeout

__all__ = ("AnthropicArguments",)


class AnthropicArguments(TypedDict, total=False):
    """The arguments of :class:`~millstream.ChatAnthropic`."""

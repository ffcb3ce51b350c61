"""The text that a completion model reads, for any input of a model."""

from collections.abc import Sequence
from typing import Any

__all__ = ("LanguageModelInput", "to_prompt")

LanguageModelInput = Any
"""A text, a list of messages (LangChain's, ours, ``(role, content)`` pairs, OpenAI's dicts), or a prompt value."""


def to_prompt(value: LanguageModelInput) -> str:
    """Return the prompt text of ``value``: a text as it is, messages as ``Human: …`` and ``AI: …`` lines.

    Raises :class:`ValueError` for another type, and for a message with an unknown role.
    """
    if isinstance(value, str):
        return value
    if hasattr(value, "to_string"):
        return str(value.to_string())
    if isinstance(value, Sequence) and not isinstance(value, bytes | bytearray | memoryview):
        # Imported for lists alone: completion models do without messages.
        from ..messages.conversion import convert_to_messages, get_buffer_string

        return get_buffer_string(convert_to_messages(value))
    raise ValueError(
        f"Invalid input type {type(value)}: a model takes a str, a list of messages or a prompt value (with to_string)."
    )

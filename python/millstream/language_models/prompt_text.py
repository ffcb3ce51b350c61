"""``to_prompt``: any input of a model as the prompt text of a completion model."""

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any, Protocol, TypeAlias

__all__ = ("LanguageModelInput", "to_prompt")

if TYPE_CHECKING:

    class MessageObject(Protocol):
        """A message, ours or LangChain's."""

        @property
        def type(self) -> str:
            """The role, in LangChain's words."""

        @property
        def content(self) -> Any:
            """A text, or a list of texts and blocks."""

    class PromptObject(Protocol):
        """A prompt value, ours or LangChain's."""

        def to_string(self) -> str:
            """Return it as one text."""

        def to_messages(self) -> Sequence[Any]:
            """Return it as messages."""

    LanguageModelInput: TypeAlias = str | PromptObject | Sequence[MessageObject | Mapping[str, Any] | Sequence[Any]]
else:
    LanguageModelInput = Any
"""A text, a list of messages (LangChain's, ours, ``(role, content)`` pairs, OpenAI's dicts), or a prompt value."""


def to_prompt(value: object) -> str:
    """Return the prompt text of ``value``: a text unchanged, messages as ``Human: …`` and ``AI: …`` lines.

    Raises :class:`ValueError` for another type, and for a message with an unknown role.
    """
    if isinstance(value, str):
        return value
    if hasattr(value, "to_string"):
        return str(value.to_string())
    if isinstance(value, Sequence) and not isinstance(value, bytes | bytearray | memoryview):
        # Imported only for lists: completion models work without the messages package.
        from ..messages.conversion import convert_to_messages, get_buffer_string

        return get_buffer_string(convert_to_messages(value))
    raise ValueError(
        f"Invalid input type {type(value)}: a model accepts a str, a list of messages or a prompt value with to_string."
    )

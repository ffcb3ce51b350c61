"""Prompt values: the output of prompts and the input of models, a text or messages."""

from abc import ABC, abstractmethod
from collections.abc import Iterable
from typing import Any, ClassVar, Literal, TypedDict

from ._pydantic_field import PydanticField
from ._repr import ReprMixin
from ._typed_dicts import with_pydantic_schema
from .messages.base import BaseMessage
from .messages.conversion import convert_to_messages, get_buffer_string
from .messages.human import HumanMessage

__all__ = (
    "ChatPromptValue",
    "ChatPromptValueConcrete",
    "ImagePromptValue",
    "ImageURL",
    "PromptValue",
    "StringPromptValue",
)


class PromptValue(ReprMixin, PydanticField, ABC):
    """The output of a prompt, for a model of any type."""

    __slots__ = ()

    @abstractmethod
    def to_string(self) -> str:
        """Return the value as one text."""

    @abstractmethod
    def to_messages(self) -> list[BaseMessage]:
        """Return the value as messages."""

    @abstractmethod
    def model_dump(self) -> dict[str, Any]:
        """Return the fields as a dict of plain data."""


class StringPromptValue(PromptValue):
    """A text for a model; for a chat model it is a message of the user."""

    __slots__ = ("text",)
    _fields: ClassVar[tuple[str, ...]] = ("text",)
    type = "StringPromptValue"

    def __init__(self, text: str) -> None:
        self.text: str = text

    def to_string(self) -> str:
        """Return the text."""
        return self.text

    def to_messages(self) -> list[BaseMessage]:
        """Return the text as a user's message."""
        return [HumanMessage(self.text)]

    def model_dump(self) -> dict[str, Any]:
        """Return the text and the type as a dict."""
        return {"text": self.text, "type": self.type}


class ChatPromptValue(PromptValue):
    """Messages for a model; for a completion model they are lines of text."""

    __slots__ = ("messages",)
    _fields: ClassVar[tuple[str, ...]] = ("messages",)

    def __init__(self, messages: Iterable[Any]) -> None:
        self.messages: list[BaseMessage] = convert_to_messages(messages)

    def to_string(self) -> str:
        """Return the messages as lines, each prefixed by its role."""
        return get_buffer_string(self.messages)

    def to_messages(self) -> list[BaseMessage]:
        """Return the messages in a new list."""
        return list(self.messages)

    def model_dump(self) -> dict[str, Any]:
        """Return the messages as dicts."""
        return {"messages": [message.model_dump() for message in self.messages]}


class ChatPromptValueConcrete(ChatPromptValue):
    """Messages for a model, with a ``type``."""

    __slots__ = ()
    type = "ChatPromptValueConcrete"

    def model_dump(self) -> dict[str, Any]:
        """Return the messages as dicts, and the type."""
        return {**super().model_dump(), "type": self.type}


@with_pydantic_schema
class ImageURL(TypedDict, total=False):
    """An image in OpenAI's format: its URL, which may be a ``data:`` URL, and the detail to read it in."""

    detail: Literal["auto", "low", "high"]
    url: str


class ImagePromptValue(PromptValue):
    """An image for a model."""

    __slots__ = ("image_url",)
    _fields: ClassVar[tuple[str, ...]] = ("image_url",)
    type = "ImagePromptValue"

    def __init__(self, image_url: ImageURL) -> None:
        self.image_url: ImageURL = image_url

    def to_string(self) -> str:
        """Return the URL."""
        return self.image_url.get("url", "")

    def to_messages(self) -> list[BaseMessage]:
        """Return the image as a user's message."""
        return [HumanMessage([{**self.image_url}])]

    def model_dump(self) -> dict[str, Any]:
        """Return the image and the type as a dict."""
        return {"image_url": dict(self.image_url), "type": self.type}

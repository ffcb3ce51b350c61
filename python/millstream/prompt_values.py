"""Prompt values: the output of prompts and the input of models, a text or messages."""

from abc import ABC, abstractmethod
from collections.abc import Iterable, Mapping, Sequence
from functools import cache
from typing import Any, ClassVar, Literal, Self, TypedDict

from ._pydantic_field import PydanticField, described_schema
from ._repr import ReprMixin
from ._typed_dicts import with_pydantic_schema
from .messages.base import BaseMessage
from .messages.conversion import AnyMessage, convert_to_messages, get_buffer_string
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

    # The types of the fields, for pydantic.
    _types: ClassVar[dict[str, Any]] = {}

    @classmethod
    def __get_pydantic_core_schema__(cls, source: object, handler: object) -> Any:
        """Return how pydantic validates, describes and serializes objects of the class."""
        return described_schema(cls, cls._validate, _model_of(cls), handler)

    @classmethod
    def __get_pydantic_json_schema__(cls, schema: Any, handler: Any) -> Any:
        """Return how pydantic describes objects of the class."""
        return handler(schema["json_schema_input_schema"])

    @classmethod
    def _validate(cls, value: object) -> Self:
        if isinstance(value, cls):
            return value
        if isinstance(value, Mapping) and value.keys() - {"type"} == {*cls._types}:
            fields = {name: value[name] for name in cls._types}
            try:
                made = cls(**fields)
            except (TypeError, KeyError, NotImplementedError) as error:
                raise ValueError(f"{cls.__name__}: {error}") from error
            # Texts alone are stored as they are.
            if all(isinstance(fields[name], str) for name, type in cls._types.items() if type is str):
                return made
        raise ValueError(f"a {cls.__name__}, or a dict of its fields, is needed, not {type(value).__name__}")


class StringPromptValue(PromptValue):
    """A text for a model; for a chat model it is a message of the user."""

    __slots__ = ("text",)
    _types: ClassVar[dict[str, Any]] = {"text": str}
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
    _types: ClassVar[dict[str, Any]] = {"messages": Sequence[BaseMessage]}
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
    """Messages for a model, whose schema names the types of messages."""

    __slots__ = ()
    _types: ClassVar[dict[str, Any]] = {"messages": Sequence[AnyMessage]}
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
    _types: ClassVar[dict[str, Any]] = {"image_url": ImageURL}
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


@cache
def _model_of(cls: type[PromptValue]) -> Any:
    """Return the pydantic class that describes values of ``cls``; it is never instantiated."""
    from pydantic import create_model

    fields: dict[str, Any] = {name: (type, ...) for name, type in cls._types.items()}
    if (type_name := getattr(cls, "type", None)) is not None:
        fields["type"] = (Literal[type_name], type_name)
    return create_model(cls.__name__, __doc__=cls.__doc__, __module__=cls.__module__, **fields)

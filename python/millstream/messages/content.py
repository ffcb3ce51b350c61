"""Typed dicts of LangChain's standard content blocks, and checks of a block's type."""

from collections.abc import Callable, Mapping
from typing import Any, Literal, NotRequired, TypedDict, TypeVar

from .._typed_dicts import with_pydantic_schema
from .tool_calls import InvalidToolCall, ToolCall, ToolCallChunk

__all__ = (
    "KNOWN_BLOCK_TYPES",
    "AudioContentBlock",
    "ContentBlock",
    "DataContentBlock",
    "FileContentBlock",
    "ImageContentBlock",
    "InvalidToolCall",
    "NonStandardContentBlock",
    "PlainTextContentBlock",
    "ReasoningContentBlock",
    "TextContentBlock",
    "ToolCall",
    "ToolCallChunk",
    "VideoContentBlock",
    "block_type",
    "convert_block",
    "is_data_content_block",
)

Block = TypeVar("Block")
Converted = TypeVar("Converted")


@with_pydantic_schema
class TextContentBlock(TypedDict):
    """A text."""

    type: Literal["text"]
    text: str
    id: NotRequired[str]
    annotations: NotRequired[list[Any]]
    index: NotRequired[int | str]
    extras: NotRequired[dict[str, Any]]


@with_pydantic_schema
class ReasoningContentBlock(TypedDict):
    """The reasoning of a model before its answer."""

    type: Literal["reasoning"]
    reasoning: NotRequired[str]
    id: NotRequired[str]
    index: NotRequired[int | str]
    extras: NotRequired[dict[str, Any]]


class _Data(TypedDict, total=False):
    """The location of data: in the block itself, at a URL, or a file of the provider's."""

    id: str
    file_id: str
    mime_type: str
    index: int | str
    url: str
    base64: str
    extras: dict[str, Any]


@with_pydantic_schema
class ImageContentBlock(_Data):
    """An image."""

    type: Literal["image"]


@with_pydantic_schema
class AudioContentBlock(_Data):
    """Audio."""

    type: Literal["audio"]


@with_pydantic_schema
class VideoContentBlock(_Data):
    """A video."""

    type: Literal["video"]


@with_pydantic_schema
class FileContentBlock(_Data):
    """A file of another type."""

    type: Literal["file"]


@with_pydantic_schema
class PlainTextContentBlock(_Data):
    """A plain-text document."""

    type: Literal["text-plain"]
    text: NotRequired[str]
    title: NotRequired[str]
    context: NotRequired[str]


@with_pydantic_schema
class NonStandardContentBlock(TypedDict):
    """A block that only one provider defines."""

    type: Literal["non_standard"]
    value: dict[str, Any]
    id: NotRequired[str]
    index: NotRequired[int | str]


DataContentBlock = ImageContentBlock | VideoContentBlock | AudioContentBlock | PlainTextContentBlock | FileContentBlock
"""Data of any type."""

ContentBlock = (
    TextContentBlock
    | ReasoningContentBlock
    | ToolCall
    | ToolCallChunk
    | InvalidToolCall
    | NonStandardContentBlock
    | DataContentBlock
)
"""A standard block of any type."""

_DATA_TYPES = frozenset({"image", "video", "audio", "text-plain", "file"})
_CALL_TYPES = frozenset({"tool_call", "invalid_tool_call", "tool_call_chunk"})
_SERVER_TYPES = frozenset({"server_tool_call", "server_tool_call_chunk", "server_tool_result"})
KNOWN_BLOCK_TYPES = frozenset({"text", "reasoning", "non_standard"}) | _DATA_TYPES | _CALL_TYPES | _SERVER_TYPES
"""The ``type`` of every standard block."""


def block_type(block: Mapping[str, Any]) -> str | None:
    """Return the ``type`` of a block, if it has one."""
    name = block.get("type")
    return name if isinstance(name, str) else None


def convert_block(convert: Callable[[Block], Converted], block: Block) -> Converted:
    """Return ``convert(block)``; :class:`ValueError` if the block lacks the fields of its type."""
    try:
        return convert(block)
    except (AttributeError, KeyError, TypeError) as error:
        raise ValueError(f"a block of content has not the form of its type: {block}") from error


def is_data_content_block(block: Mapping[str, Any]) -> bool:
    """Return whether a block holds data, in the standard format or in LangChain's older one (``source_type``)."""
    if block_type(block) not in _DATA_TYPES:
        return False
    if not block.keys().isdisjoint(("url", "base64", "file_id", "text")):
        return True
    return (block.get("source_type") == "base64" and "data" in block) or (
        block.get("source_type") == "id" and "id" in block
    )

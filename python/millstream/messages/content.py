"""Typed dicts of LangChain's standard content blocks, and checks of a block's type."""

from collections.abc import Callable, Mapping
from typing import Any, Literal, NotRequired, TypedDict, TypeVar

from .._typed_dicts import with_pydantic_schema
from .tool_calls import (
    InvalidToolCall,
    ServerToolCall,
    ServerToolCallChunk,
    ServerToolResult,
    ToolCall,
    ToolCallChunk,
)
from .validation import ensure_id

__all__ = (
    "KNOWN_BLOCK_TYPES",
    "Annotation",
    "AudioContentBlock",
    "Citation",
    "ContentBlock",
    "DataContentBlock",
    "FileContentBlock",
    "ImageContentBlock",
    "InvalidToolCall",
    "NonStandardAnnotation",
    "NonStandardContentBlock",
    "PlainTextContentBlock",
    "ReasoningContentBlock",
    "RefusalContentBlock",
    "ServerToolCall",
    "ServerToolCallChunk",
    "ServerToolResult",
    "TextContentBlock",
    "ToolCall",
    "ToolCallChunk",
    "ToolContentBlock",
    "VideoContentBlock",
    "block_type",
    "convert_block",
    "create_audio_block",
    "create_citation",
    "create_file_block",
    "create_image_block",
    "create_non_standard_block",
    "create_plaintext_block",
    "create_reasoning_block",
    "create_text_block",
    "create_tool_call",
    "create_video_block",
    "is_data_content_block",
)

Block = TypeVar("Block")
Converted = TypeVar("Converted")


@with_pydantic_schema
class Citation(TypedDict):
    """The source of a part of a text: where the part begins and ends, and the cited text."""

    type: Literal["citation"]
    id: NotRequired[str]
    url: NotRequired[str]
    title: NotRequired[str]
    start_index: NotRequired[int]
    end_index: NotRequired[int]
    cited_text: NotRequired[str]
    extras: NotRequired[dict[str, Any]]


@with_pydantic_schema
class NonStandardAnnotation(TypedDict):
    """An annotation that only one provider defines."""

    type: Literal["non_standard_annotation"]
    id: NotRequired[str]
    value: dict[str, Any]


Annotation = Citation | NonStandardAnnotation
"""An annotation of a text."""


@with_pydantic_schema
class TextContentBlock(TypedDict):
    """A text."""

    type: Literal["text"]
    text: str
    id: NotRequired[str]
    annotations: NotRequired[list[Annotation]]
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


@with_pydantic_schema
class RefusalContentBlock(TypedDict):
    """The explanation of a model that refuses to answer."""

    type: Literal["refusal"]
    refusal: str
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

ToolContentBlock = ToolCall | ToolCallChunk | ServerToolCall | ServerToolCallChunk | ServerToolResult
"""A tool call, a piece of one, or the result of a tool that the provider runs."""

ContentBlock = (
    TextContentBlock
    | ReasoningContentBlock
    | RefusalContentBlock
    | InvalidToolCall
    | ToolContentBlock
    | NonStandardContentBlock
    | DataContentBlock
)
"""A standard block of any type."""

_DATA_TYPES = frozenset({"image", "video", "audio", "text-plain", "file"})
_CALL_TYPES = frozenset({"tool_call", "invalid_tool_call", "tool_call_chunk"})
_SERVER_TYPES = frozenset({"server_tool_call", "server_tool_call_chunk", "server_tool_result"})
KNOWN_BLOCK_TYPES = (
    frozenset({"text", "reasoning", "refusal", "non_standard"}) | _DATA_TYPES | _CALL_TYPES | _SERVER_TYPES
)
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


def _make(type: str, id: str | None, extras: dict[str, Any], **fields: Any) -> Any:
    """Return a block with the fields and extras that are not ``None``, and with a generated id if it has none."""
    block = {"type": type, "id": ensure_id(id)} | {key: one for key, one in fields.items() if one is not None}
    kept = {key: one for key, one in extras.items() if one is not None}
    return {**block, "extras": kept} if kept else block


def _make_data(type: str, id: str | None, extras: dict[str, Any], **fields: Any) -> Any:
    if not any(fields[name] for name in ("url", "base64", "file_id")):
        raise ValueError("Must provide one of: url, base64, or file_id")
    if type != "image" and fields["base64"] and not fields["mime_type"]:
        raise ValueError("mime_type is required when using base64 data")
    return _make(type, id, extras, **fields)


def create_text_block(
    text: str,
    *,
    id: str | None = None,
    annotations: list[Annotation] | None = None,
    index: int | str | None = None,
    **kwargs: Any,
) -> TextContentBlock:
    """Return a block of text; other arguments become ``extras``."""
    block: TextContentBlock = _make("text", id, kwargs, text=text, annotations=annotations, index=index)
    return block


def create_image_block(
    *,
    url: str | None = None,
    base64: str | None = None,
    file_id: str | None = None,
    mime_type: str | None = None,
    id: str | None = None,
    index: int | str | None = None,
    **kwargs: Any,
) -> ImageContentBlock:
    """Return a block with an image; :class:`ValueError` without its data. Other arguments become ``extras``."""
    block: ImageContentBlock = _make_data(
        "image", id, kwargs, url=url, base64=base64, file_id=file_id, mime_type=mime_type, index=index
    )
    return block


def create_video_block(
    *,
    url: str | None = None,
    base64: str | None = None,
    file_id: str | None = None,
    mime_type: str | None = None,
    id: str | None = None,
    index: int | str | None = None,
    **kwargs: Any,
) -> VideoContentBlock:
    """Return a block with a video; :class:`ValueError` without its data. Other arguments become ``extras``."""
    block: VideoContentBlock = _make_data(
        "video", id, kwargs, url=url, base64=base64, file_id=file_id, mime_type=mime_type, index=index
    )
    return block


def create_audio_block(
    *,
    url: str | None = None,
    base64: str | None = None,
    file_id: str | None = None,
    mime_type: str | None = None,
    id: str | None = None,
    index: int | str | None = None,
    **kwargs: Any,
) -> AudioContentBlock:
    """Return a block with audio; :class:`ValueError` without its data. Other arguments become ``extras``."""
    block: AudioContentBlock = _make_data(
        "audio", id, kwargs, url=url, base64=base64, file_id=file_id, mime_type=mime_type, index=index
    )
    return block


def create_file_block(
    *,
    url: str | None = None,
    base64: str | None = None,
    file_id: str | None = None,
    mime_type: str | None = None,
    id: str | None = None,
    index: int | str | None = None,
    **kwargs: Any,
) -> FileContentBlock:
    """Return a block with a file; :class:`ValueError` without its data. Other arguments become ``extras``."""
    block: FileContentBlock = _make_data(
        "file", id, kwargs, url=url, base64=base64, file_id=file_id, mime_type=mime_type, index=index
    )
    return block


def create_plaintext_block(
    text: str | None = None,
    url: str | None = None,
    base64: str | None = None,
    file_id: str | None = None,
    title: str | None = None,
    context: str | None = None,
    id: str | None = None,
    index: int | str | None = None,
    **kwargs: Any,
) -> PlainTextContentBlock:
    """Return a block with a plain-text document; other arguments become ``extras``."""
    fields = {"text": text, "url": url, "base64": base64, "file_id": file_id, "title": title, "context": context}
    block: PlainTextContentBlock = _make("text-plain", id, kwargs, mime_type="text/plain", **fields, index=index)
    return block


def create_tool_call(
    name: str, args: dict[str, Any], *, id: str | None = None, index: int | str | None = None, **kwargs: Any
) -> ToolCall:
    """Return a tool call; other arguments become ``extras``."""
    call: ToolCall = _make("tool_call", id, kwargs, name=name, args=args, index=index)
    return call


def create_reasoning_block(
    reasoning: str | None = None, id: str | None = None, index: int | str | None = None, **kwargs: Any
) -> ReasoningContentBlock:
    """Return a block with reasoning; other arguments become ``extras``."""
    block: ReasoningContentBlock = _make("reasoning", id, kwargs, reasoning=reasoning or "", index=index)
    return block


def create_citation(
    *,
    url: str | None = None,
    title: str | None = None,
    start_index: int | None = None,
    end_index: int | None = None,
    cited_text: str | None = None,
    id: str | None = None,
    **kwargs: Any,
) -> Citation:
    """Return a citation; other arguments become ``extras``."""
    fields = {"url": url, "title": title, "start_index": start_index, "end_index": end_index}
    citation: Citation = _make("citation", id, kwargs, **fields, cited_text=cited_text)
    return citation


def create_non_standard_block(
    value: dict[str, Any], *, id: str | None = None, index: int | str | None = None
) -> NonStandardContentBlock:
    """Return a block that only one provider defines."""
    block: NonStandardContentBlock = _make("non_standard", id, {}, value=value, index=index)
    return block

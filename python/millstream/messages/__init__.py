"""Messages of a conversation with a model, their chunks, and conversions from and to other formats."""

from __future__ import annotations

from typing import TYPE_CHECKING

from .._late import lazy_names
from .ai import AIMessage, AIMessageChunk, InputTokenDetails, OutputTokenDetails, UsageMetadata
from .base import BaseMessage, BaseMessageChunk, merge_content, message_to_dict, messages_to_dict
from .chat import ChatMessage, ChatMessageChunk
from .content import (
    Annotation,
    AudioContentBlock,
    Citation,
    ContentBlock,
    DataContentBlock,
    FileContentBlock,
    ImageContentBlock,
    NonStandardAnnotation,
    NonStandardContentBlock,
    PlainTextContentBlock,
    ReasoningContentBlock,
    RefusalContentBlock,
    ServerToolCall,
    ServerToolCallChunk,
    ServerToolResult,
    TextContentBlock,
    VideoContentBlock,
    is_data_content_block,
)
from .conversion import (
    AnyMessage,
    MessageLikeRepresentation,
    _message_from_dict,
    convert_to_messages,
    get_buffer_string,
    message_chunk_to_message,
    messages_from_dict,
)
from .function import FunctionMessage, FunctionMessageChunk
from .human import HumanMessage, HumanMessageChunk
from .openai import convert_to_openai_data_block, convert_to_openai_image_block
from .openai_dicts import convert_to_openai_messages
from .system import SystemMessage, SystemMessageChunk
from .tool import InvalidToolCall, ToolCall, ToolCallChunk, ToolMessage, ToolMessageChunk
from .validation import LC_AUTO_PREFIX, LC_ID_PREFIX, ensure_id

if TYPE_CHECKING:
    from .filtering import filter_messages
    from .merging import merge_message_runs
    from .modifier import RemoveMessage
    from .notification import NotificationMetadata, add_notification_metadata, get_notification_metadata
    from .trimming import trim_messages

__all__ = (
    "LC_AUTO_PREFIX",
    "LC_ID_PREFIX",
    "AIMessage",
    "AIMessageChunk",
    "Annotation",
    "AnyMessage",
    "AudioContentBlock",
    "BaseMessage",
    "BaseMessageChunk",
    "ChatMessage",
    "ChatMessageChunk",
    "Citation",
    "ContentBlock",
    "DataContentBlock",
    "FileContentBlock",
    "FunctionMessage",
    "FunctionMessageChunk",
    "HumanMessage",
    "HumanMessageChunk",
    "ImageContentBlock",
    "InputTokenDetails",
    "InvalidToolCall",
    "MessageLikeRepresentation",
    "NonStandardAnnotation",
    "NonStandardContentBlock",
    "NotificationMetadata",
    "OutputTokenDetails",
    "PlainTextContentBlock",
    "ReasoningContentBlock",
    "RefusalContentBlock",
    "RemoveMessage",
    "ServerToolCall",
    "ServerToolCallChunk",
    "ServerToolResult",
    "SystemMessage",
    "SystemMessageChunk",
    "TextContentBlock",
    "ToolCall",
    "ToolCallChunk",
    "ToolMessage",
    "ToolMessageChunk",
    "UsageMetadata",
    "VideoContentBlock",
    "_message_from_dict",
    "add_notification_metadata",
    "convert_to_messages",
    "convert_to_openai_data_block",
    "convert_to_openai_image_block",
    "convert_to_openai_messages",
    "ensure_id",
    "filter_messages",
    "get_buffer_string",
    "get_notification_metadata",
    "is_data_content_block",
    "merge_content",
    "merge_message_runs",
    "message_chunk_to_message",
    "message_to_dict",
    "messages_from_dict",
    "messages_to_dict",
    "trim_messages",
)

__getattr__ = lazy_names(
    globals(),
    {
        "NotificationMetadata": ".notification",
        "RemoveMessage": ".modifier",
        "add_notification_metadata": ".notification",
        "filter_messages": ".filtering",
        "get_notification_metadata": ".notification",
        "merge_message_runs": ".merging",
        "trim_messages": ".trimming",
    },
)

"""Messages of a conversation with a model, their chunks, and conversions from and to other formats."""

from .ai import AIMessage, AIMessageChunk, InputTokenDetails, OutputTokenDetails, UsageMetadata
from .base import BaseMessage, BaseMessageChunk, merge_content, message_to_dict, messages_to_dict
from .chat import ChatMessage, ChatMessageChunk
from .content import (
    AudioContentBlock,
    ContentBlock,
    DataContentBlock,
    FileContentBlock,
    ImageContentBlock,
    NonStandardContentBlock,
    PlainTextContentBlock,
    ReasoningContentBlock,
    TextContentBlock,
    VideoContentBlock,
    is_data_content_block,
)
from .conversion import (
    AnyMessage,
    MessageLikeRepresentation,
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

__all__ = (
    "AIMessage",
    "AIMessageChunk",
    "AnyMessage",
    "AudioContentBlock",
    "BaseMessage",
    "BaseMessageChunk",
    "ChatMessage",
    "ChatMessageChunk",
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
    "NonStandardContentBlock",
    "OutputTokenDetails",
    "PlainTextContentBlock",
    "ReasoningContentBlock",
    "SystemMessage",
    "SystemMessageChunk",
    "TextContentBlock",
    "ToolCall",
    "ToolCallChunk",
    "ToolMessage",
    "ToolMessageChunk",
    "UsageMetadata",
    "VideoContentBlock",
    "convert_to_messages",
    "convert_to_openai_data_block",
    "convert_to_openai_image_block",
    "convert_to_openai_messages",
    "get_buffer_string",
    "is_data_content_block",
    "merge_content",
    "message_chunk_to_message",
    "message_to_dict",
    "messages_from_dict",
    "messages_to_dict",
)

"""LangChain's path for the streams that ``stream_events(version="v3")`` of a chat model returns."""

from ..events.protocol.message_streams import (
    AsyncChatModelStream,
    AsyncProjection,
    AsyncTextProjection,
    ChatModelStream,
    SyncProjection,
    SyncTextProjection,
)

__all__ = (
    "AsyncChatModelStream",
    "AsyncProjection",
    "AsyncTextProjection",
    "ChatModelStream",
    "SyncProjection",
    "SyncTextProjection",
)
